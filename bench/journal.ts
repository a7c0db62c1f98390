/** `npm run bench -- journal`: what the journal costs those who issue, and what a proof from a large one takes. */

import { bench, eachRounded, rounded, shown } from './bench.ts'
import { issuingWithAndWithout } from './journal-issuing.ts'
import { proofsFrom } from './journal-proofs.ts'

export const journal = bench({
  says: 'issuing with the journal beside issuing without, and proofs from a journal of ten million entries',
  options: { rounds: 12, groups: 4, singles: 2000, entries: 10_000_000, proofs: 2000 },
  async run({ rounds, groups, singles, entries, proofs }, context) {
    const issuing = await issuingWithAndWithout(context, { rounds, groups, singles })
    context.signal.throwIfAborted()
    const proof = await proofsFrom(context, { entries, proofs })
    return {
      batch: eachRounded(issuing.batch, 2),
      single: eachRounded(issuing.single, 2),
      proof: { ...proof, milliseconds: eachRounded(proof.milliseconds, 2) },
    }
  },
  table: ({ batch, single, proof }) => [
    ...[['in groups', batch] as const, ['singly', single] as const].flatMap(([how, one]) => [
      [`certificates a second, ${how}, without the journal`, shown(one.withoutPerSecond!)],
      [`certificates a second, ${how}, with it`, shown(one.withPerSecond!)],
      [`longer with it, median of pairs, ${how}`, `${shown(one.longerPercent!, 1)} %`],
      [`more processor time with it, ${how}`, `${shown(one.moreCpuPercent!, 1)} %`],
    ]),
    ['entries of the large journal', shown(proof.entries)],
    ['seconds to make its hashes', shown(rounded(proof.seconds, 1), 1)],
    ...Object.entries(proof.milliseconds).map(([name, figure]) => [`milliseconds, ${name}`, shown(figure, 2)]),
  ],
})

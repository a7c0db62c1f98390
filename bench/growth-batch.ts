/** The same batch into a full store and into an empty one, turn by turn, both services running. */

import { randomInt } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { makeBatchXml, makeMany } from '../simulator/batch.ts'
import type { Home } from '../src/main/home.ts'
import { type Context, nth, rounded } from './bench.ts'
import { startChild } from './child.ts'
import { type Disk, diskOf } from './disk.ts'
import { type Environment, withEnvironment, withService } from './environment.ts'
import { watch } from './processes.ts'
import { check, submit } from './submission.ts'

export interface Pairs {
  readonly count: number
  readonly rounds: number
  /** The median of each; upload, processing, download and all. */
  readonly emptySeconds: number
  readonly fullSeconds: number
  /** The median over pairs of turns. */
  readonly longerPercent: number
  /** Of the first pair: the full store has just been started, and its memory holds little of its indexes. */
  readonly firstLongerPercent: number
  /** Of the service and its store, for one certificate: a busy machine bends it less than it bends times. */
  readonly emptyCpuMicroseconds: number
  readonly fullCpuMicroseconds: number
  readonly moreCpuPercent: number
  /** Of the store that was empty, when all of these are in it: each came by issuing, none by loading. */
  readonly disk: Disk
}

interface Turn {
  readonly seconds: number
  readonly cpuSeconds: number
}

export async function batchBesideEmpty(
  context: Context,
  fullHome: Home,
  { batch: count, rounds }: { readonly batch: number; readonly rounds: number },
): Promise<Pairs & { readonly emptyStartSeconds: number }> {
  return withEnvironment(context, count * (rounds + 1), empty =>
    withService(context, fullHome, async full => {
      const turns = { empty: [] as Turn[], full: [] as Turn[] }
      // The first pair is not counted: it compiles, and warms what a service warms on its first day.
      for (let round = 0; round <= rounds; round++) {
        context.signal.throwIfAborted()
        const document = await makeDocument(round === 0 ? Math.min(count, 5000) : count, context)
        const order = round % 2 === 0 ? (['empty', 'full'] as const) : (['full', 'empty'] as const)
        for (const which of order) {
          context.say(`${which} store, round ${round}`)
          const turn = await oneTurn(which === 'empty' ? empty : full, document, context)
          if (round > 0) turns[which].push(turn)
        }
      }
      const median = (of: readonly Turn[], part: keyof Turn) =>
        nth(
          of.map(one => one[part]),
          0.5,
        )
      const percents = (part: keyof Turn) =>
        turns.full.map((one, i) => (one[part] / turns.empty[i]![part] - 1) * 100)
      return {
        count,
        rounds,
        emptySeconds: rounded(median(turns.empty, 'seconds'), 2),
        fullSeconds: rounded(median(turns.full, 'seconds'), 2),
        longerPercent: rounded(nth(percents('seconds'), 0.5), 1),
        firstLongerPercent: rounded(percents('seconds')[0]!, 1),
        emptyCpuMicroseconds: rounded((median(turns.empty, 'cpuSeconds') * 1e6) / count, 1),
        fullCpuMicroseconds: rounded((median(turns.full, 'cpuSeconds') * 1e6) / count, 1),
        moreCpuPercent: rounded(nth(percents('cpuSeconds'), 0.5), 1),
        disk: await diskOf(empty.store),
        emptyStartSeconds: empty.startSeconds,
      }
    }),
  )
}

interface Document {
  readonly path: string
  readonly count: number
}

/** Devices that neither store knows: what a run before this one issued into the full store is there still. */
async function makeDocument(count: number, { folder, say, signal }: Context): Promise<Document> {
  say('making the Device CSRs')
  const path = join(folder, 'growth-batch.xml')
  const first = 0x02d1_0000_0000_0000n + (BigInt(randomInt(2 ** 31)) << 16n)
  const many = {
    count,
    firstDeviceId: first.toString(16).padStart(16, '0'),
    usages: ['digitalSignature', 'keyAgreement'],
  } as const
  const made = []
  for await (const one of makeMany(many)) {
    signal.throwIfAborted()
    made.push(one)
  }
  await pipeline(makeBatchXml(made, { id: 'growth' }), createWriteStream(path))
  return { path, count }
}

async function oneTurn(environment: Environment, document: Document, { folder, signal }: Context): Promise<Turn> {
  const client = startChild('batch-client.ts', signal)
  const watching = watch(environment.programs, environment.postmaster)
  try {
    const result = join(folder, 'growth-result.xml')
    watching.mark()
    const story = await submit(client, environment, { document: document.path, result })
    const { cpuSeconds } = watching.usage()
    await check(environment, story.batch, document.count, result)
    const spent = Object.values(cpuSeconds).reduce((sum, one) => sum + one, 0)
    return { seconds: (story.ended - story.began) / 1000, cpuSeconds: spent }
  } finally {
    watching.stop()
    await client.end()
  }
}

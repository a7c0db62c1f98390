/** Every attack in turn, at full strength: `node test/hostile/all.ts [--seconds 20] [--many 3000] [attack …]` prints a table. */

import { parseArgs } from 'node:util'
import { table } from '../../src/main/commands/context.ts'
import { attacked, attackNames, type Observed } from './scene.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string' }, many: { type: 'string' } },
})
const seconds = Number(values.seconds ?? 20)
const many = Number(values.many ?? 3000)
const names = positionals.length > 0 ? positionals : ['none', ...attackNames]

const scene = await attacked()
const rows: string[][] = []
/** Without an attack: where the machine itself is slower than a second, twice what it takes then. */
let calm: Observed | undefined
let failed = false
try {
  for (const name of names) {
    const observed = await scene.observe(name, { seconds, many })
    if (name === 'none') calm = observed
    const late = lateDoors(observed)
    if (late.length > 0) failed = true
    rows.push([...row(observed), late.length === 0 ? 'held' : `late or unanswered: ${late.join(', ')}`])
    process.stderr.write(`${rows.at(-1)!.join(' | ')}\n`)
  }
} finally {
  await scene.close()
}
process.stdout.write(
  table([
    [
      'attack',
      'p50/p99/worst ad hoc',
      'repository',
      'portal',
      'faults',
      'MiB',
      'loop ms',
      'opened/ended',
      'answers',
    ],
    ...rows,
  ]),
)
process.exitCode = failed ? 1 : 0

/** Doors at which the good client was not answered, or of a hundred answers one came after more than a second. */
function lateDoors({ good }: Observed): string[] {
  return Object.entries(good)
    .filter(
      ([door, { asked, answered, p99 }]) =>
        answered < asked || p99 > Math.max(1000, 2 * (calm?.good[door]?.p99 ?? 0)),
    )
    .map(([door]) => door)
}

function row({ attack, good, memoryMiB, delayMs, tally }: Observed): string[] {
  const times = Object.values(good).map(({ p50, p99, worst }) => `${p50}/${p99}/${worst}`)
  const faults = Object.entries(good).flatMap(([door, { faults, retried }]) => [
    ...Object.entries(faults).map(([name, count]) => `${door} ${name} ${count}`),
    ...(retried > 0 ? [`${door} asked again ${retried}`] : []),
  ])
  return [
    attack,
    ...times,
    faults.join(', ') || 'none',
    Object.values(memoryMiB).join('/'),
    Object.values(delayMs).join('/'),
    `${tally.opened}/${tally.ended}, ${tally.most} at a time`,
    Object.entries(tally.answers)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ') || 'none',
  ]
}

/** Every point of every scenario in every way: `node test/faults/all.ts [part of a name]`. Prints how many were tried. */

import { begin, stopChildren, told, tryAll } from './run.ts'
import { scenarios } from './scenarios.ts'
import { openStage } from './stage.ts'

const asked = process.argv[2] ?? ''
const stage = await openStage()
await begin(stage)
let total = 0
let faults = 0
for (const scenario of scenarios.filter(one => one.name.includes(asked))) {
  const began = performance.now()
  const tried = await tryAll(stage, scenario)
  process.stdout.write(`${told(tried)}; ${((performance.now() - began) / 1000).toFixed(0)} s\n`)
  if (process.argv[3] === '--points') for (const one of tried.points) process.stdout.write(`  ${one}\n`)
  for (const one of tried.found) process.stdout.write(`  ${one}\n`)
  total += Object.values(tried.tried).reduce((sum, count) => sum + count, 0)
  faults += tried.found.length
}
process.stdout.write(`${total} points tried, ${faults} faults\n`)
stopChildren()
await stage.close()
process.exitCode = faults === 0 ? 0 : 1

/** Runs every test of the project: `node test/run.ts [path…]`. The building rules are a script line of their own. */

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const asked = process.argv.slice(2)
const found = ['src', 'test', 'simulator']
  .flatMap(folder => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name)))
  .filter(name => name.endsWith('.test.ts') && name !== join('test', 'building.test.ts'))
  .filter(name => asked.length === 0 || asked.some(part => name.includes(part)))
  .sort()
if (found.length === 0) {
  console.error('no test was found')
  process.exit(1)
}

// Two files at a time: most of them start a PostgreSQL of their own.
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-concurrency=2',
    // Nothing waits for ever: a test that hangs fails, and says which it was.
    '--test-timeout=300000',
    '--test-reporter=./test/reporter.ts',
    '--test-reporter-destination=stdout',
    ...found,
  ],
  { stdio: 'inherit' },
)
process.exit(status ?? 1)

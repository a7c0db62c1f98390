/** The checker that somebody else might have written, in Python: run when there is one. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Foreign {
  readonly holds: boolean
  readonly why?: string
  readonly size?: number
  readonly acts?: Readonly<Record<string, number>>
  readonly witnessed?: number
}

/** For the `skip` of a test: false, or why not. */
export const noPython: string | false =
  spawnSync('python3', ['--version']).status !== 0 && 'skipped: there is no python3 here'

const script = fileURLToPath(new URL('check_log.py', import.meta.url))

/** What `check_log.py` says; that it holds nothing where there is no Python. */
export function foreign(...args: string[]): Foreign {
  if (noPython) return { holds: false, why: noPython }
  const { stdout, stderr } = spawnSync('python3', [script, ...args], { encoding: 'utf8' })
  assert.equal(stderr, '')
  return JSON.parse(stdout) as Foreign
}

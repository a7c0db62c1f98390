/** What every command is given: where to write, and which environment it speaks of. */

import { type Command, InvalidArgumentError } from 'commander'
import type { Store } from '../../ground/store/store.ts'
import type { Settings } from '../../policy/settings.ts'
import type { Hands } from '../../rooms/authority/issue-one.ts'
import { type Home, homeAt, loadSettings } from '../home.ts'
import { openHomeStore, systemChance, systemClock } from '../world.ts'

export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly exit: (code: number) => void
  readonly clock: () => Date
}

/** Exit codes of every command. */
export const exitCodes = {
  ok: 0,
  /** The answer is no: a refusal, a certificate that does not hold, a rule that is broken. */
  no: 1,
  /** The command was not understood, or a file it names cannot be read. */
  usage: 2,
  /** A fault of ours. */
  fault: 3,
} as const

export function homeOf(command: Command): Home {
  return homeAt((command.optsWithGlobals() as { home: string }).home)
}

export interface Opened {
  readonly home: Home
  readonly settings: Settings
  readonly store: Store
  readonly hands: Hands
}

/** Works on an environment's store: that of the running service, or started for as long as the work takes. */
export async function withStore<T>(command: Command, work: (opened: Opened) => Promise<T>): Promise<T> {
  const home = homeOf(command)
  const settings = loadSettings(home)
  const opened = await openHomeStore(home, { share: true, max: 2 })
  try {
    return await work({
      home,
      settings,
      store: opened.store,
      hands: { store: opened.store, clock: systemClock, chance: systemChance },
    })
  } finally {
    await opened.close()
  }
}

export function json(io: Io, value: unknown): void {
  io.out(`${JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one), 2)}\n`)
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map(row => row[i]!.length))) ?? []
  return rows
    .map(
      row =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is not a whole number.')
  return Number(text)
}

export function batchId(text: string): bigint {
  if (!/^[1-9]\d{0,18}$/.test(text))
    throw new InvalidArgumentError('It is not a BatchId: those are positive whole numbers.')
  return BigInt(text)
}

/** Doing a thing once, or again and again until somebody stops the command. */

import { Refusal } from '../../../ground/refusal.ts'
import type { Io } from '../context.ts'

/**
 * With `seconds`, turns go on until Ctrl-C, and one to which nothing answered, or nothing useful, is told and tried again: the next may find
 * it there. @param turn false ends it
 */
export async function again(io: Io, seconds: number | undefined, turn: () => Promise<boolean>): Promise<void> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  const signals = ['SIGINT', 'SIGTERM'] as const
  if (seconds !== undefined) for (const signal of signals) process.once(signal, stop)
  try {
    for (;;) {
      const on = seconds === undefined ? await turn() : await turn().catch(cause => told(io, cause))
      if (!on || seconds === undefined) return
      const waited = Promise.withResolvers<'waited'>()
      const timer = setTimeout(waited.resolve, seconds * 1000, 'waited')
      const woken = await Promise.race([waited.promise, stopped])
      clearTimeout(timer)
      if (woken !== 'waited') return
    }
  } finally {
    for (const signal of signals) process.removeListener(signal, stop)
  }
}

function told(io: Io, cause: unknown): boolean {
  if (!(cause instanceof Refusal) || !['NO_ANSWER', 'BAD_ANSWER'].includes(cause.code)) throw cause
  io.err(`${cause.code}: ${cause.message}\n`)
  return true
}

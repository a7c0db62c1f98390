/** Watches over the programs of the service: a signer that ends is started again, and the end of any other is told. */

import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { restarting } from './restarting.ts'

export interface Programs {
  /** By name; what is started again takes the place of what ended. */
  readonly children: ReadonlyMap<string, ChildProcess>
  /** How often a signer is started again in ten minutes. */
  readonly atMost: number
  /** Starts the signer of that number again. @throws what it refused to start with */
  readonly startSigner: (number: number) => Promise<unknown>
  /** A signer was started again. */
  readonly onStarted: () => void
  /** A program ended, and is not started again. */
  readonly onLost: (name: string) => void
}

/** The first signer is `signer`, the others `signer 2` and so on. */
export const isSigner = (name: string) => /^signer( \d+)?$/.test(name)
export const nameOf = (role: string, number: number) => (number === 1 ? role : `${role} ${number}`)
const numberOf = (name: string) => Number(name.split(' ')[1] ?? 1)

/** @returns ends the watch: what ends from now on is meant to, and nothing is being started any more */
export function keepRunning({ children, atMost, startSigner, onStarted, onLost }: Programs): () => Promise<void> {
  const stopped = new AbortController()
  const { signal } = stopped
  const starting = new Set<Promise<void>>()
  const again = restarting(atMost)

  async function restart(name: string, pauseMs: number): Promise<void> {
    try {
      await sleep(pauseMs, undefined, { signal })
      await startSigner(numberOf(name))
      onStarted()
    } catch (cause) {
      // It ends, if it has not yet, and that is heard below.
      if (!signal.aborted) console.error(`the ${name} program did not start: ${(cause as Error).message}`)
    }
    watch(name)
  }

  function watch(name: string): void {
    const child = children.get(name)!
    const ended = () => {
      if (signal.aborted) return
      const pauseMs = isSigner(name) ? again(name, performance.now()) : undefined
      if (pauseMs === undefined) return onLost(name)
      console.error(`the ${name} program ended; it is started again`)
      const started = restart(name, pauseMs).finally(() => starting.delete(started))
      starting.add(started)
    }
    // It may have ended while another was started.
    if (child.exitCode !== null || child.signalCode !== null) ended()
    else child.once('exit', ended)
  }

  for (const name of children.keys()) watch(name)
  return async () => {
    stopped.abort()
    await Promise.all(starting)
  }
}

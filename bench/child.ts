/** Programs of a benchmark in processes of their own: each answers what its parent asks, and ends with it. */

import { fork } from 'node:child_process'
import { join } from 'node:path'

export interface Child {
  readonly pid: number
  /** One question at a time. Rejects with what the program said went wrong, or because it ended. */
  ask<Answer>(question: unknown): Promise<Answer>
  /** Resolves when the program has ended. */
  end(): Promise<void>
}

/**
 * @param program a file of this folder.
 * @param signal on which the program is killed, if it has nothing to put in order.
 */
export function startChild(program: string, signal?: AbortSignal): Child {
  // Nothing but the figures goes to our standard output.
  const child = fork(join(import.meta.dirname, program), {
    stdio: ['ignore', 2, 2, 'ipc'],
    serialization: 'advanced',
  })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const kill = () => child.kill('SIGKILL')
  signal?.addEventListener('abort', kill)
  void ended.then(() => signal?.removeEventListener('abort', kill))
  return {
    pid: child.pid!,
    ask: question =>
      new Promise((resolve, reject) => {
        void ended.then(() => reject(new Error(`${program} ended before it had answered`)))
        child.once('message', (told: Told) =>
          'fault' in told ? reject(new Error(told.fault)) : resolve(told.answer as never),
        )
        child.send(question as object, cause => cause && reject(cause))
      }),
    async end() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

type Told = { readonly answer: unknown } | { readonly fault: string }

/** The other side: what the program does with each question, and before it ends. */
export function answerParent<Question>(
  answer: (question: Question) => Promise<unknown>,
  leave: () => Promise<void> = async () => {},
): void {
  // A terminal's Ctrl-C reaches the whole group: our parent decides what it means.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.on('disconnect', () => void leave().finally(() => process.exit()))
  process.on('message', async (question: Question) => {
    const told = await answer(question).then(
      (given): Told => ({ answer: given }),
      (cause: Error): Told => ({ fault: cause.stack ?? cause.message }),
    )
    if (process.connected) process.send!(told)
  })
}

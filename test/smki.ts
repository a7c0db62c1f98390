/** `smki` as a user runs it, in this process. */

import { main } from '../src/main/smki.ts'

export interface Said {
  readonly out: string
  readonly err: string
  /** 0 unless it said otherwise. */
  readonly code: number
}

/** @returns when the command has ended, what it printed and its exit code */
export async function smki(words: readonly string[], clock: () => Date = () => new Date()): Promise<Said> {
  const said = { out: '', err: '', code: 0 }
  await main([...words], {
    out: text => {
      said.out += text
    },
    err: text => {
      said.err += text
    },
    exit: code => {
      said.code = code
    },
    clock,
  })
  return said
}

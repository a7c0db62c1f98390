/** Runs a command of `smki` in this process, and gives back what it said. */

import { main } from '../../src/main/smki.ts'

export async function smki(...argv: string[]): Promise<{ said: string; code: number }> {
  let said = ''
  let code = 0
  const hear = (text: string) => {
    said += text
  }
  const exit = (given: number) => {
    code = given
  }
  await main(argv, { out: hear, err: hear, exit, clock: () => new Date() })
  return { said, code }
}

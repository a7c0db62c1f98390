/** The attacker, a program of its own: makes one attack for as long as it is told, and says what became of it. */

import { answerParent } from '../../bench/child.ts'
import { attacks } from './attacks.ts'
import { Attack, type Tally, type Target } from './target.ts'

export interface Order {
  readonly attack: string
  readonly target: Target
  readonly seconds: number
  /** How many at a time. */
  readonly many: number
}

answerParent(async ({ attack: name, target, seconds, many }: Order): Promise<Tally> => {
  const kind = attacks[name]
  if (!kind) throw new RangeError(`no attack ${name}`)
  const stop = new AbortController()
  const attack = new Attack(target, kind.from, stop.signal)
  const timer = setTimeout(() => stop.abort(), seconds * 1000)
  await kind.run(attack, many)
  clearTimeout(timer)
  attack.end()
  return attack.tally
})

/** Finding out which keys a Device holds: associations under each pair that it may hold, until it answers to one. */

import type { KeyedClient } from '../../../policy/symmetric/keys.ts'
import { associate, type Standing } from './associate.ts'
import { findCounters } from './counters.ts'
import { candidates, type Pair } from './plan.ts'
import { no } from './refusals.ts'
import type { Work } from './work.ts'

/**
 * An association that stands. Only a verified answer to a fresh challenge counts: a dropped connection, a rejection or
 * an exception only says what to try next. Each try costs a counter of its own (smets1-keys.md section 7, points 4 to 6).
 * @param successSeen whether a transfer was answered with success: then the new keys are tried first
 * @param read whether a proof read is to follow
 * @throws Refusal DEVICE_UNREACHABLE, also when it does not answer at all; DEVICE_UNRESOLVED when it answers to none,
 * KEY_LOST when there is none to try; COUNTER_JUMP
 */
export async function settle(
  work: Work,
  client: KeyedClient,
  successSeen = false,
  read = false,
): Promise<Standing> {
  const { likely, mixed } = candidates(work.keys, client, successSeen)
  if (likely.length === 0) throw no('KEY_LOST', `of the client ${client}`)
  const isProbe = likely.length > 1
  const hints: string[] = []
  // A mixed pair has a wrong AK under a GUEK that the Device may well hold. One that wants strictly the next counter can
  // never be given that of such a try; and of those no model takes one key of two, so for them there is none.
  const isStrict = work.model.counters.rule === 'strictly-next'
  // The counters are put right before a mixed pair is tried.
  for (const pairs of mixed.length > 0 && !isStrict ? [likely, mixed] : [likely]) {
    const first = await round(work, client, pairs, { isProbe, read, hints })
    if (first.standing) return first.standing
    const gueks = [...new Map(pairs.map(({ guek }) => [guek.id, guek] as const)).values()]
    if (!(await findCounters(work, client, gueks, first.wants))) continue
    const again = await round(work, client, pairs, { isProbe, read, hints })
    if (again.standing) return again.standing
  }
  const said = [...new Set(hints)]
  // Nothing at all came back, whatever was tried: it is not there, as far as anybody can tell.
  if (said.every(code => code === 'NO_ANSWER')) throw no('DEVICE_UNREACHABLE', `${client}: it does not answer`)
  throw no('DEVICE_UNRESOLVED', `${client}: ${said.join(', ')}`)
}

async function round(
  work: Work,
  client: KeyedClient,
  pairs: readonly Pair[],
  { isProbe, read, hints }: { readonly isProbe: boolean; readonly read: boolean; readonly hints: string[] },
): Promise<{ readonly standing?: Standing; readonly wants?: number }> {
  let wants: number | undefined
  for (const pair of pairs) {
    const tried = await associate(work, client, pair, isProbe, read)
    if ('standing' in tried) return tried
    hints.push(tried.hint.code)
    wants = tried.hint.wants ?? wants
  }
  return wants === undefined ? {} : { wants }
}

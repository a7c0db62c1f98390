/** Accounts of the Repository portal: logging in, lock-out, change and reset of passwords (repository.md section 6). */

import { entry, type JsonValue } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { Client } from '../../ground/store/store.ts'
import { lockedUntil, stillCounting } from '../../policy/registration/lock-out.ts'
import { type Acting, type Actor, actAlone, type Given, type Hands, readGiven } from './act.ts'
import { mayHold } from './entitled.ts'
import { isPassword, keepPassword, newPassword, tryNothing } from './password.ts'
import { no } from './refusals.ts'

/** Who has logged in. While `mustChange`, the only thing to be done with it is `changePassword`. */
export interface LoggedIn {
  readonly credential: number
  readonly party: number
  /** Reference of the ARO. */
  readonly person: string
  readonly mustChange: boolean
}

/**
 * Tries a password. Attempts on one account are made in turn, so none is tried beyond those that lock it.
 * @throws Refusal LOGIN_REFUSED, the same for an unknown username, a wrong password and an account that is not in use;
 * LOGIN_LOCKED, with `until`: a right password during the lock is refused too, and nothing is counted
 */
export async function login(hands: Hands, username: string, password: string): Promise<LoggedIn> {
  return (await attempt(hands, username, password)).user
}

/**
 * Changes a password with the former one, which counts as an attempt to log in.
 * @throws Refusal as `login`; PASSWORD_UNFIT
 */
export async function changePassword(
  hands: Hands,
  username: string,
  former: string,
  password: string,
): Promise<void> {
  const { user, hash } = await attempt(hands, username, former)
  const characters = [...password.normalize('NFC')].length
  const asBefore = password.normalize('NFC') === former.normalize('NFC')
  if (characters < hands.rules.passwordCharacters || characters > 128 || asBefore || password === username) {
    throw no('PASSWORD_UNFIT', `${hands.rules.passwordCharacters} to 128 characters`)
  }
  const kept = await keepPassword(hands.chance, password, hands.rules.passwordLog2N)
  await hands.store.transaction(async client => {
    const { rowCount } = await client.query(
      'UPDATE repository_user SET salt = $2, log2n = $3, hash = $4, must_change = false WHERE username = $1 AND hash = $5',
      [username, kept.salt, kept.log2N, kept.hash, hash],
    )
    // It was reset, or changed, since it was tried.
    if (rowCount === 0) throw no('LOGIN_REFUSED')
    const { credential, person } = user
    await append(client, entry('change password', hands.clock(), { credential, by: { person } }))
  })
}

/** The DCC sets a new password, for one use. @returns it, once. @throws Refusal USERNAME_UNKNOWN, EVIDENCE_MISSING */
export function resetPassword(hands: Hands, by: Actor, username: string, given: Given): Promise<string> {
  return onAccount(hands, by, 'reset password', username, given, async acting => {
    const password = newPassword(hands.chance)
    const kept = await keepPassword(hands.chance, password, hands.rules.passwordLog2N)
    await acting.client.query(
      `UPDATE repository_user SET salt = $2, log2n = $3, hash = $4, must_change = true, failures = '{}'
        WHERE username = $1`,
      [username, kept.salt, kept.log2N, kept.hash],
    )
    return password
  })
}

/** An administrator ends the lock, having known the ARO by what the ARO Nomination Form says. */
export function unlockAccount(hands: Hands, by: Actor, username: string, given: Given): Promise<void> {
  return onAccount(hands, by, 'unlock credential', username, given, async acting => {
    await acting.client.query("UPDATE repository_user SET failures = '{}' WHERE username = $1", [username])
  })
}

/** @returns also what the password was found to agree with */
async function attempt(
  hands: Hands,
  username: string,
  password: string,
): Promise<{ user: LoggedIn; hash: Buffer }> {
  const tried = await hands.store.transaction(client => tryPassword(client, hands, username, password))
  if ('user' in tried) return tried
  if (tried.lockedUntil) {
    const until = tried.lockedUntil.toISOString()
    throw no('LOGIN_LOCKED', `until ${until}`, { until })
  }
  if (tried.unknown) await tryNothing(password, hands.rules.passwordLog2N)
  throw no('LOGIN_REFUSED')
}

interface AccountRow {
  credential: number
  party: number
  holder: number
  person: string
  kind: 'REPO_PORTAL'
  state: string
  expires_at: Date | null
  salt: Buffer
  log2n: number
  hash: Buffer
  must_change: boolean
  failures: Date[]
}

async function held(client: Client, username: string): Promise<AccountRow | undefined> {
  const { rows } = await client.query<AccountRow>(
    `SELECT l.id AS credential, l.party, l.person AS holder, p.reference AS person, l.kind, l.state, l.expires_at,
            u.salt, u.log2n, u.hash, u.must_change, u.failures
       FROM repository_user u JOIN credential_life l ON l.id = u.life JOIN person p ON p.id = l.person
      WHERE u.username = $1 FOR UPDATE OF u`,
    [username],
  )
  return rows[0]
}

type Tried = { user: LoggedIn; hash: Buffer } | { lockedUntil?: Date | undefined; unknown?: true }

async function tryPassword(client: Client, hands: Hands, username: string, password: string): Promise<Tried> {
  const account = await held(client, username)
  if (!account) return { unknown: true }
  const at = hands.clock()
  const until = lockedUntil(account.failures, at)
  if (until) return { lockedUntil: until }
  const { credential, party, person, must_change: mustChange } = account
  const note = (act: string, says: Record<string, JsonValue>) =>
    append(client, entry(act, at, { credential, party, ...says, by: { person } }))

  if (!(await isPassword({ salt: account.salt, log2N: account.log2n, hash: account.hash }, password))) {
    const failures = stillCounting([...account.failures, at], at)
    await client.query('UPDATE repository_user SET failures = $2 WHERE username = $1', [username, failures])
    const locked = lockedUntil(failures, at)
    // At most so many an hour, so whoever guesses cannot fill the journal.
    await note('wrong password', { counted: failures.length, ...(locked && { lockedUntil: locked.toISOString() }) })
    return { lockedUntil: locked }
  }
  const expired = account.expires_at !== null && account.expires_at <= at
  const inOffice = await mayHold(client, { kind: account.kind, party, person: account.holder })
  if (account.state !== 'active' || expired || !inOffice) return {}
  await note('log in', {})
  return { user: { credential, party, person, mustChange }, hash: account.hash }
}

function onAccount<T>(
  hands: Hands,
  by: Actor,
  name: 'reset password' | 'unlock credential',
  username: string,
  given: Given,
  work: (acting: Acting) => Promise<T>,
): Promise<T> {
  return actAlone(hands, by, name, undefined, {}, async acting => {
    const account = await held(acting.client, username)
    if (!account) throw no('USERNAME_UNKNOWN')
    if (account.holder === acting.by.person) throw no('OWN_AFFAIRS')
    const says = readGiven(given)
    if (says.evidence.length === 0) throw no('EVIDENCE_MISSING', 'on what the ARO was known')
    const result = await work(acting)
    await acting.note(name, { credential: account.credential, party: account.party, ...says })
    return result
  })
}

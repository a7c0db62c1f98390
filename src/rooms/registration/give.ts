/** Gives what was approved: an API key, an SSH key, an account of the portal; and says what a certificate is made from. */

import { hash } from 'node:crypto'
import { toHex } from '../../ground/bytes.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import {
  type AnyCredentialKind,
  type CredentialKindRow,
  credentialKinds,
  endStates,
} from '../../policy/registration/credentials.ts'
import { type Acting, type Actor, actAlone, type Given, type Hands, readGiven } from './act.ts'
import { requireEntitled } from './entitled.ts'
import { become, credentialRecord, heldRecord } from './life.ts'
import { keepPassword, newPassword } from './password.ts'
import { no } from './refusals.ts'

/** What an approved IKI Certificate is made from: hand it to issuance with the CSR of that digest, and no other. */
export interface ReadyCertificate {
  readonly credential: number
  readonly party: number
  readonly kind: AnyCredentialKind
  readonly role: number | undefined
  readonly systemName: string
  readonly tradingName: string
  /** Hexadecimal. */
  readonly csrSha256: string
  readonly publicKeySha256: string
}

/** @throws Refusal CREDENTIAL_STATE unless it was approved; those of `requireEntitled`; CREDENTIAL_REQUEST_UNFIT */
export async function readyCertificate(
  { store, rules }: Pick<Hands, 'store' | 'rules'>,
  id: number,
): Promise<ReadyCertificate> {
  return store.transaction(async client => {
    const record = await approved({ client, rules }, id, 'certificate')
    const { rows } = await client.query<{ request: Buffer; key: Buffer; trading_name: string }>(
      `SELECT l.request_sha256 AS request, l.key_sha256 AS key, p.trading_name
         FROM credential_life l JOIN party p ON p.id = l.party WHERE l.id = $1`,
      [id],
    )
    const { request, key, trading_name } = rows[0]!
    const { party, kind, role, systemName } = record
    const digests = { csrSha256: toHex(request), publicKeySha256: toHex(key) }
    return { credential: id, party, kind, role, systemName, tradingName: trading_name, ...digests }
  })
}

/** @returns the key, once: only its SHA-256 is kept. 43 characters, in which upper and lower case differ. */
export function giveApiKey(hands: Hands, by: Actor, id: number, given: Given = {}): Promise<string> {
  return giving(hands, by, id, 'api key', given, async ({ client, at }, party) => {
    const key = Buffer.from(hands.chance(32)).toString('base64url')
    await client.query(
      "INSERT INTO api_key (sha256, party, state, issued_at, life) VALUES ($1, $2, 'issued', $3, $4)",
      [hash('sha256', key, 'buffer'), party, at, id],
    )
    return key
  })
}

/** Enters the SSH key of the request. */
export function giveSshKey(hands: Hands, by: Actor, id: number, given: Given = {}): Promise<void> {
  return giving(hands, by, id, 'ssh key', given, async ({ client }) => {
    // A key may serve again when what it served before has ended.
    const { rows } = await client.query(
      `INSERT INTO ssh_key (sha256, life) SELECT key_sha256, id FROM credential_life WHERE id = $1
       ON CONFLICT (sha256) DO UPDATE SET life = EXCLUDED.life
         WHERE (SELECT state FROM credential_life WHERE id = ssh_key.life) = ANY($2) RETURNING life`,
      [id, endStates],
    )
    if (rows.length === 0) throw no('KEY_USED_ELSEWHERE')
  })
}

/** @returns the password, once; its holder changes it at the first login. @throws Refusal USERNAME_UNFIT, USERNAME_TAKEN */
export function giveAccount(
  hands: Hands,
  by: Actor,
  id: number,
  username: string,
  given: Given = {},
): Promise<string> {
  return giving(hands, by, id, 'password', given, async ({ client }) => {
    if (!/^[a-z0-9][a-z0-9._-]{2,63}$/.test(username)) throw no('USERNAME_UNFIT')
    const password = newPassword(hands.chance)
    const kept = await keepPassword(hands.chance, password, hands.rules.passwordLog2N)
    const { rows } = await client.query(
      `INSERT INTO repository_user (username, life, salt, log2n, hash, must_change) VALUES ($1, $2, $3, $4, $5, true)
       ON CONFLICT (username) DO NOTHING RETURNING username`,
      [username, id, kept.salt, kept.log2N, kept.hash],
    )
    if (rows.length === 0) throw no('USERNAME_TAKEN')
    return password
  })
}

/** The Party whose key that is, of the octets that the SSH protocol shows. */
export async function partyOfSshKey(
  store: Pick<Store, 'query'>,
  key: Uint8Array,
  at: Date,
): Promise<number | undefined> {
  const { rows } = await store.query<{ party: number }>(
    `SELECT l.party FROM ssh_key k JOIN credential_life l ON l.id = k.life
      WHERE k.sha256 = $1 AND l.state = 'active' AND (l.expires_at IS NULL OR l.expires_at > $2)`,
    [hash('sha256', key, 'buffer'), at],
  )
  return rows[0]?.party
}

function giving<T>(
  hands: Hands,
  by: Actor,
  id: number,
  form: CredentialKindRow['form'],
  given: Given,
  give: (acting: Acting, party: number) => Promise<T>,
): Promise<T> {
  return actAlone(hands, by, 'issue credential', undefined, { credential: id }, async acting => {
    const { client, at } = acting
    const { party } = await approved({ client, rules: hands.rules }, id, form)
    const result = await give(acting, party)
    const { repositoryCredentialDays: days } = hands.rules
    const expires = days === null ? null : new Date(at.getTime() + days * 86_400_000)
    await client.query('UPDATE credential_life SET expires_at = $2 WHERE id = $1', [id, expires])
    await become(acting, id, 'issued', readGiven(given))
    return result
  })
}

async function approved({ client, rules }: { client: Client; rules: Hands['rules'] }, id: number, form: string) {
  const record = await heldRecord(client, id)
  if (record.state !== 'approved') throw no('CREDENTIAL_STATE', record.state)
  if (credentialKinds[record.kind].form !== form) throw no('CREDENTIAL_REQUEST_UNFIT', record.kind)
  const { rows } = await client.query<{ person: number | null }>(
    'SELECT person FROM credential_life WHERE id = $1',
    [id],
  )
  await requireEntitled(client, rules.userRoles, { ...record, person: rows[0]!.person ?? undefined })
  return credentialRecord(client, id)
}

/** Credentials from request to end: requested, verified, approved, issued, in use, locked, ended (section 4). */

import { hash } from 'node:crypto'
import { fromHex } from '../../ground/bytes.ts'
import type { Client } from '../../ground/store/store.ts'
import {
  type AnyCredentialKind,
  type CredentialKindRow,
  type CredentialState,
  credentialKinds,
  endStates,
} from '../../policy/registration/credentials.ts'
import { singleActs } from '../../policy/registration/procedure.ts'
import { type Acting, type Actor, act, type Given, type Hands, readGiven, requireOffice } from './act.ts'
import { credentialTasks, endCredential, holderOf, voidTasks } from './credential-tasks.ts'
import { requireEntitled } from './entitled.ts'
import { become, type CredentialRecord, credentialRecord, heldRecord } from './life.ts'
import { partyHeld } from './party.ts'
import { personNumber } from './person.ts'
import { no } from './refusals.ts'
import { readSshKey } from './ssh-key.ts'
import { openTask } from './tasks.ts'
import { isPlainText } from './text.ts'

export interface CredentialRequest {
  readonly kind: AnyCredentialKind
  /** Absent for RA_STAFF, which is of the operator. */
  readonly party?: number | undefined
  /** The holder's reference, for the kinds that people hold. */
  readonly person?: string | undefined
  /** Remote Party Role for the OU of a certificate. */
  readonly role?: number | undefined
  /** The CN of a certificate; else what the Party calls the system or account. At most 64 characters. */
  readonly systemName: string
  /** Of a certificate: SHA-256 of the CSR and of the SubjectPublicKeyInfo in it, hexadecimal. Its form was admitted. */
  readonly csr?: { readonly sha256: string; readonly publicKeySha256: string } | undefined
  /** One line as OpenSSH writes it. */
  readonly sshKey?: string | undefined
  /** The credential that this one follows: it ends when this one is handed over. */
  readonly replaces?: number | undefined
}

/**
 * @throws Refusal CREDENTIAL_KIND_UNKNOWN, CREDENTIAL_REQUEST_UNFIT, SYSTEM_NAME_TAKEN, KEY_USED_ELSEWHERE,
 * SSH_KEY_UNFIT, and those of `requireEntitled` and `openTask`
 */
export function requestCredential(
  hands: Hands,
  by: Actor,
  request: CredentialRequest,
  given: Given = {},
): Promise<{ credential: number; task: number; digest: string }> {
  const says = { kind: request.kind, ...(request.party !== undefined && { party: request.party }) }
  return act(hands, by, { act: 'request credential', says }, async acting => {
    const { client, at } = acting
    const { key, requestSha256, sshKey } = readRequest(request)
    const party = request.kind === 'RA_STAFF' ? await operator(client) : request.party
    if (party === undefined) throw no('PARTY_UNKNOWN')
    // Holds the Party: its names and keys are looked at and taken in one go.
    await partyHeld(client, party)
    const person = request.person === undefined ? undefined : await personNumber(client, request.person)
    await requireEntitled(client, hands.rules.userRoles, { kind: request.kind, party, person, role: request.role })
    await requireNew(client, party, request, key)
    await requireReplaceable(client, party, request)
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO credential_life (party, person, kind, role, system_name, request_sha256, key_sha256, ssh_key, replaces,
         state, requested_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'requested', $10) RETURNING id`,
      [
        party,
        person ?? null,
        request.kind,
        request.role ?? null,
        request.systemName,
        requestSha256 ?? null,
        key ?? null,
        sshKey ?? null,
        request.replaces ?? null,
        at,
      ],
    )
    const { id } = rows[0]!
    const kind = request.kind === 'RA_STAFF' ? 'RA credential' : 'credential'
    const about = {
      subject: `credential ${id}`,
      party: request.kind === 'RA_STAFF' ? undefined : party,
      people: person === undefined ? [] : [person],
    }
    return { credential: id, ...(await openTask(acting, credentialTasks(hands.rules), kind, about, given)) }
  })
}

/** Requests that a credential be revoked; two others decide. `lockCredential` stops it meanwhile. */
export function requestRevocation(
  hands: Hands,
  by: Actor,
  id: number,
  given: Given,
): Promise<{ task: number; digest: string }> {
  return act(hands, by, { act: 'request revocation', says: { credential: id } }, async acting => {
    const record = await heldRecord(acting.client, id)
    const isRa = record.kind === 'RA_STAFF'
    // REG-A09: of a person's credential the person itself, its SRO, the Registration Authority, the SMKI PMA.
    const isAnothers = record.person !== undefined && (await holderOf(acting.client, id)) !== acting.by.person
    if (acting.by.as === 'ARO' && isAnothers) throw no('NOT_FOR_THIS_OFFICE', 'another person holds it')
    // What was revoked stays revoked; what was never issued is withdrawn or refused.
    if (!(['issued', 'active', 'locked'] as CredentialState[]).includes(record.state)) {
      throw no('CREDENTIAL_STATE', record.state)
    }
    const { rows } = await acting.client.query<{ id: number }>(
      "SELECT id FROM task WHERE subject = $1 AND kind LIKE 'revoke%' AND state = 'open'",
      [`credential ${id}`],
    )
    if (rows[0]) throw no('CREDENTIAL_STATE', `task ${rows[0].id} is about its revocation`)
    const about = {
      subject: `credential ${id}`,
      party: isRa ? undefined : record.party,
      people: record.person === undefined ? [] : [await holderOf(acting.client, id)],
    }
    const kind = isRa ? 'revoke RA credential' : 'revoke credential'
    return openTask(acting, credentialTasks(hands.rules), kind, about, given)
  })
}

/** The Registration Authority notes that the holder has it: from then on it opens doors, and what it replaces ends. */
export function handOver(hands: Hands, by: Actor, id: number, given: Given): Promise<CredentialRecord> {
  return alone(hands, by, 'hand over credential', id, given, async (acting, says) => {
    const { state, replaces } = await heldRecord(acting.client, id)
    // What was locked is brought back by being unlocked.
    if (state !== 'issued') throw no('CREDENTIAL_STATE', state)
    const record = await become(acting, id, 'active', says)
    if (replaces !== undefined) {
      await endCredential(acting, await credentialRecord(acting.client, replaces), `replaced by ${id}`)
    }
    return record
  })
}

/** Stops one that is in use, at once; `unlockCredential` brings it back. */
export function lockCredential(hands: Hands, by: Actor, id: number, given: Given): Promise<CredentialRecord> {
  return alone(hands, by, 'lock credential', id, given, (acting, says) => become(acting, id, 'locked', says))
}

/** @throws Refusal EVIDENCE_MISSING unless it says on what the holder was known */
export function unlockCredential(hands: Hands, by: Actor, id: number, given: Given): Promise<CredentialRecord> {
  return alone(hands, by, 'unlock credential', id, given, async (acting, says) => {
    if (says.evidence.length === 0) throw no('EVIDENCE_MISSING')
    const { state } = await heldRecord(acting.client, id)
    // One that was not handed over yet is not handed over by being unlocked.
    if (state !== 'locked') throw no('CREDENTIAL_STATE', state)
    return become(acting, id, 'active', says)
  })
}

/** A token that came back, or an account that is not needed any more. */
export function returnCredential(hands: Hands, by: Actor, id: number, given: Given): Promise<CredentialRecord> {
  return alone(hands, by, 'return credential', id, given, async (acting, says) => {
    await voidTasks(acting, id)
    return become(acting, id, 'returned', says)
  })
}

function alone<T>(
  hands: Hands,
  by: Actor,
  name: 'hand over credential' | 'lock credential' | 'unlock credential' | 'return credential',
  id: number,
  given: Given,
  work: (acting: Acting, says: { words: string; evidence: { kind: string; reference: string }[] }) => Promise<T>,
): Promise<T> {
  return act(hands, by, { act: name, says: { credential: id } }, async acting => {
    const { party } = await credentialRecord(acting.client, id)
    requireOffice(acting.by, singleActs[name], party)
    const holder = await holderOf(acting.client, id)
    // Nobody of the Registration Authority unlocks or hands over what is his own; to lock or return it is his right.
    const inward = name === 'hand over credential' || name === 'unlock credential'
    if (inward && holder === acting.by.person) throw no('OWN_AFFAIRS')
    return work(acting, readGiven(given))
  })
}

/** What the kind is made from, and nothing else. */
function readRequest(request: CredentialRequest): { key?: Buffer; requestSha256?: Buffer; sshKey?: Buffer } {
  if (!Object.hasOwn(credentialKinds, request.kind)) throw no('CREDENTIAL_KIND_UNKNOWN')
  const { form }: CredentialKindRow = credentialKinds[request.kind]
  const { csr, sshKey, role, systemName } = request
  if (!isPlainText(systemName, 64) || systemName === '') throw no('CREDENTIAL_REQUEST_UNFIT', 'systemName')
  if ((csr !== undefined) !== (form === 'certificate')) throw no('CREDENTIAL_REQUEST_UNFIT', 'CSR')
  if ((sshKey !== undefined) !== (form === 'ssh key')) throw no('CREDENTIAL_REQUEST_UNFIT', 'SSH key')
  if (role !== undefined && form !== 'certificate') throw no('CREDENTIAL_REQUEST_UNFIT', 'role')
  if (csr) {
    const digest = /^[0-9a-f]{64}$/
    if (!digest.test(csr.sha256) || !digest.test(csr.publicKeySha256)) throw no('CREDENTIAL_REQUEST_UNFIT', 'CSR')
    return { requestSha256: fromHex(csr.sha256), key: fromHex(csr.publicKeySha256) }
  }
  if (sshKey === undefined) return {}
  const octets = readSshKey(sshKey)
  return { key: hash('sha256', octets, 'buffer'), sshKey: octets }
}

/** One name and one key for one interface (APPM): the CN is unique among the Party's CSRs for it, whatever became of them. */
async function requireNew(client: Client, party: number, request: CredentialRequest, key?: Buffer): Promise<void> {
  const { form }: CredentialKindRow = credentialKinds[request.kind]
  const free = form === 'certificate' ? ['refused', 'withdrawn'] : endStates
  const named = await client.query(
    'SELECT FROM credential_life WHERE party = $1 AND kind = $2 AND system_name = $3 AND state <> ALL($4)',
    [party, request.kind, request.systemName, free],
  )
  if (named.rows.length > 0) throw no('SYSTEM_NAME_TAKEN', request.systemName)
  if (key === undefined) return
  // In turn with every other request for this key: another Party's row is not held here.
  await client.query('SELECT pg_advisory_xact_lock($1)', [key.readBigInt64BE()])
  const used = await client.query(
    `SELECT FROM credential_life WHERE key_sha256 = $1 AND state NOT IN ('refused', 'withdrawn')
        AND (party <> $2 OR kind <> $3)`,
    [key, party, request.kind],
  )
  if (used.rows.length > 0) throw no('KEY_USED_ELSEWHERE')
}

async function requireReplaceable(
  client: Client,
  party: number,
  { replaces, kind }: CredentialRequest,
): Promise<void> {
  if (replaces === undefined) return
  const former = await credentialRecord(client, replaces)
  if (former.party !== party || former.kind !== kind) throw no('CREDENTIAL_UNKNOWN', String(replaces))
}

async function operator(client: Client): Promise<number | undefined> {
  return (await client.query<{ id: number }>('SELECT id FROM party WHERE operator')).rows[0]?.id
}

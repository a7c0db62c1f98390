/** An ARO submits an Organisation CSR: it is checked, decided and put on record in one transaction. */

import { hash } from 'node:crypto'
import { type Bytes, fromHex, toHex, toHexUpper } from '../../ground/bytes.ts'
import { entry, type JsonValue } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import { type Acting, act, type Hands } from '../registration/act.ts'
import { aroPolicies, opens } from '../registration/eligible.ts'
import { type Credential, credentialOf } from '../registration/parties.ts'
import { type AdmittedOrganisation, admitOrganisation } from './admit-organisation.ts'
import type { Refuse } from './hold.ts'
import {
  type Reader,
  type SilenceRule,
  type Submission,
  submissionOf,
  submittedUnder,
  usageNumbers,
} from './organisation-csr.ts'
import { readPortalCsr } from './organisation-input.ts'
import { orRefusal, whyAnomaly, whyNotEligible } from './organisation-judge.ts'
import { refuse } from './refusals.ts'

/** From the settings: `certificates.organisationNameCharacters` and `issuing.rejectionDays`. */
export interface OrganisationRules extends SilenceRule {
  readonly organisationNameCharacters: number
}

/** The IKI Certificate of a connection: its issuer's name in DER and its serial number. */
export interface Shown {
  readonly issuer: Bytes
  readonly serial: Bytes
}

export interface Submitting {
  readonly credential: Shown
  /** As it came to the Portal: PEM or bare base64. */
  readonly csr: string
  /** The client's own mark, if it sends one: 1 to 64 letters, digits, `.`, `-`, `_`. */
  readonly reference?: string | undefined
}

/**
 * Rows 1 to 4 of service-interface.md section 3.1. What is decided of the CSR, for or against it, is the answer, on record
 * and in the journal; it is issued by the signer afterwards (`askOrganisation`).
 * @throws Refusal CREDENTIAL_NOT_FOR_THIS, NOT_IN_OFFICE, REFERENCE_UNFIT, REFERENCE_TAKEN, and what `stopped` answers:
 * then there is no record but the journal's
 */
export async function submitOrganisation(
  hands: Hands,
  rules: OrganisationRules,
  submitting: Submitting,
  stopped?: Refuse,
): Promise<Submission> {
  // 1. Who is it? What the credential says now decides, and once more below, when its holder cannot cease meanwhile.
  const { party, person } = await portalHolder(hands, submitting.credential)
  const attempt = { act: 'submit Organisation CSR', says: { party } }
  return act(hands, { person, as: 'ARO', party }, attempt, async acting => {
    const { client, at } = acting
    const credential = await openCredential(client, submitting.credential)
    const stop = await stopped?.(client, { interface: 'PORTAL_ORG', party }, at)
    if (stop) throw stop

    // 2. The same once more, because the answer was lost, is not a second one.
    const arrived = await arrivedCsr(submitting.csr)
    const before = await submittedBefore(acting, rules, party, submitting.reference, arrived.sha256)
    if (before) return before

    // 3. Form, then right, then what the key has been used for.
    const admitted = await orRefusal(() => {
      if (arrived.csr instanceof Refusal) throw arrived.csr
      return admitOrganisation(arrived.csr, rules.organisationNameCharacters)
    })
    const decision = admitted instanceof Refusal ? refused(admitted) : await judge(acting, party, person, admitted)

    // 4. On record, whatever it is.
    const asks = admitted instanceof Refusal ? undefined : admitted
    const csr = arrived.csr instanceof Refusal ? undefined : arrived.csr
    const { reference } = submitting
    const id = await keep(acting, { party, person, credential, reference, ...arrived, csr }, asks, decision)
    await acting.note(journalled[decision.state], {
      submission: String(id),
      party,
      csr: toHex(arrived.sha256),
      ...(asks && asksSays(asks)),
      ...(decision.refusal && { code: decision.refusal.code }),
    })
    return submissionOf(client, { party, id }, rules, at)
  })
}

/** How the acts stand in the journal. */
const journalled = {
  refused: 'refuse Organisation CSR',
  held: 'hold Organisation CSR',
  approved: 'approve Organisation CSR',
} as const

export function asksSays(asks: AdmittedOrganisation): Record<string, JsonValue> {
  const { eui64, role, usage, keyId } = asks
  return { eui64: eui64.toUpperCase(), role, usage, keyId: toHexUpper(keyId) }
}

/**
 * The Party and the person that a PORTAL_ORG credential stands for.
 * @throws Refusal CREDENTIAL_NOT_FOR_THIS, journalled
 */
export async function portalHolder(hands: Hands, shown: Shown): Promise<{ party: number; person: string }> {
  try {
    const { party, person } = await openCredential(hands.store, shown)
    return { party, person: person! }
  } catch (cause) {
    if (cause instanceof Refusal) {
      const says = { attempt: 'open SMKI Portal', code: cause.code, credential: toHexUpper(shown.serial) }
      await hands.store.transaction(client => append(client, entry('refused', hands.clock(), says)))
    }
    throw cause
  }
}

async function openCredential(store: Reader, { issuer, serial }: Shown): Promise<Credential> {
  const found = await credentialOf(store as Pick<Store, 'query'>, issuer, serial)
  if (!found || found.person === undefined || !opens(found, 'PORTAL_ORG')) throw refuse('CREDENTIAL_NOT_FOR_THIS')
  return found
}

/** What arrived, and by which digest it is known: that of the PKCS#10, so that its text form does not matter. */
async function arrivedCsr(text: string): Promise<{ csr: Buffer | Refusal; sha256: Buffer }> {
  const csr = await orRefusal(() => readPortalCsr(text))
  return { csr, sha256: hash('sha256', csr instanceof Refusal ? text : csr, 'buffer') }
}

async function submittedBefore(
  { client, at }: Acting,
  rules: OrganisationRules,
  party: number,
  reference: string | undefined,
  sha256: Buffer,
): Promise<Submission | undefined> {
  if (reference === undefined) return undefined
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(reference)) throw refuse('REFERENCE_UNFIT')
  // Two at one moment: the second waits for the first, and then finds it.
  await client.query('SELECT pg_advisory_xact_lock(hashtext($1), $2)', [`organisation csr ${reference}`, party])
  const before = await submittedUnder(client, party, reference, rules, at)
  if (before && before.sha256 !== toHex(sha256)) throw refuse('REFERENCE_TAKEN', reference)
  return before
}

interface Decision {
  readonly state: 'refused' | 'held' | 'approved'
  readonly refusal?: Refusal
}

const refused = (refusal: Refusal): Decision => ({ state: 'refused', refusal })

async function judge(
  { client, at, hands }: Acting,
  party: number,
  person: string,
  admitted: AdmittedOrganisation,
): Promise<Decision> {
  const aroFor = await aroPolicies(client as Pick<Store, 'query'>, person, party, at)
  const reason = await whyNotEligible(client, hands.rules, party, admitted, aroFor)
  if (reason) return refused(reason)
  // In turn with every other CSR for this key.
  await client.query('SELECT pg_advisory_xact_lock($1)', [Buffer.from(admitted.keyId).readBigInt64BE()])
  const anomaly = await whyAnomaly(client, admitted)
  return anomaly ? { state: 'held', refusal: anomaly } : { state: 'approved' }
}

async function keep(
  { client, at }: Acting,
  what: {
    readonly party: number
    readonly person: string
    readonly credential: Credential
    readonly reference: string | undefined
    readonly sha256: Buffer
    readonly csr: Buffer | undefined
  },
  asks: AdmittedOrganisation | undefined,
  { state, refusal }: Decision,
): Promise<bigint> {
  const { rows } = await client.query<{ id: bigint }>(
    `INSERT INTO organisation_csr (party, person, credential, reference, sha256, csr, received_at, eui64, role, usage,
       common_name, key_id, state, code, says, approved_at, answered_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING id`,
    [
      what.party,
      what.person,
      what.credential.life ?? null,
      what.reference ?? null,
      what.sha256,
      what.csr ?? null,
      at,
      asks ? fromHex(asks.eui64) : null,
      asks?.role ?? null,
      asks ? usageNumbers[asks.usage] : null,
      asks?.commonName ?? null,
      asks?.keyId ?? null,
      state,
      refusal?.code ?? null,
      refusal?.message ?? null,
      state === 'approved' ? at : null,
      state === 'refused' ? at : null,
    ],
  )
  return rows[0]!.id
}

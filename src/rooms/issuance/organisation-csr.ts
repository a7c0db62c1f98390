/** An Organisation CSR on record: what was asked for, what was decided, and what its Subscriber said of the Certificate. */

import { toHex } from '../../ground/bytes.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { refuse } from './refusals.ts'

export type Reader = Pick<Store, 'query'> | Client

/** held: the Registration Authority must act first. approved: every check was passed, the signer has not answered yet. */
export type SubmissionState = 'refused' | 'held' | 'approved' | 'issued'

/**
 * What the Subscriber said of an issued Certificate (L11.5 to L11.7): nothing yet, and it may still reject; accepted by
 * word; accepted because it said nothing for so long; rejected, and with that revoked.
 */
export type Acceptance = 'open' | 'accepted' | 'accepted by silence' | 'rejected'

export interface Submission {
  readonly id: bigint
  readonly party: number
  /** Reference of the ARO who submitted it. */
  readonly person: string
  /** The client's own mark. */
  readonly reference: string | undefined
  /** Of the octets of the CSR, or of the text where there was none in it; hexadecimal. */
  readonly sha256: string
  readonly receivedAt: Date
  /** What it asks for; undefined where it could not be read. */
  readonly asks:
    | {
        /** 16 lower-case hexadecimal digits. */
        readonly eui64: string
        readonly role: number
        readonly usage: 'digitalSignature' | 'keyAgreement'
        readonly commonName: string | undefined
        readonly keyId: string
      }
    | undefined
  readonly state: SubmissionState
  /** Of a refused or held one. */
  readonly refusal: { readonly code: string; readonly says: string } | undefined
  /** Receipt, as response times are measured: arrival and all checks passed. */
  readonly approvedAt: Date | undefined
  /** When the answer, certificate or refusal, was there. */
  readonly answeredAt: Date | undefined
  readonly certificate: { readonly authority: number; readonly serial: Buffer } | undefined
  readonly downloadedAt: Date | undefined
  readonly acceptance: Acceptance | undefined
  /** The last instant at which it may be rejected. */
  readonly rejectableUntil: Date | undefined
}

/** L11.7: days after its issue from which on silence is acceptance. */
export interface SilenceRule {
  readonly rejectionDays: number
}

/** @throws Refusal SUBMISSION_UNKNOWN: also for one of another Party */
export async function submissionOf(
  store: Reader,
  { party, id }: { readonly party: number; readonly id: bigint },
  rule: SilenceRule,
  now: Date,
): Promise<Submission> {
  const [found] = await list(store, 'id = $1 AND party = $2', [id, party], rule, now)
  if (!found) throw refuse('SUBMISSION_UNKNOWN')
  return found
}

/** Of one Party, newest first. */
export function submissionsOf(
  store: Reader,
  party: number,
  rule: SilenceRule,
  now: Date,
  atMost = 100,
): Promise<Submission[]> {
  return list(store, 'party = $1', [party, atMost], rule, now, 'ORDER BY id DESC LIMIT $2')
}

/** Those that the Registration Authority must act on first, of every Party, oldest first. */
export function heldSubmissions(store: Reader, rule: SilenceRule, now: Date): Promise<Submission[]> {
  return list(store, "state = 'held'", [], rule, now)
}

/** What a Party submitted under that reference. */
export async function submittedUnder(
  store: Reader,
  party: number,
  reference: string,
  rule: SilenceRule,
  now: Date,
): Promise<Submission | undefined> {
  return (await list(store, 'party = $1 AND reference = $2', [party, reference], rule, now))[0]
}

export const usageNumbers = { digitalSignature: 1, keyAgreement: 2 } as const

const dayMs = 86_400_000

interface Row {
  id: bigint
  party: number
  person: string
  reference: string | null
  sha256: Buffer
  received_at: Date
  eui64: Buffer | null
  role: number | null
  usage: number | null
  common_name: string | null
  key_id: Buffer | null
  state: SubmissionState
  code: string | null
  says: string | null
  approved_at: Date | null
  answered_at: Date | null
  authority: number | null
  serial: Buffer | null
  downloaded_at: Date | null
  accepted_at: Date | null
  rejected_at: Date | null
}

async function list(
  store: Reader,
  where: string,
  values: unknown[],
  rule: SilenceRule,
  now: Date,
  order = 'ORDER BY id',
): Promise<Submission[]> {
  const { rows } = await (store as Pick<Store, 'query'>).query<Row & Record<string, unknown>>(
    `SELECT id, party, person, reference, sha256, received_at, eui64, role, usage, common_name, key_id, state, code, says,
            approved_at, answered_at, authority, serial, downloaded_at, accepted_at, rejected_at
       FROM organisation_csr WHERE ${where} ${order}`,
    values,
  )
  return rows.map(row => submission(row, rule, now))
}

function submission(row: Row, { rejectionDays }: SilenceRule, now: Date): Submission {
  const issued = row.state === 'issued' ? row.answered_at! : undefined
  const until = issued && new Date(issued.getTime() + rejectionDays * dayMs)
  return {
    id: row.id,
    party: row.party,
    person: row.person,
    reference: row.reference ?? undefined,
    sha256: toHex(row.sha256),
    receivedAt: row.received_at,
    asks:
      row.eui64 === null
        ? undefined
        : {
            eui64: toHex(row.eui64),
            role: row.role!,
            usage: row.usage === usageNumbers.keyAgreement ? 'keyAgreement' : 'digitalSignature',
            commonName: row.common_name ?? undefined,
            keyId: toHex(row.key_id!),
          },
    state: row.state,
    refusal: row.code === null ? undefined : { code: row.code, says: row.says! },
    approvedAt: row.approved_at ?? undefined,
    answeredAt: row.answered_at ?? undefined,
    certificate: row.serial === null ? undefined : { authority: row.authority!, serial: row.serial },
    downloadedAt: row.downloaded_at ?? undefined,
    acceptance: until && acceptanceOf(row, until, now),
    rejectableUntil: until,
  }
}

function acceptanceOf(row: Row, until: Date, now: Date): Acceptance {
  if (row.rejected_at) return 'rejected'
  if (row.accepted_at) return 'accepted'
  return now <= until ? 'open' : 'accepted by silence'
}

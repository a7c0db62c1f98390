/** Issues Device Certificates, a group at a time: decide, check, write down, sign, keep. */

import { hash } from 'node:crypto'
import type { Bytes } from '../../ground/bytes.ts'
import { wholeSecond } from '../../ground/clock.ts'
import { type Entry, entry, type JsonValue } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { leafHash, rootOf } from '../../ground/journal/merkle.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Client } from '../../ground/store/store.ts'
import type { Conforming } from '../../policy/conform.ts'
import { conform } from '../../policy/conform.ts'
import type { DeviceCode } from '../../policy/smki-device/codes.ts'
import type { Wanted } from '../../policy/wanted.ts'
import type { Hands } from '../authority/issue-one.ts'
import type { Signed } from '../authority/sign.ts'
import { certifiedFor } from '../repository/holdings.ts'
import { giveUpWritten, type Intended } from '../repository/register.ts'
import { type Admitted, admit, admitAside } from './admit.ts'
import { type Decided, type DecisionRules, decide } from './decide.ts'
import type { Eligibility } from './device-eligible.ts'
import { atOnce, inTransactions, type Writing } from './inside/writing.ts'
import type { IssuingDca, IssuingDcas } from './issuing-dcas.ts'

export interface DeviceIssuing extends Hands {
  readonly authorities: IssuingDcas
  /** How groups without rows of their own are written (inside/writing.ts); one for each signer. */
  readonly writing?: Writing
  /** The signer process (signers.ts): should it end in the middle, others give up what it had written down. */
  readonly signer?: number | undefined
}

/** What a signer needs, made once and kept: numbers of signings are fetched by the dozen. */
export function deviceIssuing(hands: Hands, authorities: IssuingDcas, signer?: number): DeviceIssuing {
  return { ...hands, authorities, signer, writing: atOnce(hands.store, signer) }
}

/** What became of one request: a certificate at its position in the signing, or the code that says why not. */
export type Outcome =
  | { readonly position: number; readonly der: Buffer }
  | { readonly refusal: Refusal<DeviceCode> }

export interface Group {
  /** DER of what should be CSRs, or a refusal that was decided before. */
  readonly requests: readonly (Bytes | Refusal<DeviceCode>)[]
  /** What the nth was admitted as, or refused for, where that was seen when it came. */
  readonly admitted?: (n: number) => Admitted | Refusal<DeviceCode>
  /** Why the requester of the nth is not eligible, if so: said only of what is a CSR (service-interface 3.2, row 7). */
  readonly ineligible?: (n: number) => Refusal<DeviceCode> | undefined
  /** The same by what each Device is, asked once for all that are CSRs. */
  readonly eligibility?: Eligibility | undefined
  readonly rules: DecisionRules
  /** Stands on the journal entries: who asked, by which channel. */
  readonly says: Readonly<Record<string, JsonValue>>
  /** Runs in the transaction that writes down: the signing is named there before anything is signed. */
  readonly intending?: (client: Client, signing: bigint) => Promise<void>
  /** Runs in the transaction that keeps; without certificates, in one of its own. */
  readonly keeping?: (client: Client, outcomes: readonly Outcome[], signing: bigint | undefined) => Promise<void>
}

/**
 * A group of requests becomes certificates. What it throws is a fault: nothing of the group was issued then, unless the
 * very last commit took effect and its answer was lost; whoever asks again is told of duplicates.
 */
export async function issueDevices(hands: DeviceIssuing, group: Group): Promise<Outcome[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await issueOnce(hands, group)
    } catch (cause) {
      // Another group took the same Device ID at the same time: it is judged again, with what that one got.
      if (attempt === 5 || !isConflict(cause)) throw cause
    }
  }
}

async function issueOnce(hands: DeviceIssuing, group: Group): Promise<Outcome[]> {
  // 1. Read every request once, and decide by what is held already.
  const read = await inSlices(group.requests, (request, n) => {
    const one = group.admitted?.(n) ?? (request instanceof Refusal ? request : admitOrRefuse(request))
    return one instanceof Refusal ? one : (group.ineligible?.(n) ?? one)
  })
  const reasons = await group.eligibility?.(read.map(one => (one instanceof Refusal ? undefined : one.deviceId)))
  const admitted = read.map((one, n) => (one instanceof Refusal ? one : (reasons?.[n] ?? one)))
  const judged = await decide(
    hands.store,
    admitted.map(one => (one instanceof Refusal ? undefined : one)),
    group.rules,
  )
  const decided = judged.filter((one): one is Decided => one !== undefined && !(one instanceof Refusal))
  const refusals = (i: number) =>
    admitted[i] instanceof Refusal ? admitted[i] : (judged[i] as Refusal<DeviceCode>)
  const refusedOnly = group.requests.map((_, i): Outcome => ({ refusal: refusals(i) }))
  if (decided.length === 0) return close(hands, group, refusedOnly, undefined)

  // 2. Decide each whole certificate, and check it, before anything is written or signed.
  const moment = wholeSecond(hands.clock())
  const planned = await planAll(hands, decided, moment)

  try {
    return await issuePlanned(hands, group, { judged, decided, planned, refusals, moment })
  } catch (cause) {
    // If the store does not answer now either, the next start of the signer gives it up.
    await giveUpWritten(hands.store, moment, planned[0]!.intended).catch(() => {})
    throw cause
  }
}

interface Prepared {
  readonly judged: readonly (Decided | Refusal<DeviceCode> | undefined)[]
  readonly decided: readonly Decided[]
  readonly planned: readonly PlannedOne[]
  readonly refusals: (i: number) => Refusal<DeviceCode>
  readonly moment: Date
}

async function issuePlanned(
  hands: DeviceIssuing,
  group: Group,
  { judged, decided, planned, refusals, moment }: Prepared,
): Promise<Outcome[]> {
  // 3. Write down what is about to be signed. If we stop once signatures exist and before they are kept, this is what
  //    lets those certificates be recognised; the requests are then judged again and get other serial numbers.
  const outcomes: Outcome[] = []
  const writing = writingOf(hands, group, outcomes)
  const says = { ...group.says, count: planned.length }
  const signing = await writing.intend(
    moment,
    planned.map(one => one.intended),
    id => {
      const root = rootOf(planned.map(one => leafHash(one.conforming.tbs)))
      return entry('intend', hands.clock(), { ...says, signing: String(id), root: hex(root) })
    },
  )
  await seeKeysAlone(hands, signing, decided)

  // 4. Sign. Each signature is checked before it goes on.
  const signed = await signAll(planned)

  // 5. Keep them: from the commit on these Certificates exist and stand in the Repository, whatever fails later.
  let position = 0
  for (const [i, one] of judged.entries()) {
    const refused = one === undefined || one instanceof Refusal
    outcomes.push(refused ? { refusal: refusals(i) } : { position, der: signed[position++]!.der })
  }
  const root = rootOf(signed.map(one => leafHash(one.der)))
  const signedBy = planned[0]!.by.authority.keyStore
  const body = { ...says, signedBy, signing: String(signing), root: hex(root), lodged: true }
  const issued = entry('issue', hands.clock(), body)
  await writing.keep(
    signing,
    signed.map(one => one.signature),
    [issued, ...refusalEntries(hands, group, outcomes)],
  )
  return outcomes
}

/** A portion writes rows of its batch in the same transactions; what comes singly is written in one statement each. */
function writingOf(hands: DeviceIssuing, { intending, keeping }: Group, outcomes: readonly Outcome[]): Writing {
  if (!intending && !keeping) return hands.writing ?? atOnce(hands.store, hands.signer)
  let named: bigint | undefined
  const additions = {
    async intending(client: Client, signing: bigint) {
      named = signing
      await intending?.(client, signing)
    },
    keeping: async (client: Client) => keeping?.(client, outcomes, named),
  }
  return inTransactions(hands.store, additions, hands.signer)
}

/** As `map`, letting others have the thread every few milliseconds: a single request does not wait for a batch. */
async function inSlices<From, To>(from: readonly From[], work: (one: From, n: number) => To): Promise<To[]> {
  const to: To[] = []
  for (const [n, one] of from.entries()) {
    to.push(work(one, n))
    if (to.length % slice === 0) await pause()
  }
  return to
}

const slice = 32
const pause = () => new Promise(resolve => setImmediate(resolve))

/** In slices too: signatures of one authority are checked together. */
async function signAll(planned: readonly PlannedOne[]): Promise<Signed[]> {
  const signed: Signed[] = []
  while (signed.length < planned.length) {
    const { by } = planned[signed.length]!
    const next = planned.slice(signed.length, signed.length + slice)
    const other = next.findIndex(one => one.by !== by)
    const same = other < 0 ? next : next.slice(0, other)
    signed.push(...by.authority.signMany(same.map(one => one.conforming)))
    if (signed.length < planned.length) await pause()
  }
  return signed
}

/** As `admit`, a refusal being one of its answers. */
function admitOrRefuse(csr: Bytes): Admitted | Refusal<DeviceCode> {
  try {
    return admit(csr)
  } catch (cause) {
    return refusalIn(cause)
  }
}

/** The same while this thread does something else. */
export function admitOrRefuseAside(csr: Bytes): Promise<Admitted | Refusal<DeviceCode>> {
  return admitAside(csr).catch(refusalIn)
}

/** A fault is thrown on. */
function refusalIn(cause: unknown): Refusal<DeviceCode> {
  if (cause instanceof Refusal) return cause
  throw cause
}

interface PlannedOne {
  readonly by: IssuingDca
  readonly conforming: Conforming
  readonly intended: Intended
}

async function planAll(hands: DeviceIssuing, decided: readonly Decided[], moment: Date): Promise<PlannedOne[]> {
  const allotted = await hands.authorities.take(decided.length)
  return decided.map((request, i) => {
    const by = allotted[i]!
    const wanted: Wanted = {
      profile: by.profile,
      issuer: by.certificate,
      serial: by.serial(),
      moment,
      subject: {},
      publicKey: request.publicKey,
      keyId: request.keyId,
      usage: request.usage,
      hardwareModule: { hwType: request.hwType, hwSerialNum: request.eui64 },
    }
    const conforming = conform(by.plan(wanted), wanted)
    const intended: Intended = {
      authority: by.id,
      family: 'device',
      usage: request.usage === 'digitalSignature' ? 'DS' : 'KA',
      role: undefined,
      eui64: request.eui64,
      ordinal: request.ordinal,
      serial: wanted.serial,
      keyId: request.keyId,
      tbs: conforming.tbs,
    }
    return { by, conforming, intended }
  })
}

/**
 * What two groups certify at the same time for one key, but different Devices, neither sees when it decides; once both
 * are written down, at least one of them sees the other, and steps back before it signs.
 */
async function seeKeysAlone(hands: DeviceIssuing, signing: bigint, decided: readonly Decided[]): Promise<void> {
  const owners = new Map(decided.map(one => [hex(one.keyId), one.deviceId]))
  const others = await certifiedFor(
    hands.store,
    decided.map(one => one.keyId),
    signing,
  )
  if (others.some(one => owners.get(one.keyId) !== one.eui64)) {
    throw new KeyContended(`signing ${signing} shares a key with another`)
  }
}

class KeyContended extends Error {
  override name = 'KeyContended'
}

function isConflict(cause: unknown): boolean {
  return cause instanceof KeyContended || (cause as { code?: string }).code === '23505'
}

async function close(
  hands: DeviceIssuing,
  group: Group,
  outcomes: Outcome[],
  signing: bigint | undefined,
): Promise<Outcome[]> {
  await hands.store.transaction(async client => {
    for (const one of refusalEntries(hands, group, outcomes)) await append(client, one)
    await group.keeping?.(client, outcomes, signing)
  })
  return outcomes
}

/** What was refused can be found out too (lessons, section 2): codes and the hashes of the requests, one entry a group. */
function refusalEntries(hands: Hands, group: Group, outcomes: readonly Outcome[]): Entry[] {
  const refused = outcomes.flatMap((outcome, i) => {
    if (!('refusal' in outcome)) return []
    const request = group.requests[i]!
    const csr = request instanceof Refusal ? '' : hash('sha256', request, 'hex')
    return [`${outcome.refusal.code} ${i} ${csr}`]
  })
  // An entry holds 65,535 octets; one refusal takes some 80.
  const pieces = Array.from({ length: Math.ceil(refused.length / 500) }, (_, i) =>
    refused.slice(i * 500, (i + 1) * 500),
  )
  return pieces.map(piece => entry('refuse', hands.clock(), { ...group.says, refused: piece }))
}

function hex(octets: Bytes): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex')
}

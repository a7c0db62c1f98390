/** Issues the IKI Certificate of an approved credential: the signer's part. It may be asked again; one certificate comes. */

import { hash } from 'node:crypto'
import { type Bytes, equal, fromHex } from '../../ground/bytes.ts'
import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import type { CertificateKind } from '../../policy/registration/credentials.ts'
import type { Beside } from '../authority/issue-one.ts'
import type { Hands } from '../registration/act.ts'
import { type ReadyCertificate, readyCertificate } from '../registration/give.ts'
import { credentialRecord, heldRecord } from '../registration/life.ts'
import { no } from '../registration/refusals.ts'
import { giveUp } from '../repository/register.ts'
import type { Refuse } from './hold.ts'
import { approvedCsr, type IkiCsr, ikiProfileOf } from './iki-csr.ts'
import { issuedDer } from './organisation-issue.ts'
import { orRefusal } from './organisation-judge.ts'
import { type By, issueIki } from './single.ts'

/** The Issuing ICA, and its two profiles by name. */
export interface IkiIssuing extends Omit<By, 'profile'> {
  profileNamed(name: ReturnType<typeof ikiProfileOf>): By['profile']
}

/**
 * Issues the certificate of an approved credential request from the CSR whose digest was approved with it. From the moment
 * that the CSR is on record the certificate comes to be, whoever stops in between; it is `issued`, and opens its one
 * interface once it was handed over.
 * @returns the certificate, DER, also when it was issued before from this CSR; or why there is none, journalled
 */
export async function issueCredential(
  hands: Hands,
  by: IkiIssuing,
  { credential, csr }: { readonly credential: number; readonly csr: Bytes },
  stopped?: Refuse,
): Promise<Buffer | Refusal> {
  const before = await issuedBefore(hands, by, credential, csr)
  if (before) return before
  try {
    // 1. Approved, still entitled, and this CSR?
    const found = await orRefusal(async () => {
      const ready = await readyCertificate(hands, credential)
      return { ready, csr: approvedCsr(ready, csr) }
    })
    if (found instanceof Refusal) return await refused(hands, credential, csr, found)

    // 2. On record: if we stop from here on, the next start issues it.
    await record(hands, credential, csr)
    const about = { party: found.ready.party, authority: by.record.id }
    const stop = await stopped?.(hands.store, about, hands.clock())
    if (stop) return stop

    // 3. Written down, signed and kept, with the registration record in the same transaction.
    return await issue(hands, by, found.ready, found.csr)
  } catch (cause) {
    // It took effect, and its answer was lost; or another issued it meanwhile.
    const after = await issuedBefore(hands, by, credential, csr)
    if (after) return after
    if (cause instanceof Refusal) return refused(hands, credential, csr, cause)
    throw cause
  }
}

/** CSRs on record without a certificate, oldest first. */
export async function unansweredCredentials(
  store: Pick<Store, 'query'>,
  before: Date,
): Promise<{ credential: number; csr: Buffer }[]> {
  const { rows } = await store.query<{ credential: number; csr: Buffer }>({
    name: 'unanswered_credentials',
    text: 'SELECT credential, csr FROM iki_csr WHERE answered_at IS NULL AND received_at <= $1 ORDER BY credential',
    values: [before],
  })
  return rows
}

async function issuedBefore(
  { store, clock }: Hands,
  by: IkiIssuing,
  credential: number,
  csr: Bytes,
): Promise<Buffer | undefined> {
  const { rows } = await store.query<{ csr: Buffer }>('SELECT csr FROM iki_csr WHERE credential = $1', [credential])
  if (!rows[0] || !equal(rows[0].csr, csr)) return undefined
  const { certificate } = await credentialRecord(store, credential)
  return certificate && issuedDer(store, { authority: by.record.id, serial: fromHex(certificate.serial) }, clock())
}

async function record(hands: Hands, credential: number, csr: Bytes): Promise<void> {
  const at = hands.clock()
  await hands.store.transaction(async client => {
    // Held: nobody issues or ends it meanwhile.
    const { state } = await heldRecord(client, credential)
    if (state !== 'approved') throw no('CREDENTIAL_STATE', state)
    // One that was answered with a refusal, and may be issued by now, waits again.
    const { rowCount } = await client.query(
      `INSERT INTO iki_csr (credential, csr, received_at) VALUES ($1, $2, $3)
       ON CONFLICT (credential) DO UPDATE SET received_at = $3, answered_at = NULL WHERE iki_csr.answered_at IS NOT NULL`,
      [credential, csr, at],
    )
    if (rowCount === 1) await append(client, entry('admit IKI CSR', at, { credential, csr: digest(csr) }))
  })
}

async function issue(hands: Hands, by: IkiIssuing, ready: ReadyCertificate, { admitted }: IkiCsr): Promise<Buffer> {
  const { party, role, systemName, tradingName, credential: life } = ready
  const kind = ready.kind as CertificateKind
  const request = { party, kind, role, systemName, tradingName, life, publicKey: admitted.publicKey }
  const profile = by.profileNamed(ikiProfileOf(kind))
  const certificate = await issueIki(hands, { ...by, profile }, request, recordOf(hands, life))
  return Buffer.from(certificate.der)
}

function recordOf(hands: Hands, credential: number): Beside {
  let own: bigint | undefined
  return {
    // Names the signing; what an earlier try had written down and not kept is given up, and cannot be kept any more.
    async intending(client, signing) {
      await takeOver(client, hands.clock(), credential, signing)
      own = signing
    },
    async keeping(client) {
      const { rowCount } = await client.query(
        'UPDATE iki_csr SET answered_at = $3 WHERE credential = $1 AND signing = $2 AND answered_at IS NULL',
        [credential, own, hands.clock()],
      )
      if (rowCount !== 1) throw new CredentialTaken(`credential ${credential} was issued by another`)
    },
  }
}

class CredentialTaken extends Error {
  override name = 'CredentialTaken'
}

async function takeOver(client: Client, at: Date, credential: number, signing: bigint): Promise<void> {
  const { rows } = await client.query<{ signing: bigint | null }>(
    'SELECT signing FROM iki_csr WHERE credential = $1 AND answered_at IS NULL FOR UPDATE',
    [credential],
  )
  if (!rows[0]) throw new CredentialTaken(`credential ${credential} was issued by another`)
  if (rows[0].signing !== null) await giveUp(client, at, [rows[0].signing])
  await client.query('UPDATE iki_csr SET signing = $2 WHERE credential = $1', [credential, signing])
}

/** In the journal; a CSR on record whose credential came to its end is answered by that. */
async function refused(hands: Hands, credential: number, csr: Bytes, refusal: Refusal): Promise<Refusal> {
  const at = hands.clock()
  await hands.store.transaction(async client => {
    await append(client, entry('refuse IKI CSR', at, { credential, csr: digest(csr), code: refusal.code }))
    await client.query(
      'UPDATE iki_csr SET answered_at = $3 WHERE credential = $1 AND csr = $2 AND answered_at IS NULL',
      [credential, csr, at],
    )
  })
  return refusal
}

const digest = (csr: Bytes): string => hash('sha256', csr, 'hex')

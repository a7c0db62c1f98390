/** Issues a single certificate: the whole procedure, for authorities themselves, Organisations and the IKI. */

import { hash } from 'node:crypto'
import type { Bytes } from '../../ground/bytes.ts'
import { toHexUpper } from '../../ground/bytes.ts'
import { type Chance, type Clock, wholeSecond } from '../../ground/clock.ts'
import { Der } from '../../ground/der/read.ts'
import { entry, type JsonValue } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { type Certificate, readCertificate } from '../../ground/x509/certificate.ts'
import { keyIdentifier, readPublicKey } from '../../ground/x509/key.ts'
import { conform } from '../../policy/conform.ts'
import type { Wanted } from '../../policy/wanted.ts'
import { giveUpWritten, type Intended, intend, keep, type Slot, type Usage } from '../repository/register.ts'
import { planFor } from './plan.ts'
import { serialNumbers } from './serial.ts'
import type { Authority } from './sign.ts'

/** What issuing needs of the world. */
export interface Hands {
  readonly store: Store
  readonly clock: Clock
  readonly chance: Chance
}

/** Where the certificate stands in the register. */
export interface Place {
  readonly authority: number
  readonly role?: number
  /** 8 octets, with the ordinal that it takes. */
  readonly eui64?: Bytes
  readonly ordinal?: number
}

export type Decided = Omit<Wanted, 'issuer' | 'serial' | 'moment'>

/** What a caller writes of its own in the two transactions. */
export interface Beside {
  /** In the transaction that writes down: the signing is named there before anything is signed. */
  readonly intending?: (client: Client, signing: bigint) => Promise<void>
  /** In the transaction that keeps the certificate. */
  readonly keeping?: (client: Client, certificate: Certificate) => Promise<void>
}

/**
 * @param says goes into the journal beside what every issue says: whom it is for, and on what grounds.
 * @param also runs in the transaction that keeps the certificate; or what runs in each of the two.
 */
export async function issueOne(
  hands: Hands,
  by: Authority,
  decided: Decided,
  place: Place,
  says: Readonly<Record<string, JsonValue>>,
  also: Beside | NonNullable<Beside['keeping']> = {},
): Promise<Certificate> {
  const beside = typeof also === 'function' ? { keeping: also } : also
  // 1. Decide the whole certificate, and check it, before anything is written or signed.
  const moment = wholeSecond(hands.clock())
  const wanted: Wanted = { ...decided, issuer: by.certificate, serial: serialNumbers(hands.chance)(), moment }
  const conforming = conform(planFor(decided.profile, by.certificate)(wanted), wanted)

  // 2. Write down what is about to be signed. If we stop once the signature exists and before it is kept, this is what
  //    lets the certificate be recognised.
  const slot = slotFor(by, wanted)
  const keyId = keyIdentifier(readPublicKey(new Der(wanted.publicKey)).key)
  const what = {
    authority: place.authority,
    certificate: decided.profile.name,
    serial: toHexUpper(wanted.serial),
    ...says,
  }
  const intended: Intended = {
    authority: place.authority,
    family: decided.profile.family,
    usage: usageOf(wanted),
    role: place.role,
    eui64: place.eui64,
    ordinal: place.ordinal,
    serial: wanted.serial,
    keyId,
    tbs: conforming.tbs,
  }
  try {
    const signing = await hands.store.transaction(async client => {
      const id = await intend(client, moment, slot, [intended])
      await append(client, entry('intend', hands.clock(), { ...what, signing: String(id) }))
      await beside.intending?.(client, id)
      return id
    })

    // 3. Sign.
    const { signature, der } = by.sign(conforming)
    const certificate = readCertificate(der)

    // 4. Keep it: the certificate exists now, and stands in the Repository, whatever fails later.
    await hands.store.transaction(async client => {
      await keep(client, signing, slot, [signature])
      await append(
        client,
        entry('issue', hands.clock(), {
          ...what,
          signedBy: by.keyStore,
          signing: String(signing),
          sha256: fingerprint(der),
        }),
      )
      await beside.keeping?.(client, certificate)
    })
    return certificate
  } catch (cause) {
    // If the store does not answer now either, the next start of the signer gives it up.
    await giveUpWritten(hands.store, moment, intended).catch(() => {})
    throw cause
  }
}

function slotFor(by: Authority, { profile }: Wanted): Slot {
  const kind = by.certificate === 'self' ? profile.key : by.certificate.publicKey.kind
  return kind === 'P-256' ? 72 : 512
}

function usageOf({ usage }: Wanted): Usage {
  return usage === 'digitalSignature' ? 'DS' : usage === 'keyAgreement' ? 'KA' : '-'
}

function fingerprint(der: Bytes): string {
  return hash('sha256', der, 'hex')
}

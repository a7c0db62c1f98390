/** Who stands at a ceremony or runs a recovery: an officer, known by the credential in his hands as a door would know him. */

import { readFileSync } from 'node:fs'
import { equal } from '../ground/bytes.ts'
import { verifier } from '../ground/keystore/check.ts'
import { readKeyPair } from '../ground/keystore/pair.ts'
import { Refusal } from '../ground/refusal.ts'
import type { Store } from '../ground/store/store.ts'
import { type Certificate, readCertificate } from '../ground/x509/certificate.ts'
import { readPemOrDer } from '../ground/x509/pem.ts'
import type { Office } from '../policy/registration/offices.ts'
import { authorities } from '../rooms/authority/register.ts'
import type { Hands, Officer } from '../rooms/registration/act.ts'
import { callerOf } from '../rooms/registration/caller.ts'

export interface CredentialHere {
  /** Paths of PEM files. */
  readonly certificate: string
  readonly key: string
}

/**
 * The officer whose key and certificate these are: the certificate is of our IKI, the key is that of the certificate, and
 * the record says in which offices it lets its holder act now.
 * @throws Refusal CREDENTIAL_NOT_KNOWN, CREDENTIAL_OTHER_DOOR, CREDENTIAL_NOT_IN_USE, NOT_IN_OFFICE, OFFICE_UNCLEAR,
 * KEY_UNUSABLE
 */
export async function officerHere(
  { store, clock }: Pick<Hands, 'store' | 'clock'>,
  files: CredentialHere,
  office?: string,
): Promise<Officer> {
  const certificate = certificateIn(files.certificate)
  const pair = readKeyPair(readFileSync(files.key))
  if (!equal(pair.publicKey, certificate.publicKey.spki))
    throw new Refusal('CREDENTIAL_NOT_KNOWN', `${files.key} is not the key of ${files.certificate}`)
  await requireOurs(store, certificate)
  const peer = {
    issuer: certificate.issuer.der,
    serial: certificate.serial,
    notAfter: new Date(certificate.notAfter.ms),
  }
  const caller = await callerOf(
    store,
    peer,
    clock(),
    (code, particular) => new Refusal(code, particular ?? says[code]),
  )
  const as = office === undefined ? onlyOf(caller.offices) : caller.offices.find(one => one === office)
  if (!as) throw new Refusal('NOT_IN_OFFICE', `with this credential you act as ${caller.offices.join(', ')}`)
  return { person: caller.person, as, ...(caller.party !== undefined && { party: caller.party }) }
}

const says = {
  CREDENTIAL_NOT_KNOWN: 'the certificate is no credential that is on record here',
  CREDENTIAL_OTHER_DOOR: 'a credential of that kind lets nobody act here',
  CREDENTIAL_NOT_IN_USE: 'the credential is not in use',
} as const

function onlyOf(offices: readonly Office[]): Office {
  if (offices.length === 1) return offices[0]!
  throw new Refusal('OFFICE_UNCLEAR', `say in which office you act (--office): ${offices.join(', ')}`)
}

/** The first certificate of a file. @throws NotPem, NotDer */
export function certificateIn(path: string): Certificate {
  const [der] = readPemOrDer(readFileSync(path), ['CERTIFICATE'])
  return readCertificate(der!)
}

/** A certificate with such a name and number that others have signed is nobody's. @throws Refusal CREDENTIAL_NOT_KNOWN */
export async function requireOurs(store: Pick<Store, 'query'>, certificate: Certificate): Promise<void> {
  const issuer = (await authorities(store)).find(
    one => one.pki === 'iki' && equal(one.certificate.subject.der, certificate.issuer.der),
  )
  const isOurs = issuer && verifier(issuer.certificate.publicKey.spki)(certificate.tbs, certificate.signature)
  if (!isOurs) throw new Refusal('CREDENTIAL_NOT_KNOWN', 'the certificate is not of the IKI of this environment')
}

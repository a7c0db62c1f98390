/** The certificates of a Party that could be revoked: what a deferral defers, and what a duty to revoke is about. */

import type { Client, Store } from '../../ground/store/store.ts'
import { authorities } from '../authority/register.ts'
import { credentialRecords } from '../registration/life.ts'
import { type CertificateRef, organisationCertificates } from './inside/below.ts'
import { asStore, issuerDigest } from './object.ts'

type Reader = Pick<Store, 'query'> | Client

/** Organisation and IKI Certificates of a Party that are neither revoked nor expired nor of a credential that ended. */
export async function certificatesOfParty(store: Reader, party: number, at: Date): Promise<CertificateRef[]> {
  const organisation = await organisationCertificates(store, party, at)
  return [...organisation, ...(await credentialCertificates(store, party, at))]
}

async function credentialCertificates(store: Reader, party: number, at: Date): Promise<CertificateRef[]> {
  const known = await authorities(asStore(store as Client))
  const byName = new Map(known.map(one => [issuerDigest(one).toString('hex'), one.id]))
  return (await credentialRecords(store, party)).flatMap(({ certificate, endedAt, expiresAt, kind }) => {
    const authority = certificate && byName.get(certificate.issuer)
    // The Registration Authority's own are of the operator, and of no supplier.
    if (!certificate || authority === undefined || endedAt || kind === 'RA_STAFF') return []
    if (expiresAt && expiresAt < at) return []
    return [{ authority, serial: certificate.serial }]
  })
}

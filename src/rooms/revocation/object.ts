/** What a request to revoke is about: the certificate, whose it is, who holds it, and which kind of thing that makes it. */

import { hash } from 'node:crypto'
import { fromHex, toHex } from '../../ground/bytes.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { type Certificate, readCertificate } from '../../ground/x509/certificate.ts'
import { attributeText } from '../../ground/x509/name.ts'
import { oids } from '../../ground/x509/names.ts'
import type { RevocableObject } from '../../policy/revocation/objects.ts'
import type { Schedules } from '../../policy/revocation/schedules.ts'
import { type AuthorityRecord, authorities } from '../authority/register.ts'
import { holderOf } from '../registration/credential-tasks.ts'
import { credentialOf } from '../registration/parties.ts'
import { findBySerials, type Lodged } from '../repository/find.ts'
import { type CertificateRef, ownerAt } from './inside/below.ts'
import { no } from './refusals.ts'

export type { CertificateRef } from './inside/below.ts'

/** A certificate that may be revoked, with all that its case needs to know. */
export interface Revocable {
  readonly object: RevocableObject
  readonly ref: CertificateRef
  readonly authority: AuthorityRecord
  readonly certificate: Certificate
  readonly sha256: Buffer
  readonly expiresAt: Date
  readonly party: number | undefined
  /** Number of the credential's record from request to end. */
  readonly credential: number | undefined
  /** The number of the person who holds it. */
  readonly holder: number | undefined
  /** Of a CA: the authority that this is the certificate of. */
  readonly ca: AuthorityRecord | undefined
}

/**
 * Finds what is to be revoked.
 * @param ref serial numbers have 16 octets here, written as 32 hexadecimal digits
 * @throws Refusal CERTIFICATE_UNKNOWN, DEVICE_NEVER_REVOKED, ROOT_NOT_LISTED, NOT_LISTED, ALREADY_REVOKED,
 * CERTIFICATE_EXPIRED
 */
export async function revocableAt(
  client: Client,
  schedules: Schedules,
  ref: CertificateRef,
  at: Date,
): Promise<Revocable> {
  const lodged = await lodgedAt(client, ref, at)
  if (lodged.family === 'device') throw no('DEVICE_NEVER_REVOKED')
  const known = await authorities(asStore(client))
  const authority = known.find(one => one.id === lodged.authority)
  if (!authority || lodged.family === 'tls') throw no('NOT_LISTED')
  const ca = known.find(one => Buffer.compare(one.certificate.der, lodged.der) === 0)
  if (ca?.level === 'root') throw no('ROOT_NOT_LISTED')
  if (!schedules(authority)) throw no('NOT_LISTED', authority.part)
  if (lodged.status === 'R') throw no('ALREADY_REVOKED')
  if (lodged.status === 'E') throw no('CERTIFICATE_EXPIRED')

  const certificate = readCertificate(lodged.der)
  const owned = await owner(client, lodged, authority, certificate)
  return {
    ...owned,
    ref: { authority: authority.id, serial: toHex(lodged.serial) },
    authority,
    certificate,
    sha256: hash('sha256', lodged.der, 'buffer'),
    expiresAt: new Date(certificate.notAfter.ms),
    ca,
  }
}

/** The certificate of that authority and serial number, of whatever family. @throws Refusal CERTIFICATE_UNKNOWN */
export async function lodgedAt(client: Client, { authority, serial }: CertificateRef, at: Date): Promise<Lodged> {
  if (!/^[0-9a-fA-F]{32}$/.test(serial)) throw no('CERTIFICATE_UNKNOWN')
  const found = await findBySerials(asStore(client), [fromHex(serial)], at)
  const lodged = found.find(one => one.authority === authority)
  if (!lodged) throw no('CERTIFICATE_UNKNOWN')
  return lodged
}

/** The subject by which decisions of the SMKI PMA name a certificate. */
export function subjectOf({ authority, serial }: CertificateRef): string {
  return `certificate:${authority}:${serial.toLowerCase()}`
}

/** SHA-256 of an authority's name: how registration records whose certificate a credential is. */
export function issuerDigest(authority: AuthorityRecord): Buffer {
  return hash('sha256', authority.certificate.subject.der, 'buffer')
}

/** A client asks single statements as a store does. */
export function asStore(client: Client): Pick<Store, 'query'> {
  return client as unknown as Pick<Store, 'query'>
}

type Owned = Pick<Revocable, 'object' | 'party' | 'credential' | 'holder'>

async function owner(
  client: Client,
  lodged: Lodged,
  authority: AuthorityRecord,
  certificate: Certificate,
): Promise<Owned> {
  const nobody = { party: undefined, credential: undefined, holder: undefined }
  switch (lodged.family) {
    case 'ca':
      return { object: 'CA', ...nobody }
    case 'organisation':
      return { object: 'organisation', ...nobody, party: await ownerAt(client, lodged.eui64!, lodged.issuedAt) }
    case 'dccki': {
      // OU is the EUI-64 (certificates.md section 7).
      const eui64 = unitOf(certificate)
      const party = /^[0-9A-Fa-f]{16}$/.test(eui64) ? await ownerAt(client, eui64, lodged.issuedAt) : undefined
      return { object: 'DCCKI', ...nobody, party }
    }
    case 's1spki':
      return { object: 'S1SPKI', ...nobody }
    default:
      return ofCredential(client, lodged, authority)
  }
}

async function ofCredential(client: Client, { serial }: Lodged, authority: AuthorityRecord): Promise<Owned> {
  const record = await credentialOf(asStore(client), authority.certificate.subject.der, serial)
  const life = record?.life
  return {
    object: record?.kind === 'RA_STAFF' ? 'RA staff' : 'iki',
    party: record?.party,
    credential: life,
    holder: life === undefined || record?.person === undefined ? undefined : await holderOf(client, life),
  }
}

function unitOf({ subject }: Certificate): string {
  const unit = subject.rdns.flat().find(({ oid }) => oid === oids.organizationalUnitName)
  return (unit && attributeText(unit)) ?? ''
}

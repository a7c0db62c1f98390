/** Whose credential that is: from the certificate of a connection to its record, the person, and the offices held now. */

import type { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import type { CertificateKind } from '../../policy/registration/credentials.ts'
import type { Office } from '../../policy/registration/offices.ts'
import { officesOf } from './nominations.ts'
import { type Credential, credentialOf } from './parties.ts'
import { no } from './refusals.ts'

/** The certificate of a connection, whose chain and lists the handshake has checked. */
export interface Peer {
  /** Its issuer's name, DER. */
  readonly issuer: Uint8Array
  readonly serial: Uint8Array
  readonly notAfter: Date
}

/** A person, known by a credential, in the offices in which that credential lets him act. */
export interface Caller {
  /** Reference. */
  readonly person: string
  readonly credential: Credential
  /** The certificate of the connection, as rooms look it up once more within their act. */
  readonly shown: { readonly issuer: Uint8Array; readonly serial: Uint8Array }
  readonly notAfter: Date
  readonly offices: readonly Office[]
  /** The Party he is an officer of; undefined for the Registration Authority and the SMKI PMA. */
  readonly party: number | undefined
}

/** The offices that a credential of each kind lets its holder act in; kinds that are not here open other doors. */
const officesByKind: Partial<Record<CertificateKind, readonly Office[]>> = {
  RA_STAFF: ['RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER'],
  PORTAL_ORG: ['ARO', 'SRO'],
  PORTAL_DEVICE: ['ARO', 'SRO'],
}

type Code = 'CREDENTIAL_NOT_KNOWN' | 'CREDENTIAL_OTHER_DOOR' | 'CREDENTIAL_NOT_IN_USE'

/**
 * The record, one look-up by issuer and serial, and the offices are read anew each time: what ended a moment ago opens
 * nothing, on open connections too.
 * @param refuse the door's own words for its codes
 * @param turnedAway is told of a credential that is on record and opens nothing
 * @throws Refusal CREDENTIAL_NOT_KNOWN, CREDENTIAL_OTHER_DOOR, CREDENTIAL_NOT_IN_USE, NOT_IN_OFFICE
 */
export async function callerOf(
  store: Pick<Store, 'query'>,
  { issuer, serial, notAfter }: Peer,
  at: Date,
  refuse: (code: Code, particular?: string) => Refusal,
  turnedAway: (credential: Credential, refusal: Refusal) => Promise<Refusal> = async (_, refusal) => refusal,
): Promise<Caller> {
  const credential = await credentialOf(store, issuer, serial)
  if (!credential) throw refuse('CREDENTIAL_NOT_KNOWN')
  const { kind, state, person } = credential
  const mayActAs = officesByKind[kind]
  if (!mayActAs || person === undefined) throw await turnedAway(credential, refuse('CREDENTIAL_OTHER_DOOR', kind))
  // The handshake looked at the time, but a connection may outlive the certificate.
  const found = state === 'active' && notAfter < at ? 'expired' : state
  if (found !== 'active') throw await turnedAway(credential, refuse('CREDENTIAL_NOT_IN_USE', `it is ${found}`))
  const { party, offices } = await standingOf(store, credential, at)
  if (offices.length === 0) throw await turnedAway(credential, no('NOT_IN_OFFICE', mayActAs.join(', ')))
  return { person, credential, shown: { issuer, serial }, notAfter, offices, party }
}

/** For whom the holder of a credential stands, and in which offices held at that moment; a system holds none. */
export async function standingOf(
  store: Pick<Store, 'query'>,
  { kind, person, party: of }: Pick<Credential, 'kind' | 'person' | 'party'>,
  at: Date,
): Promise<Pick<Caller, 'party' | 'offices'>> {
  const party = kind === 'RA_STAFF' ? undefined : of
  const held = person === undefined ? [] : await officesOf(store, person, at)
  const mayActAs = officesByKind[kind] ?? []
  return { party, offices: mayActAs.filter(as => held.some(one => one.office === as && one.party === party)) }
}

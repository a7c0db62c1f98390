/** Who is there: from the certificate of the connection to its record, the person, and the offices held at this moment. */

import type { TLSSocket } from 'node:tls'
import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { Refusal } from '../../ground/refusal.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import type { CertificateKind } from '../../policy/registration/credentials.ts'
import type { Office } from '../../policy/registration/offices.ts'
import { officesOf } from '../../rooms/registration/nominations.ts'
import { type Credential, credentialOf } from '../../rooms/registration/parties.ts'
import { no } from '../../rooms/registration/refusals.ts'
import type { OperatorDoor } from './door.ts'
import { refuse } from './refusals.ts'

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
export const officesByKind: Partial<Record<CertificateKind, readonly Office[]>> = {
  RA_STAFF: ['RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER'],
  PORTAL_ORG: ['ARO', 'SRO'],
  PORTAL_DEVICE: ['ARO', 'SRO'],
}

interface Peer {
  readonly issuer: Uint8Array
  readonly serial: Uint8Array
  readonly notAfter: Date
}

/**
 * Finds the caller of a connection. The handshake has checked chain and lists. The record, one look-up by issuer and
 * serial, and the offices are read anew for every request: what ended a moment ago opens nothing, on open connections
 * too.
 * @throws Refusal CREDENTIAL_NOT_KNOWN, CREDENTIAL_OTHER_DOOR, CREDENTIAL_NOT_IN_USE, NOT_IN_OFFICE
 */
export function callers(door: OperatorDoor): (socket: TLSSocket) => Promise<Caller> {
  const peers = new WeakMap<TLSSocket, Peer>()
  const turnAway = turningAway(door)
  return async socket => {
    const peer = peers.get(socket) ?? identify(socket)
    if (!peer) throw refuse('CREDENTIAL_NOT_KNOWN')
    peers.set(socket, peer)
    const credential = await credentialOf(door.store, peer.issuer, peer.serial)
    if (!credential) throw refuse('CREDENTIAL_NOT_KNOWN')
    const { kind, state, person } = credential
    const mayActAs = officesByKind[kind]
    if (!mayActAs || person === undefined) throw await turnAway(credential, refuse('CREDENTIAL_OTHER_DOOR', kind))
    const at = door.clock()
    // The handshake looked at the time, but a connection may outlive the certificate.
    const found = state === 'active' && peer.notAfter < at ? 'expired' : state
    if (found !== 'active') throw await turnAway(credential, refuse('CREDENTIAL_NOT_IN_USE', `it is ${found}`))
    const party = kind === 'RA_STAFF' ? undefined : credential.party
    const held = (await officesOf(door.store, person, at)).filter(one => one.party === party)
    const offices = mayActAs.filter(office => held.some(one => one.office === office))
    if (offices.length === 0) throw await turnAway(credential, no('NOT_IN_OFFICE', mayActAs.join(', ')))
    const { issuer, serial, notAfter } = peer
    return { person, credential, shown: { issuer, serial }, notAfter, offices, party }
  }
}

function identify(socket: TLSSocket): Peer | undefined {
  const peer = socket.authorized ? socket.getPeerX509Certificate() : undefined
  if (!peer) return undefined
  const { issuer, serial, notAfter } = readCertificate(peer.raw)
  return { issuer: issuer.der, serial, notAfter: new Date(notAfter.ms) }
}

/** So often at most a credential that is turned away stands in the journal: its holder must not be able to fill it. */
const againMs = 3_600_000
const mostRemembered = 10_000

/** A credential that no longer opens this door, and is tried: on record, once an hour for each reason. */
function turningAway(door: OperatorDoor) {
  const last = new Map<string, number>()
  return async (credential: Credential, refusal: Refusal): Promise<Refusal> => {
    const { kind, party, life, person } = credential
    door.log.warn({ code: refusal.code, kind, party, credential: life }, 'a credential was turned away')
    const at = door.clock()
    const key = `${refusal.message} ${party} ${kind} ${life} ${credential.systemName}`
    if (at.getTime() - (last.get(key) ?? Number.NEGATIVE_INFINITY) < againMs) return refusal
    if (last.size >= mostRemembered) last.clear()
    last.set(key, at.getTime())
    const says = {
      attempt: 'come in',
      code: refusal.code,
      party,
      kind,
      ...(life !== undefined && { credential: life }),
      ...(person !== undefined && { holder: person }),
    }
    await door.store.transaction(client => append(client, entry('refused', at, says)))
    return refusal
  }
}

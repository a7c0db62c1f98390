/** Who is there: from the certificate of the connection to the Party or the office that it stands for, at this moment. */

import type { TLSSocket } from 'node:tls'
import { equal, toHex } from '../../ground/bytes.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import type { Body } from '../../policy/documents/document-set.ts'
import type { Office } from '../../policy/registration/offices.ts'
import { authorities } from '../../rooms/authority/register.ts'
import { requests } from '../../rooms/issuance/profiled-request.ts'
import { type Peer, standingOf } from '../../rooms/registration/caller.ts'
import { credentialOf } from '../../rooms/registration/parties.ts'
import { isMarkedRevoked } from '../../rooms/repository/revoked.ts'
import type { DcckiWorld } from './door.ts'
import { refuse } from './refusals.ts'

export interface Caller {
  /** Of a Party's system or officer; undefined for the Registration Authority and the SMKI PMA. */
  readonly party: number | undefined
  /** Reference; undefined of a system. */
  readonly person: string | undefined
  /** Held now, among those that the credential lets him act in. */
  readonly offices: readonly Office[]
  /** As whom he reads documents: a Party reads what the public reads. */
  readonly reader: Body | 'public'
}

/**
 * Finds the caller of a connection. The handshake has checked chain and lists; what is on record is read anew for every
 * request, so that what ended a moment ago opens nothing, on open connections too.
 * @throws Refusal CREDENTIAL_NOT_KNOWN
 */
export function callers(world: DcckiWorld): (socket: TLSSocket) => Promise<Caller> {
  const peers = new WeakMap<TLSSocket, Peer>()
  return async socket => {
    const peer = peers.get(socket) ?? identify(socket)
    if (!peer || peer.notAfter < world.clock()) throw refuse('CREDENTIAL_NOT_KNOWN')
    peers.set(socket, peer)
    return (await byCredential(world, peer)) ?? (await byInfrastructure(world, peer))
  }
}

function identify(socket: TLSSocket): Peer | undefined {
  const peer = socket.authorized ? socket.getPeerX509Certificate() : undefined
  if (!peer) return undefined
  const { issuer, serial, notAfter } = readCertificate(peer.raw)
  return { issuer: issuer.der, serial, notAfter: new Date(notAfter.ms) }
}

/** An IKI credential: of an officer, or of a system of a Party. */
async function byCredential({ store, clock }: DcckiWorld, peer: Peer): Promise<Caller | undefined> {
  const found = await credentialOf(store, peer.issuer, peer.serial)
  if (!found) return undefined
  if (found.state !== 'active') throw refuse('CREDENTIAL_NOT_KNOWN', `it is ${found.state}`)
  const { person } = found
  const { party, offices } = await standingOf(store, found, clock())
  // Whoever has left his office is nobody here, though his credential was not ended yet.
  if (person !== undefined && offices.length === 0)
    throw refuse('CREDENTIAL_NOT_KNOWN', 'its holder is not in office')
  return { party, person, offices, reader: readerOf(party, offices) }
}

function readerOf(party: number | undefined, offices: readonly Office[]): Body | 'public' {
  if (party !== undefined) return 'public'
  return offices.includes('RA_MANAGER') || offices.includes('RA_PERSONNEL') ? 'DCC' : 'SMKI PMA'
}

/** A DCCKI Infrastructure Certificate: of the Subscriber that it was issued to. */
async function byInfrastructure({ store }: DcckiWorld, { issuer, serial }: Peer): Promise<Caller> {
  const eii = (await authorities(store)).find(
    one => one.pki === 'dccki' && one.level === 'issuing' && equal(one.certificate.subject.der, issuer),
  )
  const issued = eii ? await requests(store, { pki: 'dccki', serial: toHex(serial) }) : []
  const own = issued.find(one => one.certificate?.authority === eii!.id && (one.asks?.names.length ?? 0) > 0)
  if (!own || (await isMarkedRevoked(store, own.certificate!))) throw refuse('CREDENTIAL_NOT_KNOWN')
  return { party: own.party, person: undefined, offices: [], reader: 'public' }
}

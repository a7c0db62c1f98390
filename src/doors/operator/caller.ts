/** Who is there: from the certificate of the connection to its record, the person, and the offices held at this moment. */

import type { TLSSocket } from 'node:tls'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { type Caller, callerOf, type Peer } from '../../rooms/registration/caller.ts'
import { turningAway } from '../../rooms/registration/turned-away.ts'
import type { OperatorDoor } from './door.ts'
import { refuse } from './refusals.ts'

export type { Caller } from '../../rooms/registration/caller.ts'

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
    return callerOf(door.store, peer, door.clock(), refuse, turnAway)
  }
}

function identify(socket: TLSSocket): Peer | undefined {
  const peer = socket.authorized ? socket.getPeerX509Certificate() : undefined
  if (!peer) return undefined
  const { issuer, serial, notAfter } = readCertificate(peer.raw)
  return { issuer: issuer.der, serial, notAfter: new Date(notAfter.ms) }
}

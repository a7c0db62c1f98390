/** A bare TLS echo with the service's own settings, in a process of its own: what the line itself can carry. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { type ClientTrust, type ServerCredentials, tlsOptions } from '../../src/ground/http/listen.ts'
import { answerParent } from '../child.ts'

export interface EchoOrder {
  readonly server: ServerCredentials
  readonly clients: ClientTrust
}

async function listen({ server, clients }: EchoOrder): Promise<number> {
  const options = tlsOptions(server, { tls13: false }, clients)
  const echo = createServer({ ...options, requestCert: true, rejectUnauthorized: true, noDelay: true }, socket => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  return (echo.address() as AddressInfo).port
}

answerParent(listen)

/** Bodies that come too slowly: whoever sends an octet now and then holds a connection, and is cut. */

import type { IncomingMessage, Server } from 'node:http'

export interface Patience {
  /** So long nothing is asked of a body: a head has as long. */
  readonly graceSeconds: number
  /** From then on it must have brought, in the mean, so many octets a second; 0 is any. */
  readonly octetsPerSecond: number
}

/** A slow modem is faster; at it the longest form without a file takes four and a half minutes. */
export const ordinaryOctetsPerSecond = 500

/**
 * Looks at every body that is coming, often enough to cut a slow one within a second or a tenth of the grace. Only the
 * time in which we were waiting for the client counts: what it has sent and we have not read yet is no fault of its.
 */
export function cutSlowBodies(server: Server, { graceSeconds, octetsPerSecond }: Patience): void {
  if (octetsPerSecond === 0) return
  const coming = new Map<IncomingMessage, Coming>()
  const everySeconds = Math.min(1, graceSeconds / 10)
  const look = () => {
    for (const [request, one] of coming) {
      if (request.readableLength > 0 || request.isPaused()) continue
      one.waited += everySeconds
      const due = (one.waited - graceSeconds) * octetsPerSecond
      if (due > 0 && request.socket.bytesRead - one.before < due) request.socket.destroy()
    }
  }
  let timer: NodeJS.Timeout | undefined
  server.on('request', (request: IncomingMessage) => {
    const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers
    if (length === '0' && encoding === undefined) return
    coming.set(request, { before: request.socket.bytesRead, waited: 0 })
    timer ??= setInterval(look, everySeconds * 1000).unref()
    const over = () => coming.delete(request)
    request.once('end', over)
    request.once('close', over)
  })
  server.once('close', () => clearInterval(timer))
}

interface Coming {
  readonly before: number
  /** Seconds. */
  waited: number
}

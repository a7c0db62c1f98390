/** Carries a session over a channel: answers in the order of the requests, and no more of either than somebody takes. */

import type { Socket } from 'node:net'
import type { ServerChannel } from 'ssh2'
import { packetReader } from './packets.ts'
import type { Session } from './session.ts'

/** Requests that wait: what comes above that is left with the client. Defends memory. */
const mostWaiting = 256
/** Octets on their way to one client: what comes above that waits until it takes them. Defends memory. */
const mostUnsent = 1 << 18

/**
 * Ends the channel when the client has said its last word and has heard our last answer, or when what it says is not
 * SFTP. Without that, OpenSSH's client waits for ever.
 * @param onUse each request
 * @param onFault why a channel was ended from here
 */
export function converse(
  channel: ServerChannel,
  socket: Socket,
  session: Session,
  { onUse, onFault }: { onUse: () => void; onFault: (fault: string) => void },
): void {
  const read = packetReader()
  const waiting: Buffer[] = []
  let working = false
  let said = false
  let over = false

  const finish = (status: 0 | 1) => {
    if (over) return
    over = true
    waiting.length = 0
    channel.exit(status)
    channel.end()
    channel.resume()
  }

  const fail = (cause: unknown) => {
    if (!over) onFault((cause as Error).message)
    finish(1)
  }

  async function work(): Promise<void> {
    working = true
    for (let packet = waiting.shift(); packet && !over; packet = waiting.shift()) {
      onUse()
      const answer = await session.answer(packet)
      if (over) break
      await written(channel, answer)
      await drained(socket)
      if (waiting.length < mostWaiting) channel.resume()
    }
    working = false
    if (said && waiting.length === 0) finish(0)
  }

  channel.on('data', (octets: Buffer) => {
    if (over) return
    try {
      waiting.push(...read(octets))
    } catch (cause) {
      fail(cause)
      return
    }
    if (waiting.length >= mostWaiting) channel.pause()
    if (!working) work().catch(fail)
  })
  channel.on('end', () => {
    said = true
    if (!working) finish(0)
  })
  channel.on('error', fail)
}

/** Resolves when the client's window took it; never, when the channel is gone, and then nothing holds what waits here. */
function written(channel: ServerChannel, octets: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.write(octets, cause => (cause ? reject(cause) : resolve()))
  })
}

function drained(socket: Socket): Promise<void> | undefined {
  if (socket.writableLength <= mostUnsent || socket.destroyed) return undefined
  return new Promise(resolve => {
    const go = () => {
      socket.off('drain', go)
      socket.off('close', go)
      resolve()
    }
    socket.on('drain', go)
    socket.on('close', go)
  })
}

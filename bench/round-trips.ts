/** Clients of a door over TLS, one connection each: every one sends its next message when the last was answered. */

import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { nth } from './bench.ts'

/** Whether what came is the whole answer. @throws Error when the answer is not what it should be */
export type Whole = (came: Buffer, sent: Buffer) => boolean

export const isEchoed: Whole = (came, sent) => came.length >= sent.length

/** 200, and as long as it says. */
export const isAnswered: Whole = came => {
  const head = came.indexOf('\r\n\r\n')
  if (head < 0) return false
  const text = came.toString('latin1', 0, head)
  if (!text.startsWith('HTTP/1.1 200 ')) throw new Error(`the Repository answered: ${text}`)
  return came.length >= head + 4 + Number(/content-length: (\d+)/i.exec(text)![1])
}

export interface RoundTrips {
  readonly port: number
  /** PEM of whom the server's certificate chains to. */
  readonly ca: Buffer
  readonly connections: number
  /** Messages in all; they begin again where they end. */
  readonly count: number
  readonly messages: readonly Buffer[]
  readonly whole: Whole
}

export interface Rate {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

export async function roundTrips({ port, ca, connections, count, messages, whole }: RoundTrips): Promise<Rate> {
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' })
      socket.setNoDelay(true)
      await once(socket, 'secureConnect')
      return socket
    }),
  )
  const times: number[] = []
  let next = 0
  const began = performance.now()
  await Promise.all(
    sockets.map(async socket => {
      while (next < count) times.push(await roundTrip(socket, messages[next++ % messages.length]!, whole))
    }),
  )
  const seconds = (performance.now() - began) / 1000
  for (const socket of sockets) socket.destroy()
  return { perSecond: count / seconds, p50: nth(times, 0.5), p99: nth(times, 0.99) }
}

/** One request and its answer, milliseconds. @throws when the door closes the connection, and what `whole` throws */
export function roundTrip(socket: TLSSocket, message: Buffer, whole: Whole): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    let came: Buffer = Buffer.alloc(0)
    const done = (settle: () => void) => {
      socket.removeAllListeners('data').removeAllListeners('error').removeAllListeners('close')
      settle()
    }
    socket.on('error', cause => done(() => reject(cause)))
    socket.on('close', () => done(() => reject(new Error('the door closed a connection'))))
    socket.on('data', (part: Buffer) => {
      came = came.length === 0 ? part : Buffer.concat([came, part])
      try {
        if (whole(came, message)) done(() => resolve(performance.now() - began))
      } catch (cause) {
        done(() => reject(cause))
      }
    })
    socket.write(message)
  })
}

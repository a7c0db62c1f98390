/** The S1SP's line to a Device: TCP, APDUs in wrappers. What comes over it proves nothing by itself. */

import { connect, type Socket } from 'node:net'
import type { Bytes } from '../../../ground/bytes.ts'
import { type Wrapped, wrapperReader, writeWrapped } from '../../../ground/dlms/wrapper.ts'
import { no } from './refusals.ts'

/** Where a Device is reached. */
export interface Address {
  readonly host: string
  readonly port: number
  /** Its logical device: the destination wPort. */
  readonly server: number
}

/** No answer came: whether the Device acted on what it was sent is not known. */
export class LineBroken extends Error {
  override readonly name = 'LineBroken'
}

export interface Line {
  /** Sends an APDU from that client address, and waits for the answer. @throws LineBroken */
  exchange(client: number, apdu: Bytes): Promise<Bytes>
  close(): void
}

/** @throws Refusal DEVICE_UNREACHABLE */
export type Dial = (address: Address, maxPdu: number) => Promise<Line>

/** Lines over TCP, with patience in milliseconds. */
export function tcpDial(patience: { readonly connectMs: number; readonly replyMs: number }): Dial {
  return async (address, maxPdu) => {
    const socket = await connected(address, patience.connectMs)
    return lineOver(socket, address.server, maxPdu, patience.replyMs)
  }
}

function connected({ host, port }: Address, ms: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    const fail = (why: string) => {
      socket.destroy()
      reject(no('DEVICE_UNREACHABLE', why))
    }
    const timer = setTimeout(() => fail('no connection in time'), ms)
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      fail(cause.code ?? 'no connection')
    })
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

function lineOver(socket: Socket, server: number, maxPdu: number, replyMs: number): Line {
  const reader = wrapperReader(Math.max(maxPdu, 1024))
  let waiting: { client: number; take: (apdu: Bytes) => void; fail: (cause: Error) => void } | undefined
  let broken: LineBroken | undefined

  const breakOff = (why: string) => {
    broken ??= new LineBroken(why)
    socket.destroy()
    waiting?.fail(broken)
    waiting = undefined
  }
  socket.on('error', cause => breakOff(cause.message))
  socket.on('close', () => breakOff('the Device closed the connection'))
  socket.on('data', (chunk: Buffer) => {
    let found: Wrapped[]
    try {
      found = reader.push(chunk)
    } catch (cause) {
      return breakOff((cause as Error).message)
    }
    for (const { source, destination, apdu } of found) {
      // What nobody waits for, or is for somebody else, is no answer.
      if (!waiting || source !== server || destination !== waiting.client) continue
      waiting.take(apdu)
      waiting = undefined
    }
  })
  return {
    exchange(client, apdu) {
      if (broken) return Promise.reject(broken)
      if (waiting) return Promise.reject(new Error('one APDU at a time is on a line'))
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => breakOff('no answer in time'), replyMs)
        const settle = <T>(then: (value: T) => void) => {
          return (value: T) => {
            clearTimeout(timer)
            then(value)
          }
        }
        waiting = { client, take: settle(resolve), fail: settle(reject) }
        socket.write(writeWrapped({ source: client, destination: server, apdu }))
      })
    },
    close() {
      broken ??= new LineBroken('the line was closed')
      socket.end()
      socket.destroy()
    },
  }
}

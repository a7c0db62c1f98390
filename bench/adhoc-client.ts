/** Clients of the Ad Hoc web service, in a process of their own: connections that are kept, requests that are made before. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { type Many, makeMany } from '../simulator/batch.ts'
import { answerParent } from './child.ts'
import { roundTrip, type Whole } from './round-trips.ts'

export type Question =
  | {
      readonly do: 'make'
      readonly path: string
      /** Each round asks once for every Device: no Device is asked for twice at a time. */
      readonly rounds: readonly Many[]
    }
  | {
      readonly do: 'measure'
      /** `credentials/<party>` of an environment. */
      readonly folder: string
      readonly port: number
      /** `echo`: what comes back is what was sent, and may be sent again. */
      readonly to: 'service' | 'echo'
      readonly connections: number
      readonly seconds: number
      /** Requests to send at most. */
      readonly atMost: number
    }

export interface Measured {
  readonly answers: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

const requests: Buffer[] = []
let next = 0

async function make(path: string, rounds: readonly Many[]): Promise<number> {
  for (const round of rounds) {
    for await (const { csr } of makeMany(round)) {
      const body =
        `<?xml version="1.0" encoding="UTF-8"?><DeviceCertificateSigningRequest ID="bench-${requests.length}">` +
        `<Version>1.0</Version><CertificateSigningRequest>${csr.toString('base64')}</CertificateSigningRequest>` +
        '</DeviceCertificateSigningRequest>'
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml;charset=UTF-8\r\n`
      requests.push(Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`))
    }
  }
  return requests.length
}

async function measure(asked: Question & { do: 'measure' }): Promise<Measured> {
  const { to, seconds, atMost } = asked
  const sockets = await Promise.all(Array.from({ length: asked.connections }, () => dial(asked)))
  const times: number[] = []
  const whole = to === 'echo' ? isEchoed : isIssued
  const last = to === 'echo' ? Number.POSITIVE_INFINITY : Math.min(next + atMost, requests.length)
  let echo = 0
  const take = () => (to === 'echo' ? requests[echo++ % requests.length]! : requests[next++]!)
  const began = performance.now()
  const until = began + seconds * 1000
  await Promise.all(
    sockets.map(async socket => {
      while (next < last && performance.now() < until) times.push(await roundTrip(socket, take(), whole))
    }),
  )
  const took = performance.now() - began
  for (const socket of sockets) socket.destroy()
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!
  return { answers: times.length, perSecond: (times.length * 1000) / took, p50: at(0.5), p99: at(0.99) }
}

async function dial({ folder, port }: { folder: string; port: number }): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    key: readFileSync(join(folder, 'adhoc-ws.key.pem')),
    cert: readFileSync(join(folder, 'adhoc-ws.crt.pem')),
    ca: readFileSync(join(folder, 'server-ca.crt.pem')),
    minVersion: 'TLSv1.2',
  })
  socket.setNoDelay(true)
  await once(socket, 'secureConnect')
  return socket
}

const isEchoed: Whole = (came, sent) => came.length >= sent.length

const isIssued: Whole = came => {
  const head = came.indexOf('\r\n\r\n')
  if (head < 0) return false
  const length = /content-length: (\d+)/i.exec(came.toString('latin1', 0, head))?.[1]
  if (length === undefined || came.length < head + 4 + Number(length)) {
    if (length === undefined) throw new Error(`the service answered: ${came.toString()}`)
    return false
  }
  if (came.indexOf('<Status>SUCCESS</Status><Certificate>', head) < 0)
    throw new Error(`the service answered: ${came.toString()}`)
  return true
}

answerParent((question: Question) =>
  question.do === 'make' ? make(question.path, question.rounds) : measure(question),
)

/** What an attacker knows of the service, and the connections that every attack is made of. */

import { readFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'

export interface Target {
  /** By the names that the service gives them. */
  readonly ports: Readonly<Record<string, number>>
  /** A folder with the credentials of a Party: the attacker may be one. */
  readonly credentials: string
  readonly adHocPath: string
  readonly batchPath: string
}

/** What an attack did, and what became of it. */
export interface Tally {
  /** Connections that were begun. */
  opened: number
  /** Of them, those that the service ended. */
  ended: number
  /** Requests that were written whole. */
  sent: number
  /** Answers by their HTTP status. */
  readonly answers: Record<string, number>
  /** Most connections that were open at a time. */
  most: number
}

export const emptyTally = (): Tally => ({ opened: 0, ended: 0, sent: 0, answers: {}, most: 0 })

/** Where an attack comes from: loopback has many addresses, so one machine can be a hundred. */
export type From = (index: number) => string

export const fromOne: From = () => '127.0.0.2'
export const fromMany: From = index => `127.0.${3 + (index % 200)}.1`

/** An attack while it lasts. */
export class Attack {
  readonly target: Target
  readonly tally = emptyTally()
  readonly signal: AbortSignal
  readonly #open = new Set<Socket>()
  readonly #from: From

  constructor(target: Target, from: From, signal: AbortSignal) {
    this.target = target
    this.#from = from
    this.signal = signal
  }

  get open(): number {
    return this.#open.size
  }

  /** TCP alone. Its end is counted, its faults are what was to be expected. */
  tcp(port: string, onData?: (octets: Buffer) => void): Socket {
    const { opened } = this.tally
    return this.#held(
      connectTcp({ host: '127.0.0.1', port: this.target.ports[port]!, localAddress: this.#from(opened) }),
      onData,
    )
  }

  /** TLS, with the credential of that name or without any. */
  tls(port: string, credential?: string, options: ConnectionOptions = {}): TLSSocket {
    const { opened } = this.tally
    // Of Node's options for TCP, which a TLS connection takes too.
    const where = { host: '127.0.0.1', port: this.target.ports[port]!, localAddress: this.#from(opened) }
    return this.#held(
      connectTls({
        ...where,
        servername: 'localhost',
        ca: this.#file('server-ca.crt.pem'),
        ...(credential !== undefined && {
          key: this.#file(`${credential}.key.pem`),
          cert: this.#file(`${credential}.crt.pem`),
        }),
        ...options,
      }),
      octets => {
        for (const [, status] of octets.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3}) /g))
          this.tally.answers[status!] = (this.tally.answers[status!] ?? 0) + 1
      },
    )
  }

  async sleep(ms: number): Promise<void> {
    if (this.signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    const stop = () => resolve()
    this.signal.addEventListener('abort', stop, { once: true })
    await promise
    clearTimeout(timer)
    this.signal.removeEventListener('abort', stop)
  }

  /** Keeps so many connections open until the attack is over: what ends is begun again, a few at a time. */
  async keep(many: number, begin: (index: number) => Socket): Promise<void> {
    const mine = new Set<Socket>()
    for (let index = 0; !this.signal.aborted; ) {
      // Not all in one breath: the attacker's own loop has to go round, and a stronger attack comes back faster.
      for (let some = 0; some < Math.max(1, many / 50) && mine.size < many; some++) {
        const socket = begin(index++)
        mine.add(socket)
        socket.once('close', () => mine.delete(socket))
      }
      await this.sleep(mine.size < many ? 10 : 100)
    }
  }

  end(): void {
    for (const socket of this.#open) socket.destroy()
  }

  readonly #files = new Map<string, Buffer>()
  #file(name: string): Buffer {
    const known = this.#files.get(name) ?? readFileSync(join(this.target.credentials, name))
    this.#files.set(name, known)
    return known
  }

  #held<S extends Socket>(socket: S, onData: (octets: Buffer) => void = () => {}): S {
    this.tally.opened++
    this.#open.add(socket)
    this.tally.most = Math.max(this.tally.most, this.#open.size)
    socket.on('error', () => {})
    socket.on('data', onData)
    socket.once('close', () => {
      this.#open.delete(socket)
      if (!this.signal.aborted) this.tally.ended++
    })
    return socket
  }
}

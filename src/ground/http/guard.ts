/** Who keeps a connection when there are many: so many of one address, new ones at a pace, and room for whoever asks. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What a listener lets one stranger take of it. */
export interface Crowd {
  /** Connections at a time, of all. */
  readonly connections: number
  /** Of them, from one address; from one network of 64 bits in IPv6, which is what one host is given there. */
  readonly connectionsOfAddress: number
  /** New connections a second from one address; in a burst, those of five seconds. A handshake costs a signature. */
  readonly newOfAddress: number
}

export const ordinaryCrowd = { connectionsOfAddress: 500, newOfAddress: 100 } as const

/**
 * Guards a server, whose listeners must be there by now. A connection that is one too many of its address, or came too fast, is closed before anything is
 * read of it. When all places are taken, a newcomer gets that of the connection that has been there longest without a
 * request, and only if there is none is it turned away: whoever opens thousands and says nothing loses them. One that
 * sends many requests without waiting for answers loses its connection.
 * @param now milliseconds that only grow
 */
export function guard(server: Server, crowd: Crowd, now: () => number = () => performance.now()): void {
  const held = new Set<Held>()
  /** By the socket that requests come on: of TLS another than the one that was accepted. */
  const bySocket = new WeakMap<Socket, Held>()
  /** Between the two, for as long as the handshake takes. */
  const byName = new Map<string, Held>()
  /** In the order in which they came: those that nobody has asked anything on yet, and those between two requests. */
  const silent = new Set<Held>()
  const idle = new Set<Held>()
  const addresses = new Map<string, Address>()

  // Closing takes the runtime a moment; the backstop only holds what it has not closed yet.
  server.maxConnections = crowd.connections + 512

  const drop = (one: Held) => {
    release(one)
    one.upper?.destroy()
    one.socket.destroy()
  }
  const release = (one: Held) => {
    if (!held.delete(one)) return
    // The same port may be another's by now.
    if (byName.get(one.name) === one) byName.delete(one.name)
    silent.delete(one)
    idle.delete(one)
    one.address.open--
    forget(addresses, one.address, crowd, now())
  }

  const admits = (socket: Socket): boolean => {
    const address = addressOf(addresses, socket, crowd, now())
    if (address.open >= crowd.connectionsOfAddress || !address.mayCome(crowd, now())) {
      forget(addresses, address, crowd, now())
      return false
    }
    if (held.size >= crowd.connections) {
      const longest = silentest(silent) ?? idle.values().next().value
      if (longest) drop(longest)
      else {
        forget(addresses, address, crowd, now())
        return false
      }
    }
    const one: Held = { name: nameOf(socket), socket, upper: undefined, address, under: 0 }
    address.open++
    held.add(one)
    bySocket.set(socket, one)
    byName.set(one.name, one)
    silent.add(one)
    socket.once('close', () => release(one))
    return true
  }
  // Before TLS has spent anything on it.
  const others = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (admits(socket)) for (const other of others) other.call(server, socket)
    else socket.destroy()
  })
  server.on('secureConnection', (socket: Socket) => {
    const one = byName.get(nameOf(socket))
    if (!one) return
    byName.delete(one.name)
    one.upper = socket
    bySocket.set(socket, one)
  })
  // Before anybody reads on: what comes in one breath would all be begun at once.
  const readers = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[]
  server.removeAllListeners('request')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const one = bySocket.get(request.socket)
    if (one) {
      // The rest of the breath of one that was dropped.
      if (!held.has(one)) return
      if (one.under >= mostUnderWay) {
        drop(one)
        return
      }
      one.under++
      silent.delete(one)
      idle.delete(one)
      response.once('close', () => {
        if (--one.under === 0 && held.has(one)) idle.add(one)
      })
    }
    for (const reader of readers) reader.call(server, request, response)
  })
}

/** The one that has been there longest of those that have not said a word, then of those that began a handshake. */
function silentest(silent: ReadonlySet<Held>): Held | undefined {
  let looked = 0
  for (const one of silent) {
    if (one.socket.bytesRead === 0) return one
    // Whoever is honest says something at once: among so many of the oldest there would be a mute one.
    if (++looked === 64) break
  }
  return silent.values().next().value
}

/** Requests that one connection may send before it has the answers: no client of ours sends a second. */
export const mostUnderWay = 4

interface Held {
  /** Address and port: a TLS connection and the TCP connection below it have the same. */
  readonly name: string
  readonly socket: Socket
  /** The TLS connection over it, once its handshake is done. */
  upper: Socket | undefined
  readonly address: Address
  /** Requests that are not answered. */
  under: number
}

const nameOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`

/** Connections of one address, and how many more may come at this moment. */
class Address {
  readonly name: string
  open = 0
  #left: number
  #at: number

  constructor(name: string, left: number, at: number) {
    this.name = name
    this.#left = left
    this.#at = at
  }

  mayCome(crowd: Crowd, now: number): boolean {
    this.#refill(crowd, now)
    if (this.#left < 1) return false
    this.#left--
    return true
  }

  /** Whether nothing is left to be remembered of it. */
  isFresh(crowd: Crowd, now: number): boolean {
    this.#refill(crowd, now)
    return this.open === 0 && this.#left >= burstOf(crowd)
  }

  #refill(crowd: Crowd, now: number): void {
    this.#left = Math.min(burstOf(crowd), this.#left + ((now - this.#at) / 1000) * crowd.newOfAddress)
    this.#at = now
  }
}

const burstOf = ({ newOfAddress }: Crowd) => 5 * newOfAddress

/** As many addresses are remembered: defends memory against whoever has a whole network. */
const mostAddresses = 10_000

function addressOf(addresses: Map<string, Address>, socket: Socket, crowd: Crowd, now: number): Address {
  const name = networkOf(socket.remoteAddress ?? '')
  const known = addresses.get(name)
  if (known) return known
  if (addresses.size >= mostAddresses)
    for (const one of addresses.values()) if (one.open === 0) addresses.delete(one.name)
  const made = new Address(name, burstOf(crowd), now)
  addresses.set(name, made)
  return made
}

function forget(addresses: Map<string, Address>, address: Address, crowd: Crowd, now: number): void {
  if (address.isFresh(crowd, now)) addresses.delete(address.name)
}

/** An IPv4 address as it is, also where it is written as one of IPv6; of IPv6 the first 64 bits. */
export function networkOf(address: string): string {
  const four = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (four !== undefined) return four
  const [before = '', after] = address.replace(/%.*$/, '').split('::')
  const groups = before === '' ? [] : before.split(':')
  const behind = after === undefined || after === '' ? [] : after.split(':')
  const zeros = after === undefined ? 0 : 8 - groups.length - behind.length
  const all = [...groups, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...behind]
  return all
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')
}

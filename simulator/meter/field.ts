/** Many simulated meters in one process, on TCP ports, each APDU in a wrapper (dlms.md section 2). */

import { createServer, type Server, type Socket } from 'node:net'
import type { Meter, Reply, Session } from './meter.ts'

/** Where a meter is reached. */
export interface MeterAddress {
  readonly host: string
  readonly port: number
  /** The wPort of its logical device. */
  readonly server: number
}

export interface Field {
  /** In the order of the meters. */
  readonly addresses: readonly MeterAddress[]
  /** Every connection breaks, and nobody listens any more. */
  close(): Promise<void>
}

export interface FieldOptions {
  readonly host?: string
  /**
   * Ports that they share, told apart by logical device; `own` gives each meter a port of its own and its logical device
   * the address that the model says, as on a real network; a list names those ports, one for each meter.
   */
  readonly ports?: number | 'own' | readonly number[]
}

/** Octets of a wrapper, and the longest APDU that a meter waits for. */
const header = 8
const longest = 4096

export async function startField(meters: readonly Meter[], options: FieldOptions = {}): Promise<Field> {
  const { host = '127.0.0.1', ports = 1 } = options
  const sockets = new Set<Socket>()
  const own = typeof ports !== 'number'
  const groups = own ? meters.map(meter => [meter]) : shares(meters, ports)
  const listening: Server[] = []
  const addresses = new Map<Meter, MeterAddress>()
  for (const [nth, group] of groups.entries()) {
    const byServer = new Map(group.map((meter, i) => [own ? meter.model.serverAddress : i + 1, meter] as const))
    const server = createServer({ noDelay: true }, socket => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      serve(socket, byServer)
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port: typeof ports === 'object' ? ports[nth]! : 0, host, backlog: 1024 }, resolve)
    })
    listening.push(server)
    const { port } = server.address() as { port: number }
    for (const [address, meter] of byServer) addresses.set(meter, { host, port, server: address })
  }
  return {
    addresses: meters.map(meter => addresses.get(meter)!),
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all(listening.map(server => new Promise(resolve => server.close(resolve))))
    },
  }
}

function shares(meters: readonly Meter[], ports: number): Meter[][] {
  const each = Math.ceil(meters.length / ports)
  return Array.from({ length: Math.ceil(meters.length / each) }, (_, i) => meters.slice(i * each, (i + 1) * each))
}

function serve(socket: Socket, meters: ReadonlyMap<number, Meter>): void {
  const sessions = new Map<number, Session>()
  let rest: Buffer = Buffer.alloc(0)
  // A head-end that goes away is no fault of ours.
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= header) {
      const length = rest.readUInt16BE(6)
      if (rest.readUInt16BE(0) !== 1 || length === 0 || length > longest) return void socket.destroy()
      if (rest.length < header + length) return
      const [client, server] = [rest.readUInt16BE(2), rest.readUInt16BE(4)]
      const apdu = rest.subarray(header, header + length)
      rest = rest.subarray(header + length)
      const meter = meters.get(server)
      if (!meter?.reachable) return void socket.destroy()
      const session: Session = sessions.get(server) ?? new Map()
      sessions.set(server, session)
      const reply = meter.receive(session, client, apdu)
      if (reply === 'close') return void socket.destroy()
      if (reply !== 'silence') socket.write(wrapped(server, client, reply))
    }
  })
}

function wrapped(source: number, destination: number, apdu: Exclude<Reply, string>): Buffer {
  const out = Buffer.alloc(header + apdu.length)
  out.writeUInt16BE(1)
  out.writeUInt16BE(source, 2)
  out.writeUInt16BE(destination, 4)
  out.writeUInt16BE(apdu.length, 6)
  apdu.copy(out, header)
  return out
}

/** SFTP version 3 on the wire (draft-ietf-secsh-filexfer-02): packets out of octets, requests out of packets. */

/** What is asked, as far as a folder that nobody may change can be asked. */
export type Request = { readonly id: number } & (
  | { readonly ask: 'open'; readonly path: string; readonly flags: number }
  | { readonly ask: 'read'; readonly handle: string; readonly offset: bigint; readonly length: number }
  | { readonly ask: 'close' | 'fstat' | 'readdir'; readonly handle: string }
  | { readonly ask: 'stat' | 'opendir' | 'realpath'; readonly path: string }
  /** Whatever would change something, and links. */
  | { readonly ask: 'change' }
  | { readonly ask: 'unknown' }
  | { readonly ask: 'malformed' }
)

/** Octets that are no packets: there is nothing to answer to. */
export class NotSftp extends Error {
  override readonly name = 'NotSftp'
}

/** Section 3: what every server takes; ours needs no more, for it takes no file. */
export const longestPacket = 34_000

/** A reader that is given octets as they come, and gives back the packets that are complete, without their lengths. */
export function packetReader(): (octets: Buffer) => Buffer[] {
  let kept: Buffer = Buffer.alloc(0)
  return octets => {
    kept = kept.length === 0 ? octets : Buffer.concat([kept, octets])
    const packets: Buffer[] = []
    while (kept.length >= 4) {
      const length = kept.readUInt32BE()
      if (length < 1 || length > longestPacket) throw new NotSftp(`a packet of ${length} octets`)
      if (kept.length < 4 + length) break
      packets.push(kept.subarray(4, 4 + length))
      kept = kept.subarray(4 + length)
    }
    return packets
  }
}

/** The version that the client speaks. @throws NotSftp unless it is the packet that comes first, and only then */
export function readInit(packet: Buffer): number {
  if (packet[0] !== types.init || packet.length < 5) throw new NotSftp('no SSH_FXP_INIT')
  return packet.readUInt32BE(1)
}

/** @throws NotSftp for a packet without a request's identifier */
export function readRequest(packet: Buffer): Request {
  if (packet.length < 5 || packet[0] === types.init) throw new NotSftp('no request')
  const id = packet.readUInt32BE(1)
  const fields = new Fields(packet, 5)
  try {
    return { id, ...read(packet[0]!, fields) }
  } catch (cause) {
    if (cause instanceof RangeError) return { id, ask: 'malformed' }
    throw cause
  }
}

type Distributed<T> = T extends unknown ? Omit<T, 'id'> : never

function read(type: number, fields: Fields): Distributed<Request> {
  switch (type) {
    case types.open:
      // The attributes that follow are those of a file to be made.
      return { ask: 'open', path: fields.text(), flags: fields.number() }
    case types.close:
      return { ask: 'close', handle: fields.last(fields.handle()) }
    case types.read: {
      const handle = fields.handle()
      const offset = fields.large()
      return { ask: 'read', handle, offset, length: fields.last(fields.number()) }
    }
    case types.fstat:
      return { ask: 'fstat', handle: fields.last(fields.handle()) }
    case types.readdir:
      return { ask: 'readdir', handle: fields.last(fields.handle()) }
    // There are no links: what a name stands for is itself.
    case types.lstat:
    case types.stat:
      return { ask: 'stat', path: fields.last(fields.text()) }
    case types.opendir:
      return { ask: 'opendir', path: fields.last(fields.text()) }
    case types.realpath:
      return { ask: 'realpath', path: fields.last(fields.text()) }
    default:
      return { ask: changing.has(type) ? 'change' : 'unknown' }
  }
}

const types = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  lstat: 7,
  fstat: 8,
  opendir: 11,
  readdir: 12,
  realpath: 16,
  stat: 17,
} as const

/** WRITE, SETSTAT, FSETSTAT, REMOVE, MKDIR, RMDIR, RENAME, READLINK, SYMLINK. */
const changing: ReadonlySet<number> = new Set([6, 9, 10, 13, 14, 15, 18, 19, 20])

/** Fields of a packet, one after another; RangeError where there are none. */
class Fields {
  readonly #octets: Buffer
  #at: number

  constructor(octets: Buffer, at: number) {
    this.#octets = octets
    this.#at = at
  }

  number(): number {
    this.#at += 4
    return this.#octets.readUInt32BE(this.#at - 4)
  }

  large(): bigint {
    this.#at += 8
    return this.#octets.readBigUInt64BE(this.#at - 8)
  }

  /** What is no UTF-8 becomes a name that no file of ours has. */
  text(): string {
    return this.#string().toString('utf8')
  }

  handle(): string {
    return this.#string().toString('latin1')
  }

  last<T>(value: T): T {
    if (this.#at !== this.#octets.length) throw new RangeError('octets behind the last field')
    return value
  }

  #string(): Buffer {
    const length = this.number()
    const from = this.#at
    this.#at += length
    if (this.#at > this.#octets.length) throw new RangeError('cut short')
    return this.#octets.subarray(from, this.#at)
  }
}

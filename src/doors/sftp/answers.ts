/** Answers of SFTP version 3, whole packets (draft-ietf-secsh-filexfer-02 section 7). */

import type { FileHandle } from 'node:fs/promises'

/** Section 7, of those that we give. */
export const codes = {
  ok: 0,
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
} as const
export type Code = keyof typeof codes

/** Section 5: what there is to say of a file or folder. */
export interface Attributes {
  readonly octets: number
  /** As in `stat`: type and permissions. */
  readonly mode: number
  /** Seconds since 1970. */
  readonly time: number
}

export interface Named {
  readonly name: string
  /** One line as `ls -l` has it. */
  readonly line: string
  readonly attributes: Attributes
}

/** Version 3, and no extensions. */
export function version(): Buffer {
  return packet(2, number(3))
}

export function status(id: number, code: Code, says: string): Buffer {
  return packet(101, number(id), number(codes[code]), text(says), text('en'))
}

export function handle(id: number, name: string): Buffer {
  return packet(102, number(id), text(Buffer.from(name, 'latin1')))
}

export function names(id: number, named: readonly Named[]): Buffer {
  const each = named.flatMap(one => [text(one.name), text(one.line), attributesOf(one.attributes)])
  return packet(104, number(id), number(named.length), ...each)
}

export function attributes(id: number, of: Attributes): Buffer {
  return packet(105, number(id), attributesOf(of))
}

/** Octets of a file from there on, as many as it has up to `length`; undefined where it has none. */
export async function data(
  id: number,
  file: FileHandle,
  offset: number,
  length: number,
): Promise<{ octets: number; answer: Buffer } | undefined> {
  const head = 13
  const whole = Buffer.allocUnsafe(head + length)
  const { bytesRead } = await file.read(whole, head, length, offset)
  if (bytesRead === 0) return undefined
  whole.writeUInt32BE(head - 4 + bytesRead, 0)
  whole[4] = 103
  whole.writeUInt32BE(id, 5)
  whole.writeUInt32BE(bytesRead, 9)
  return { octets: bytesRead, answer: whole.subarray(0, head + bytesRead) }
}

/** SIZE, UIDGID, PERMISSIONS and ACMODTIME. Whose the file is here is nobody's business: 0. */
function attributesOf({ octets, mode, time }: Attributes): Buffer {
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(BigInt(octets))
  return Buffer.concat([number(0x0f), size, number(0), number(0), number(mode), number(time), number(time)])
}

function packet(type: number, ...fields: Buffer[]): Buffer {
  const length = fields.reduce((sum, one) => sum + one.length, 1)
  return Buffer.concat([number(length), Buffer.of(type), ...fields])
}

function number(value: number): Buffer {
  const octets = Buffer.allocUnsafe(4)
  octets.writeUInt32BE(value)
  return octets
}

function text(value: string | Buffer): Buffer {
  const octets = Buffer.from(value)
  return Buffer.concat([number(octets.length), octets])
}

/** The data types of COSEM that are used here, in A-XDR (dlms.md section 6). Every other type is refused. */

import { type Bytes, view } from '../bytes.ts'
import { Cursor, hex, lengthOctets } from './cursor.ts'

export type Data =
  | { readonly type: 'null' }
  | { readonly type: 'array' | 'structure'; readonly items: readonly Data[] }
  | { readonly type: 'boolean'; readonly value: boolean }
  /** The first bit is the highest of the first octet; unused bits are zero. */
  | { readonly type: 'bit-string'; readonly bits: number; readonly octets: Bytes }
  | { readonly type: 'octet-string'; readonly octets: Bytes }
  | { readonly type: keyof typeof sizes; readonly value: number }

const tags = {
  null: 0x00,
  array: 0x01,
  structure: 0x02,
  boolean: 0x03,
  'bit-string': 0x04,
  'double-long-unsigned': 0x06,
  'octet-string': 0x09,
  unsigned: 0x11,
  'long-unsigned': 0x12,
  enum: 0x16,
} as const satisfies Record<Data['type'], number>

/** Unsigned numbers, and how many octets each has. */
const sizes = { 'double-long-unsigned': 4, unsigned: 1, 'long-unsigned': 2, enum: 1 } as const

const types = new Map(Object.entries(tags).map(([type, tag]) => [tag as number, type as Data['type']]))

/** Levels of array and structure with what stands in the innermost: defends the stack. */
const deepest = 4

/**
 * The next value. Octets of strings are views of what is read.
 * @throws Refusal DLMS_NOT_USED for a type that is not in the table, DLMS_DEPTH, DLMS_LENGTH, DLMS_ENCODING
 */
export function readData(cursor: Cursor, depth = 1): Data {
  if (depth > deepest) cursor.fail('DLMS_DEPTH', `more than ${deepest} levels`)
  const tag = cursor.octet('the type of a value')
  const type = types.get(tag)
  switch (type) {
    case undefined:
      return cursor.fail('DLMS_NOT_USED', `the data type ${hex(tag)}`, -1)
    case 'null':
      return { type }
    case 'array':
    case 'structure':
      return { type, items: readItems(cursor, depth) }
    case 'boolean':
      return { type, value: readBoolean(cursor) }
    case 'bit-string':
      return { type, ...readBits(cursor) }
    case 'octet-string':
      return { type, octets: cursor.take(cursor.length('the length of a string'), 'a string') }
    default:
      return { type, value: cursor.number(sizes[type], type) }
  }
}

/** One value and nothing behind it. */
export function readWholeData(octets: Bytes): Data {
  const cursor = new Cursor(octets)
  const data = readData(cursor)
  cursor.finish('the value')
  return data
}

/** @throws RangeError for a value that does not fit its type, or nesting that could not be read back. */
export function writeData(data: Data, depth = 1): Buffer {
  if (depth > deepest) throw new RangeError(`more than ${deepest} levels`)
  const tag = Buffer.of(tags[data.type])
  switch (data.type) {
    case 'null':
      return tag
    case 'array':
    case 'structure':
      return Buffer.concat([
        tag,
        lengthOctets(data.items.length),
        ...data.items.map(item => writeData(item, depth + 1)),
      ])
    case 'boolean':
      return Buffer.of(tags.boolean, data.value ? 1 : 0)
    case 'bit-string':
      if (!isBits(data.bits, data.octets)) throw new RangeError('not a bit-string')
      return Buffer.concat([tag, lengthOctets(data.bits), data.octets])
    case 'octet-string':
      return Buffer.concat([tag, lengthOctets(data.octets.length), data.octets])
    default: {
      const out = Buffer.alloc(1 + sizes[data.type])
      out[0] = tags[data.type]
      out.writeUIntBE(data.value, 1, sizes[data.type])
      return out
    }
  }
}

function readItems(cursor: Cursor, depth: number): Data[] {
  const count = cursor.length('the number of elements')
  // Each takes an octet at least: what cannot be there is not begun.
  if (count > cursor.left) cursor.fail('DLMS_LENGTH', `${count} elements in ${cursor.left} octets`)
  return Array.from({ length: count }, () => readData(cursor, depth + 1))
}

function readBoolean(cursor: Cursor): boolean {
  const value = cursor.octet('a boolean')
  if (value > 1) cursor.fail('DLMS_ENCODING', `the boolean ${hex(value)}`, -1)
  return value === 1
}

function readBits(cursor: Cursor): { bits: number; octets: Bytes } {
  const bits = cursor.length('the number of bits')
  const octets = cursor.take(Math.ceil(bits / 8), 'a bit-string')
  if (!isBits(bits, octets)) cursor.fail('DLMS_ENCODING', 'the unused bits of a bit-string are not zero', -1)
  return { bits, octets }
}

function isBits(bits: number, octets: Bytes): boolean {
  if (octets.length !== Math.ceil(bits / 8)) return false
  const unused = octets.length * 8 - bits
  return unused === 0 || (view(octets)[octets.length - 1]! & ((1 << unused) - 1)) === 0
}

/** Rows as the octets of a binary COPY (PostgreSQL, the manual page of COPY, "Binary Format"). */

import { type Bytes, view } from '../bytes.ts'

export type FieldType = 'bool' | 'int2' | 'int4' | 'int8' | 'bytea' | 'text' | 'timestamptz'

/** int2 and int4 take numbers, int8 also bigints, timestamptz Dates; every type takes null. */
export type Value = null | boolean | number | bigint | string | Date | Bytes

/**
 * The whole COPY in pieces of about a quarter of a megabyte, each made when it is asked for.
 *
 * @throws TypeError on a value of the wrong kind, RangeError on one that does not fit: nothing is repaired.
 */
export function* encodeRows(fields: readonly FieldType[], rows: Iterable<readonly Value[]>): Generator<Buffer> {
  const writers = fields.map(field => writerOf[field])
  const piece = new Piece()
  piece.octets(header)
  for (const row of rows) {
    if (row.length !== fields.length) throw new RangeError(`a row of ${row.length} values, not ${fields.length}`)
    piece.int2(fields.length)
    for (let index = 0; index < row.length; index++) {
      const value = row[index]!
      if (value === null) piece.int4(-1)
      else if (fields[index] === 'bytea' && value instanceof Uint8Array && value.length > large) {
        piece.int4(value.length)
        yield piece.take()
        yield* inPlace(value)
      } else writers[index]!(piece, value)
    }
    if (piece.length >= pieceSize) yield piece.take()
  }
  piece.int2(-1)
  yield piece.take()
}

const pieceSize = 2 ** 18

/** Octets that are many are not copied: the pieces are parts of them. */
const large = 4 * pieceSize

function* inPlace(octets: Bytes): Generator<Buffer> {
  for (let at = 0; at < octets.length; at += pieceSize) yield view(octets).subarray(at, at + pieceSize)
}

/** The signature, no flags, no extension. */
const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')

/** PostgreSQL counts microseconds from the year 2000. */
const year2000 = Date.UTC(2000, 0, 1)

/** Each writes the length of the value in four octets, then the value. */
const writerOf: Readonly<Record<FieldType, (piece: Piece, value: NonNullable<Value>) => void>> = {
  bool: (piece, value) => {
    if (typeof value !== 'boolean') throw wrong('bool', value)
    piece.int4(1)
    piece.octet(value ? 1 : 0)
  },
  int2: (piece, value) => {
    if (typeof value !== 'number') throw wrong('int2', value)
    if ((value << 16) >> 16 !== value) throw unfit('int2')
    piece.int4(2)
    piece.int2(value)
  },
  int4: (piece, value) => {
    if (typeof value !== 'number') throw wrong('int4', value)
    if ((value | 0) !== value) throw unfit('int4')
    piece.int4(4)
    piece.int4(value)
  },
  int8: (piece, value) => {
    if (typeof value !== 'bigint' && typeof value !== 'number') throw wrong('int8', value)
    if (typeof value === 'bigint' ? BigInt.asIntN(64, value) !== value : !Number.isSafeInteger(value)) {
      throw unfit('int8')
    }
    piece.int4(8)
    if (typeof value === 'bigint') piece.int8(value)
    else piece.product(value, 1)
  },
  timestamptz: (piece, value) => {
    if (!(value instanceof Date)) throw wrong('timestamptz', value)
    const milliseconds = value.getTime()
    if (Number.isNaN(milliseconds)) throw unfit('timestamptz')
    piece.int4(8)
    piece.product(milliseconds - year2000, 1000)
  },
  bytea: (piece, value) => {
    if (!(value instanceof Uint8Array)) throw wrong('bytea', value)
    piece.int4(value.length)
    piece.octets(value)
  },
  text: (piece, value) => {
    if (typeof value !== 'string') throw wrong('text', value)
    // A lone surrogate has no UTF-8; what Node writes in its place would be a repair.
    if (!value.isWellFormed()) throw unfit('text')
    piece.text(value)
  },
}

function wrong(type: FieldType, value: Value): TypeError {
  return new TypeError(`a ${typeof value} is no value of a column of type ${type}`)
}

/** The value itself is not said: it may be anybody's. */
function unfit(type: FieldType): RangeError {
  return new RangeError(`a value does not fit into a column of type ${type}`)
}

/** Octets in the making. Numbers are big-endian. */
class Piece {
  length = 0
  #buffer = Buffer.alloc(0)
  #numbers = new DataView(this.#buffer.buffer)

  octet(value: number): void {
    const at = this.#reserve(1)
    this.#numbers.setUint8(at, value)
  }

  int2(value: number): void {
    const at = this.#reserve(2)
    this.#numbers.setInt16(at, value)
  }

  int4(value: number): void {
    const at = this.#reserve(4)
    this.#numbers.setInt32(at, value)
  }

  int8(value: bigint): void {
    const at = this.#reserve(8)
    this.#numbers.setBigInt64(at, value)
  }

  /** `a * b` in eight octets, exactly, for a safe integer and a small one: three times as fast as with bigints. */
  product(a: number, b: number): void {
    const high = Math.floor(a / 2 ** 32)
    const low = (a - high * 2 ** 32) * b
    const at = this.#reserve(8)
    this.#numbers.setInt32(at, high * b + Math.floor(low / 2 ** 32))
    this.#numbers.setUint32(at + 4, low % 2 ** 32)
  }

  octets(value: Bytes): void {
    const at = this.#reserve(value.length)
    this.#buffer.set(value, at)
  }

  /** The length goes before the octets and is known after them. */
  text(value: string): void {
    const at = this.#reserve(4)
    const start = this.#reserve(3 * value.length)
    const length = this.#buffer.write(value, start, 'utf8')
    this.#numbers.setInt32(at, length)
    this.length = start + length
  }

  /** What was written so far. The socket will read it, so what follows goes elsewhere. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.length)
    this.#buffer = Buffer.alloc(0)
    this.length = 0
    return taken
  }

  /** @returns where to write. It may replace the buffer, so it comes in a line of its own before the writing. */
  #reserve(count: number): number {
    const at = this.length
    this.length += count
    if (this.length > this.#buffer.length) this.#grow(at)
    return at
  }

  #grow(used: number): void {
    const old = this.#buffer
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(2 * this.length, pieceSize + 2 ** 14))
    this.#buffer.set(old.subarray(0, used))
    this.#numbers = new DataView(this.#buffer.buffer)
  }
}

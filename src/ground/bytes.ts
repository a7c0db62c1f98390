/** Octets and their text forms. */

export type Bytes = Uint8Array

/** Lower-case hexadecimal, two digits an octet. */
export function toHex(octets: Bytes): string {
  return view(octets).toString('hex')
}

/** Upper-case hexadecimal, the form of serial numbers and identifiers that people read. */
export function toHexUpper(octets: Bytes): string {
  return toHex(octets).toUpperCase()
}

/** @throws RangeError unless the text is an even number of hexadecimal digits. */
export function fromHex(text: string): Buffer {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new RangeError('not hexadecimal octets')
  return Buffer.from(text, 'hex')
}

/** The same octets as a Buffer; nothing is copied. */
export function view(octets: Bytes): Buffer {
  return Buffer.isBuffer(octets) ? octets : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}

export function equal(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && view(a).equals(b)
}

/** Unsigned, big-endian. */
export function toBigInt(octets: Bytes): bigint {
  return octets.length === 0 ? 0n : BigInt(`0x${toHex(octets)}`)
}

/** Unsigned, big-endian, in exactly `length` octets. @throws RangeError when the number needs more. */
export function fromBigInt(value: bigint, length: number): Buffer {
  const text = value.toString(16)
  if (value < 0n || text.length > length * 2) throw new RangeError('number does not fit')
  return Buffer.from(text.padStart(length * 2, '0'), 'hex')
}

/** Several CSRs in one message: multipart/mixed (RFC 2046 5.1), every part application/pkcs10, read strictly. */

import type { Bytes } from '../../ground/bytes.ts'
import { view } from '../../ground/bytes.ts'
import { refuse } from './refusals.ts'

/**
 * The parts in their order. No preamble, no epilogue, lines end in CRLF; a part may say that it is binary.
 * @param type the Content-Type of the message, with its boundary
 * @throws Refusal MESSAGE_UNFIT
 */
export function readParts(type: string, octets: Bytes, atMost: number): Buffer[] {
  const boundary = /;\s*boundary=(?:"([\w'()+,./:=? -]{1,70})"|([\w'+.-]{1,70}))\s*(?:;|$)/i.exec(type)
  const name = boundary?.[1] ?? boundary?.[2]
  if (name === undefined) throw refuse('MESSAGE_UNFIT', 'the message names no boundary')
  const body = view(octets)
  const opening = Buffer.from(`--${name}\r\n`)
  const between = Buffer.from(`\r\n--${name}`)
  if (!body.subarray(0, opening.length).equals(opening)) throw refuse('MESSAGE_UNFIT', 'it begins with no boundary')

  const parts: Buffer[] = []
  for (let at = opening.length; ; ) {
    const end = body.indexOf(between, at)
    if (end < 0) throw refuse('MESSAGE_UNFIT', 'the last boundary is not there')
    if (parts.length === atMost) throw refuse('MESSAGE_UNFIT', `it has more than ${atMost} parts`)
    parts.push(partOf(body.subarray(at, end)))
    const after = body.subarray(end + between.length)
    if (/^--(\r\n)?$/.test(after.toString('latin1'))) return parts
    if (after[0] !== 0x0d || after[1] !== 0x0a)
      throw refuse('MESSAGE_UNFIT', 'a boundary is followed by something else')
    at = end + between.length + 2
  }
}

const allowed: Readonly<Record<string, RegExp>> = {
  'content-type': /^application\/pkcs10$/i,
  'content-transfer-encoding': /^binary$/i,
}

function partOf(part: Buffer): Buffer {
  const end = part.indexOf('\r\n\r\n')
  if (end < 0) throw refuse('MESSAGE_UNFIT', 'a part has no end of its header')
  const lines = part.subarray(0, end).toString('latin1').split('\r\n')
  const fields = lines.map(line => /^([\w-]+):\s*(.*?)\s*$/.exec(line))
  const fits = fields.every(field => field && allowed[field[1]!.toLowerCase()]?.test(field[2]!))
  if (!fits || !fields.some(field => field![1]!.toLowerCase() === 'content-type'))
    throw refuse('MESSAGE_UNFIT', 'a part is no application/pkcs10')
  return part.subarray(end + 4)
}

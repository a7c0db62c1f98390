/** The meter's own reading and writing of APDUs: as much as a meter of this kind knows (dlms.md sections 2, 4, 5, 6). */

/** Octets that are no APDU which this meter takes: it answers with an exception-response. */
export class NotTaken extends Error {}

const must = (holds: boolean, says: string): void => {
  if (!holds) throw new NotTaken(says)
}

/** BER: one element, its tag, its content. Short and one- or two-octet lengths. */
export function* elements(octets: Buffer): Generator<{ tag: number; content: Buffer }> {
  for (let at = 0; at < octets.length; ) {
    const tag = octets[at]!
    const { length, next } = readLength(octets, at + 1)
    must(next + length <= octets.length, 'an element that is longer than what there is')
    yield { tag, content: octets.subarray(next, next + length) }
    at = next + length
  }
}

function readLength(octets: Buffer, at: number): { length: number; next: number } {
  const first = octets[at] ?? -1
  if (first >= 0 && first < 0x80) return { length: first, next: at + 1 }
  if (first === 0x81 && at + 1 < octets.length) return { length: octets[at + 1]!, next: at + 2 }
  if (first === 0x82 && at + 2 < octets.length) return { length: octets.readUInt16BE(at + 1), next: at + 3 }
  throw new NotTaken('a length')
}

export function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length)
  return length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff)
}

export const element = (tag: number, ...content: Buffer[]): Buffer => {
  const whole = Buffer.concat(content)
  return Buffer.concat([Buffer.of(tag), lengthOf(whole.length), whole])
}

export interface Aarq {
  /** 1 without, 3 with ciphering. */
  readonly context: number
  readonly title?: Buffer
  readonly mechanism?: number
  readonly challenge?: Buffer
  readonly initiate: Buffer
}

const contextPrefix = '060760857405080' + '1'

export function readAarq(octets: Buffer): Aarq {
  const [outer, ...more] = [...elements(octets)]
  must(outer?.tag === 0x60 && more.length === 0, 'not an AARQ')
  const found = new Map([...elements(outer!.content)].map(one => [one.tag, one.content]))
  const context = found.get(0xa1)?.toString('hex') ?? ''
  must(context.startsWith(contextPrefix), 'another application context')
  const title = inner(found.get(0xa6), 0x04)
  const mechanism = found.get(0x8b)?.at(-1)
  const challenge = inner(found.get(0xac), 0x80)
  const initiate = inner(found.get(0xbe), 0x04)
  must(initiate !== undefined, 'no initiateRequest')
  return {
    context: Number.parseInt(context.slice(contextPrefix.length), 16),
    initiate: initiate!,
    ...(title && { title }),
    ...(mechanism !== undefined && { mechanism }),
    ...(challenge && { challenge }),
  }
}

function inner(octets: Buffer | undefined, tag: number): Buffer | undefined {
  if (octets === undefined) return undefined
  const [one] = [...elements(octets)]
  return one?.tag === tag ? one.content : undefined
}

export interface Aare {
  readonly context: number
  readonly accepted: boolean
  readonly diagnostic: number
  readonly title?: Buffer
  readonly challenge?: Buffer
  readonly initiate?: Buffer
}

export function writeAare({ context, accepted, diagnostic, title, challenge, initiate }: Aare): Buffer {
  const number = (value: number) => Buffer.of(0x02, 1, value)
  return element(
    0x61,
    element(0xa1, Buffer.from(`${contextPrefix}0${context}`, 'hex')),
    element(0xa2, number(accepted ? 0 : 1)),
    element(0xa3, element(0xa1, number(diagnostic))),
    ...(title ? [element(0xa4, element(0x04, title))] : []),
    ...(challenge
      ? [
          element(0x88, Buffer.of(0x07, 0x80)),
          element(0x89, Buffer.from('60857405080205', 'hex')),
          element(0xaa, element(0x80, challenge)),
        ]
      : []),
    ...(initiate ? [element(0xbe, element(0x04, initiate))] : []),
  )
}

/** A protected APDU, of either framing. */
export interface Secured {
  readonly tag: number
  readonly title?: Buffer
  readonly control: number
  readonly counter: number
  readonly body: Buffer
}

export function readSecured(octets: Buffer): Secured {
  const tag = octets[0]!
  let at = 1
  let title: Buffer | undefined
  if (tag === 0xdb || tag === 0xdc) {
    must(octets[1] === 8 && octets.length > 10, 'a system title')
    title = octets.subarray(2, 10)
    at = 10
  }
  const { length, next } = readLength(octets, at)
  must(next + length === octets.length && length > 5, 'the length of a protected APDU')
  const [control, counter] = [octets[next]!, octets.readUInt32BE(next + 1)]
  return { tag, control, counter, body: octets.subarray(next + 5), ...(title && { title }) }
}

export function writeSecured({ tag, title, control, counter, body }: Secured): Buffer {
  const head = Buffer.alloc(5)
  head[0] = control
  head.writeUInt32BE(counter, 1)
  return Buffer.concat([
    Buffer.of(tag),
    ...(title ? [Buffer.of(8), title] : []),
    lengthOf(5 + body.length),
    head,
    body,
  ])
}

/** The Dedicated Key that an initiateRequest carries, if it does. */
export function dedicatedKeyIn(text: Buffer): Buffer | undefined {
  must(text[0] === 0x01, 'not an initiateRequest')
  const rest = text[1] === 1 ? text.subarray(19) : text.subarray(2)
  must(rest.subarray(0, 7).equals(Buffer.from('0000065f1f0400', 'hex')) && rest.length === 12, 'an initiateRequest')
  return text[1] === 1 && text[2] === 16 ? text.subarray(3, 19) : undefined
}

export const initiateResponse = (maxPdu: number): Buffer =>
  Buffer.concat([Buffer.from('0800065f1f0400221e5d', 'hex'), Buffer.of(maxPdu >> 8, maxPdu & 0xff, 0, 7)])

/** A plain get, set or action that is asked for. */
export interface Asked {
  readonly service: 'get' | 'set' | 'action'
  readonly invoke: number
  readonly classId: number
  readonly logicalName: string
  readonly member: number
  /** The octets of the data that follow, not read yet. */
  readonly data?: Buffer
}

const serviceOf = new Map([
  [0xc0, 'get'],
  [0xc1, 'set'],
  [0xc3, 'action'],
] as const)

export function readAsked(text: Buffer): Asked {
  const service = serviceOf.get(text[0] as 0xc0)
  must(service !== undefined && text.length >= 13 && text[1] === 1, 'not a normal get, set or action')
  const data = text[12] === (service === 'action' ? 1 : 0) ? text.subarray(13) : undefined
  return {
    service: service!,
    invoke: text[2]!,
    classId: text.readUInt16BE(3),
    logicalName: [...text.subarray(5, 11)].join('.'),
    member: text.readInt8(11),
    ...(data?.length && { data }),
  }
}

export const got = (invoke: number, data: Buffer): Buffer => Buffer.concat([Buffer.of(0xc4, 1, invoke, 0), data])
export const notGot = (invoke: number, error: number): Buffer => Buffer.of(0xc4, 1, invoke, 1, error)
export const wasSet = (invoke: number, result: number): Buffer => Buffer.of(0xc5, 1, invoke, result)
export const acted = (invoke: number, result: number, returned?: Buffer): Buffer =>
  returned
    ? Buffer.concat([Buffer.of(0xc7, 1, invoke, result, 1, 0), returned])
    : Buffer.of(0xc7, 1, invoke, result, 0)

export const octetString = (octets: Buffer): Buffer =>
  Buffer.concat([Buffer.of(9), lengthOf(octets.length), octets])

export function readOctetString(data: Buffer | undefined): Buffer {
  must(data?.[0] === 9, 'not an octet-string')
  const { length, next } = readLength(data!, 1)
  must(next + length === data!.length, 'the length of an octet-string')
  return data!.subarray(next)
}

export function unsigned32(value: number): Buffer {
  const out = Buffer.alloc(5)
  out[0] = 6
  out.writeUInt32BE(value, 1)
  return out
}

/** The argument of key_transfer: an array of { enum key id, octet-string of 24 }. */
export function readTransfers(data: Buffer | undefined): { keyId: number; wrapped: Buffer }[] {
  must(data?.[0] === 1 && data.length >= 2 && data[1]! < 0x80, 'not an array')
  const each = 2 + 2 + 2 + 24
  must(data!.length === 2 + data![1]! * each && data![1]! > 0, 'not an array of keys')
  return Array.from({ length: data![1]! }, (_, i) => {
    const one = data!.subarray(2 + i * each, 2 + (i + 1) * each)
    const head = [one[0], one[1], one[2], one[4], one[5]].join()
    must(head === [0x02, 2, 0x16, 9, 24].join(), 'not a key id and a wrapped key')
    return { keyId: one[3]!, wrapped: Buffer.from(one.subarray(6)) }
  })
}

export const exception = (serviceError: number, counter?: number): Buffer => {
  const out = Buffer.from([0xd8, 1, serviceError, ...(counter === undefined ? [] : [0, 0, 0, 0])])
  if (counter !== undefined) out.writeUInt32BE(counter, 3)
  return out
}

/** The protected service of each plain one, by tag: glo, and under a Dedicated Key ded. */
export const coveredTag = (plain: number, dedicated: boolean): number =>
  plain < 0x10 ? plain + 0x20 : plain + (dedicated ? 0x10 : 0x08)

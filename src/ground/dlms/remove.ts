/** Takes the protection off an APDU that came in, or refuses it for the first reason there is (dlms.md section 1). */

import { type Bytes, equal } from '../bytes.ts'
import { checkControl, isAuthenticated, isEncrypted, type Protection } from './control.ts'
import { hex } from './cursor.ts'
import { checkCounter, type Floor, raise } from './floor.ts'
import { type Framing, type ProtectedApdu, readProtected, tagLength } from './frame.ts'
import { checkKeyFor, framingUnder, type Keys } from './protect.ts'
import { refusal } from './refusals.ts'
import { byPlainTag, type Sender, type Service, type ServiceName } from './services.ts'

/** What may come. */
export interface Expected {
  /** Whose APDUs: a reply is opened as one from the server, so none of our own requests is ever deciphered for us. */
  readonly from: Sender
  /** The title of that side: 8 octets. */
  readonly title: Bytes
  readonly floor: Floor
  /** The least protection; `both` unless said. */
  readonly protection?: Protection
}

export interface Removed {
  /** The plain APDU, its tag included: a buffer of its own, which is the caller's to zero. */
  readonly text: Buffer
  readonly service: ServiceName
  readonly framing: Framing
  readonly counter: number
  /** The floor from now on, to be stored before anything else is opened. */
  readonly floor: Floor
}

/**
 * Reads, verifies and deciphers one protected APDU. It need not be known whether it is service specific or general;
 * under a GUEK only glo is taken, under a Dedicated Key only ded.
 * @throws Refusal, the first that holds: DLMS_LENGTH, DLMS_FRAMING, DLMS_NOT_USED, DLMS_DIRECTION, DLMS_GUEK_ONLY;
 * DLMS_SUITE; DLMS_COMPRESSION; DLMS_KEY_SET; DLMS_PROTECTION_TOO_WEAK; DLMS_TITLE; DLMS_COUNTER; DLMS_TAG;
 * DLMS_SERVICE_MISMATCH (in the general framings also a service of the wrong side or key)
 */
export function remove(keys: Keys, octets: Bytes, expected: Expected): Removed {
  const { from, title, floor, protection = 'both' } = expected
  const apdu = readProtected(octets)
  const { framing, control, counter } = apdu
  if (framing !== framingUnder(keys.key, apdu.service === undefined)) {
    throw refusal('DLMS_FRAMING', `${framing} under a key of type ${keys.key.type}`)
  }
  if (apdu.service !== undefined) {
    if (apdu.service.from !== from) throw refusal('DLMS_DIRECTION', apdu.service.name)
    checkKeyFor(apdu.service, keys.key)
  }
  checkControl(control, protection)
  if (apdu.title !== undefined && !equal(apdu.title, title)) throw refusal('DLMS_TITLE')
  checkCounter(floor, counter)
  const text = lift(keys, apdu, title)
  try {
    const service = innerService(keys, text, apdu, from)
    return { text, service: service.name, framing, counter, floor: raise(floor, counter) }
  } catch (refused) {
    text.fill(0)
    throw refused
  }
}

/** The IV of an APDU that came: the originator's title, its counter. */
export function ivOf(title: Bytes, counter: number): Buffer {
  const iv = Buffer.allocUnsafe(12)
  iv.set(title)
  iv.writeUInt32BE(counter, 8)
  return iv
}

function lift({ cipher, key, ak }: Keys, { control, counter, body }: ProtectedApdu, title: Bytes): Buffer {
  const iv = ivOf(title, counter)
  if (!isAuthenticated(control)) return cipher.decipher(key, iv, body)
  if (isEncrypted(control)) return cipher.open(key, ak, iv, control, body)
  const end = body.length - tagLength
  const text = Buffer.from(body.subarray(0, end))
  cipher.verify(key, ak, iv, control, text, body.subarray(end))
  return text
}

/** An inner tag that belongs to the outer one, or in the general framings to the side that it came from. */
function innerService(keys: Keys, text: Buffer, outer: ProtectedApdu, from: Sender): Service {
  const service = byPlainTag.get(text[0]!)
  if (outer.service === undefined && service?.from === from) {
    checkKeyFor(service, keys.key)
    return service
  }
  if (service !== undefined && service === outer.service) return service
  throw refusal('DLMS_SERVICE_MISMATCH', `inside stands ${service?.name ?? `the tag ${hex(text[0]!)}`}`)
}

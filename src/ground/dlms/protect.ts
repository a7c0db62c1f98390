/** Protects a plain APDU: chooses its outside, and has it authenticated, enciphered, or both (dlms.md section 1). */

import type { Bytes } from '../bytes.ts'
import type { CipherKey, DlmsCipher, Opened, Text } from '../keystore/dlms-cipher.ts'
import { controlOf, type Protection } from './control.ts'
import type { TakenCounter } from './counter.ts'
import { hex } from './cursor.ts'
import { type Framing, writeProtected } from './frame.ts'
import { refusal } from './refusals.ts'
import { byPlainTag, type Service } from './services.ts'

/** The key store, and the two keys of one client on one Device: GUEK (or the DK of the association) and AK. */
export interface Keys {
  readonly cipher: DlmsCipher
  readonly key: CipherKey
  readonly ak: Opened<'AK'>
}

/** How the model wants it. Under a Dedicated Key `glo` means ded, and `general-glo` general-ded. */
export interface Outside {
  readonly framing?: 'glo' | 'general-glo'
  /** `both` unless said; a DCO asks for nothing less. */
  readonly protection?: Protection
}

/**
 * The protected APDU, from the originator whose title the counter was taken for.
 * @param counter is spent, whatever comes of it
 * @param text one whole plain APDU of a service of dlms.md section 2
 * @throws Refusal DLMS_NOT_USED for another APDU, DLMS_GUEK_ONLY, DLMS_TOO_LONG
 */
export function protect(keys: Keys, counter: TakenCounter, text: Text, outside: Outside = {}): Buffer {
  const { framing = 'glo', protection = 'both' } = outside
  const service = serviceOf(text)
  checkKeyFor(service, keys.key)
  const control = controlOf[protection]
  const body = secure(keys, counter, text, protection)
  const own = framingUnder(keys.key, framing === 'general-glo')
  const title = framing === 'general-glo' ? counter.title : undefined
  return writeProtected({ framing: own, service, title, control, counter: counter.value, body })
}

/** Which framing goes with which key: an APDU under a GUEK is never taken for one under a DK (dlms.md section 2). */
export function framingUnder(key: CipherKey, general: boolean): Framing {
  if (key.type === 'GUEK') return general ? 'general-glo' : 'glo'
  return general ? 'general-ded' : 'ded'
}

/** HLS and initiate always use the GUEK (dlms.md section 4). @throws Refusal DLMS_GUEK_ONLY */
export function checkKeyFor(service: Service, key: CipherKey): void {
  const initiates = service.name === 'initiateRequest' || service.name === 'initiateResponse'
  if (initiates && key.type !== 'GUEK') throw refusal('DLMS_GUEK_ONLY')
}

function secure({ cipher, key, ak }: Keys, counter: TakenCounter, text: Text, protection: Protection): Buffer {
  const control = controlOf[protection]
  switch (protection) {
    case 'both':
      return cipher.seal(key, ak, counter, control, text)
    case 'encrypted':
      return cipher.encipher(key, counter, text)
    case 'authenticated': {
      // It would travel in the clear.
      if (!isPlain(text)) throw new TypeError('a Dedicated Key is to be enciphered')
      return Buffer.concat([text, cipher.authenticate(key, ak, counter, control, text)])
    }
  }
}

function serviceOf(text: Text): Service {
  const first = isPlain(text) ? text : text[0]
  const tag = first instanceof Uint8Array ? first[0] : undefined
  const service = tag === undefined ? undefined : byPlainTag.get(tag)
  if (service === undefined) {
    throw refusal('DLMS_NOT_USED', tag === undefined ? 'no APDU' : `the plain tag ${hex(tag)}`)
  }
  return service
}

const isPlain = (text: Text): text is Bytes => text instanceof Uint8Array

/** The meter's own AES-GCM and key wrap, on the AES of the platform and nothing of ours (dlms.md sections 1, 4, 5). */

import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto'

/** What a protected APDU is under. */
export interface KeyPair {
  readonly guek: Buffer
  readonly ak: Buffer
}

const tagLength = 12

function initialisation(title: Buffer, counter: number): Buffer {
  const iv = Buffer.alloc(12)
  title.copy(iv)
  iv.writeUInt32BE(counter, 8)
  return iv
}

/** What stands after the security header, for the control octets 10, 20 and 30. */
export function cover(keys: KeyPair, title: Buffer, control: number, counter: number, text: Buffer): Buffer {
  const cipher = createCipheriv('aes-128-gcm', keys.guek, initialisation(title, counter), {
    authTagLength: tagLength,
  })
  if (control === 0x20) return cipher.update(text)
  const clear = control === 0x10 ? text : Buffer.alloc(0)
  cipher.setAAD(Buffer.concat([Buffer.of(control), keys.ak, clear]))
  const ciphertext = control === 0x10 ? text : cipher.update(text)
  cipher.final()
  return Buffer.concat([ciphertext, cipher.getAuthTag()])
}

/** Undoes `cover`; undefined when the tag is wrong. */
export function uncover(
  keys: KeyPair,
  title: Buffer,
  control: number,
  counter: number,
  body: Buffer,
): Buffer | undefined {
  const iv = initialisation(title, counter)
  const decipher = createDecipheriv('aes-128-gcm', keys.guek, iv, { authTagLength: tagLength })
  if (control === 0x20) return decipher.update(body)
  if (body.length < tagLength) return undefined
  const content = body.subarray(0, body.length - tagLength)
  const clear = control === 0x10 ? content : Buffer.alloc(0)
  decipher.setAAD(Buffer.concat([Buffer.of(control), keys.ak, clear]))
  decipher.setAuthTag(body.subarray(content.length))
  try {
    const text = control === 0x10 ? content : decipher.update(content)
    decipher.final()
    return Buffer.from(text)
  } catch {
    return undefined
  }
}

/** f(challenge): 10, counter, GMAC. */
export function answer(keys: KeyPair, title: Buffer, counter: number, challenge: Buffer): Buffer {
  const tag = cover(keys, title, 0x10, counter, challenge).subarray(challenge.length)
  const head = Buffer.alloc(5)
  head[0] = 0x10
  head.writeUInt32BE(counter, 1)
  return Buffer.concat([head, tag])
}

/** The counter in a right answer to our challenge; undefined when it is wrong. */
export function answered(keys: KeyPair, title: Buffer, challenge: Buffer, given: Buffer): number | undefined {
  if (given.length !== 17 || given[0] !== 0x10) return undefined
  const counter = given.readUInt32BE(1)
  return timingSafeEqual(answer(keys, title, counter, challenge), given) ? counter : undefined
}

/** RFC 3394; undefined when it does not open. */
export function unwrap(mk: Buffer, wrapped: Buffer): Buffer | undefined {
  if (wrapped.length !== 24) return undefined
  try {
    return createDecipheriv('id-aes128-wrap', mk, Buffer.alloc(8, 0xa6)).update(wrapped)
  } catch {
    return undefined
  }
}

/** Objects on a token: found by class and label, never by a handle that was kept too long. */

import pkcs11js from 'pkcs11js'
import type { Handle } from './library.ts'
import { Lost, type Session } from './sessions.ts'

export type Attribute = pkcs11js.Attribute

/** Every object with these attributes. */
export function findObjects({ pkcs11, handle }: Session, wanted: Attribute[]): Handle[] {
  pkcs11.C_FindObjectsInit(handle, wanted)
  const found: Handle[] = []
  for (;;) {
    const some = pkcs11.C_FindObjects(handle, atOnce)
    found.push(...some)
    if (some.length < atOnce) break
  }
  pkcs11.C_FindObjectsFinal(handle)
  return found
}

/** The values of the attributes that are asked for, in that order. */
export function valuesOf({ pkcs11, handle }: Session, object: Handle, ...types: number[]): Buffer[] {
  const found = pkcs11.C_GetAttributeValue(
    handle,
    object,
    types.map(type => ({ type })),
  )
  return types.map(type => {
    const value = found.find(attribute => attribute.type === type)?.value
    if (!Buffer.isBuffer(value)) throw new Lost('the module gave an attribute no value')
    return value
  })
}

export const isTrue = (value: Buffer): boolean => value.length > 0 && value[0] === 1

/** CK_ULONG, in the machine's order: little-endian on every machine that we run on. */
export const toNumber = (value: Buffer): number => value.readUIntLE(0, Math.min(value.length, 6))

/** How much is asked for in one call. */
const atOnce = 64

/** For a secret or private key that does what `uses` says, never leaves the token, and outlives the session if `kept`. */
export function guarded(kept: boolean, uses: Partial<Record<keyof typeof usages, boolean>>): Attribute[] {
  return [
    { type: pkcs11js.CKA_TOKEN, value: kept },
    { type: pkcs11js.CKA_PRIVATE, value: true },
    { type: pkcs11js.CKA_SENSITIVE, value: true },
    ...Object.entries(uses).map(([use, value]) => ({ type: usages[use as keyof typeof usages], value })),
  ]
}

const usages = {
  extractable: pkcs11js.CKA_EXTRACTABLE,
  sign: pkcs11js.CKA_SIGN,
  encrypt: pkcs11js.CKA_ENCRYPT,
  decrypt: pkcs11js.CKA_DECRYPT,
  wrap: pkcs11js.CKA_WRAP,
  unwrap: pkcs11js.CKA_UNWRAP,
  derive: pkcs11js.CKA_DERIVE,
} as const

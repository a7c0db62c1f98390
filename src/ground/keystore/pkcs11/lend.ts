/** Octets of Device keys for a moment: a module that cannot open an ECB package into an object makes this necessary. */

import pkcs11js from 'pkcs11js'
import type { Bytes } from '../../bytes.ts'
import { view } from '../../bytes.ts'
import { createObject, type Lend, type PackagedSource, type WrappedSource } from './device-key.ts'
import type { Handle } from './library.ts'
import { valuesOf } from './objects.ts'
import type { Session } from './sessions.ts'
import { refusedUnlessLost } from './transport.ts'

/** RFC 3394 with its default initial value. */
export const keyWrap = { mechanism: pkcs11js.CKM_AES_KEY_WRAP }

/** Lends a key's octets, opened from its package or by the MK that it is wrapped under, and zeroes them after use. */
export function lender(hsmKey: (session: Session, label: string) => Handle): Lend {
  const lend: Lend = (session, source, use) => {
    const octets = 'packaged' in source ? unpack(session, source) : unwrapped(session, source)
    try {
      return use(octets)
    } finally {
      octets.fill(0)
    }
  }
  const unpack = (session: Session, { hsmKey: label, packaged }: PackagedSource) =>
    ecb(session, 'decrypt', hsmKey(session, label), packaged)
  const unwrapped = (session: Session, { mk, wrapped }: WrappedSource) => {
    const { pkcs11, handle } = session
    const wrapping = lend(session, mk, octets => createObject(session, octets, 'wraps'))
    try {
      const readable = [
        { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
        { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
        { type: pkcs11js.CKA_TOKEN, value: false },
        { type: pkcs11js.CKA_SENSITIVE, value: false },
        { type: pkcs11js.CKA_EXTRACTABLE, value: true },
      ]
      const key = refusedUnlessLost(session, 'WRAP_REFUSED', () =>
        pkcs11.C_UnwrapKey(handle, keyWrap, wrapping, Buffer.from(wrapped), readable),
      )
      try {
        return valuesOf(session, key, pkcs11js.CKA_VALUE)[0]!
      } finally {
        pkcs11.C_DestroyObject(handle, key)
      }
    } finally {
      pkcs11.C_DestroyObject(handle, wrapping)
    }
  }
  return lend
}

/** One block under an HSM Key. */
export function ecb({ pkcs11, handle }: Session, way: 'encrypt' | 'decrypt', key: Handle, block: Bytes): Buffer {
  const mechanism = { mechanism: pkcs11js.CKM_AES_ECB }
  const out = Buffer.alloc(16)
  if (way === 'encrypt') {
    pkcs11.C_EncryptInit(handle, mechanism, key)
    pkcs11.C_Encrypt(handle, view(block), out)
  } else {
    pkcs11.C_DecryptInit(handle, mechanism, key)
    pkcs11.C_Decrypt(handle, view(block), out)
  }
  return out
}

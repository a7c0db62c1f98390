/** The bare primitives that one command, or one reply, cannot do without: of the platform, and of a module behind PKCS#11. */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import pkcs11js from 'pkcs11js'
import { findToken, library } from '../src/ground/keystore/pkcs11/library.ts'
import { testPin } from '../src/ground/keystore/pkcs11/testing.ts'

/** What is worked on: two records' encodings, a plain APDU of 13 octets, the title that it goes out under. */
export interface Material {
  readonly bodies: readonly Buffer[]
  readonly plain: Buffer
  readonly title: Buffer
}

/** Two CMACs, two blocks, one GCM; of a command it is sealed, of a reply opened. */
export interface Bare {
  commands(count: number): void
  replies(count: number): void
  close?(): void
}

const withTag = { authTagLength: 12 } as const

/** The platform's AES, each primitive called by itself; subkeys and padding are taken to be there. */
export function bareAes({ bodies, plain, title }: Material): Bare {
  const [sealKey, dcoKey, sharedKey, guek, ak] = Array.from({ length: 5 }, () => randomBytes(16))
  const zero = Buffer.alloc(16)
  const [packagedAk, packagedGuek] = [randomBytes(16), randomBytes(16)]
  const chained = bodies.map(whole)
  const associated = Buffer.concat([Buffer.of(0x30), ak!])
  const iv = Buffer.concat([title, Buffer.alloc(4)])
  let counter = 0
  let ciphertext: Buffer = Buffer.alloc(0)
  let tag: Buffer = Buffer.alloc(0)
  const records = () => {
    for (const text of chained) createCipheriv('aes-128-cbc', sealKey!, zero).setAutoPadding(false).update(text)
    createDecipheriv('aes-128-ecb', dcoKey!, null).setAutoPadding(false).update(packagedAk!)
    createDecipheriv('aes-128-ecb', sharedKey!, null).setAutoPadding(false).update(packagedGuek!)
  }
  const seal = () => {
    const cipher = createCipheriv('aes-128-gcm', guek!, iv, withTag)
    cipher.setAAD(associated)
    ciphertext = cipher.update(plain)
    cipher.final()
    tag = cipher.getAuthTag()
  }
  return {
    commands(count) {
      for (let i = 0; i < count; i++) {
        records()
        iv.writeUInt32BE(counter++, 8)
        seal()
      }
    },
    replies(count) {
      seal()
      for (let i = 0; i < count; i++) {
        records()
        const decipher = createDecipheriv('aes-128-gcm', guek!, iv, withTag)
        decipher.setAAD(associated)
        decipher.setAuthTag(tag)
        decipher.update(ciphertext)
        decipher.final()
      }
    },
  }
}

/**
 * The calls of one module, on its keys `dco`, `shared` and `seal`, in one session, with every argument made beforehand.
 * In all twelve a command, and as many a reply: C_SignInit and C_Sign for each record, C_DecryptInit and C_Decrypt for each
 * package, C_CreateObject of the GUEK, init and one call of GCM, C_DestroyObject.
 */
export function bareToken(path: string, token: string, { bodies, plain, title }: Material): Bare {
  const pkcs11 = library(path)
  const { slot } = findToken(pkcs11, token)
  const session = pkcs11.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION)
  try {
    pkcs11.C_Login(session, pkcs11js.CKU_USER, testPin)
  } catch {
    // The module under test has done so for the whole process; if nobody has, what follows finds no keys.
  }
  const named = (label: string) => {
    pkcs11.C_FindObjectsInit(session, [
      { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
      { type: pkcs11js.CKA_LABEL, value: label },
    ])
    const [found] = pkcs11.C_FindObjects(session, 1)
    pkcs11.C_FindObjectsFinal(session)
    if (!found) throw new Error(`there is no ${label}`)
    return found
  }
  const [dco, shared, seal] = [named('dco'), named('shared'), named('seal')]
  const cmac = { mechanism: pkcs11js.CKM_AES_CMAC }
  const ecb = { mechanism: pkcs11js.CKM_AES_ECB }
  const packaged = randomBytes(16)
  const [mac, ak] = [Buffer.alloc(16), Buffer.alloc(16)]
  const guek = [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
    { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
    { type: pkcs11js.CKA_VALUE, value: Buffer.alloc(16) },
    { type: pkcs11js.CKA_TOKEN, value: false },
    { type: pkcs11js.CKA_PRIVATE, value: true },
    { type: pkcs11js.CKA_SENSITIVE, value: true },
    { type: pkcs11js.CKA_EXTRACTABLE, value: false },
    { type: pkcs11js.CKA_ENCRYPT, value: true },
    { type: pkcs11js.CKA_DECRYPT, value: true },
  ]
  const iv = Buffer.concat([title, Buffer.alloc(4)])
  const aad = Buffer.alloc(17, 0x30)
  const gcm = {
    mechanism: pkcs11js.CKM_AES_GCM,
    parameter: { type: pkcs11js.CK_PARAMS_AES_GCM, iv, ivBits: 96, aad, tagBits: 96 },
  }
  const [sealed, text] = [Buffer.alloc(plain.length + 12), Buffer.alloc(plain.length + 12)]
  const withKey = (work: (key: pkcs11js.Handle) => void) => {
    for (const body of bodies) {
      pkcs11.C_SignInit(session, cmac, seal)
      pkcs11.C_Sign(session, body, mac)
    }
    pkcs11.C_DecryptInit(session, ecb, dco)
    pkcs11.C_Decrypt(session, packaged, ak)
    pkcs11.C_DecryptInit(session, ecb, shared)
    pkcs11.C_Decrypt(session, packaged, guek[2]!.value as Buffer)
    const key = pkcs11.C_CreateObject(session, [...guek])
    work(key)
    pkcs11.C_DestroyObject(session, key)
  }
  const encrypt = (key: pkcs11js.Handle) => {
    pkcs11.C_EncryptInit(session, gcm, key)
    pkcs11.C_Encrypt(session, plain, sealed)
  }
  return {
    commands(count) {
      for (let i = 0; i < count; i++) {
        iv.writeUInt32BE(i, 8)
        withKey(encrypt)
      }
    },
    replies(count) {
      withKey(encrypt)
      for (let i = 0; i < count; i++) {
        withKey(key => {
          pkcs11.C_DecryptInit(session, gcm, key)
          pkcs11.C_Decrypt(session, sealed, text)
        })
      }
    },
    close: () => pkcs11.C_CloseSession(session),
  }
}

/** Of whole blocks: what the last one is filled and masked with costs nothing here. */
function whole(body: Buffer): Buffer {
  const text = Buffer.alloc(Math.ceil(body.length / 16) * 16)
  text.set(body)
  return text
}

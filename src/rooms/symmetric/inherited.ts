/** The file in which a previous holder hands over the keys of Devices, to one DCO's import key (section 6.1). */

import { z } from 'zod'
import { type Bytes, fromHex, toHex } from '../../ground/bytes.ts'
import { wrapToTransportKey } from '../../ground/keystore/transport.ts'
import { belongs, type KeyHolder, keyHolders, type LastingType, lastingTypes } from '../../policy/symmetric/keys.ts'
import { no } from './refusals.ts'
import { parsed, readSigned, type Signed, type Signer, writeSigned } from './signed.ts'

const key = z
  .strictObject({
    holder: z.enum(keyHolders),
    type: z.enum(lastingTypes),
    /** 16 octets under RSA-OAEP to the DCO's import key. */
    wrapped: z
      .string()
      .regex(/^([0-9a-f]{2}){384}$/)
      .transform(fromHex),
  })
  .refine(({ holder, type }) => belongs(type, holder))

const device = z.strictObject({
  device: z.string().regex(/^[0-9a-f]{16}$/),
  model: z.string().min(1).max(40),
  /** The Device's system title, if it is known. */
  title: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .nullable(),
  /** When it was Commissioned, if it is: the seven days run from then. */
  commissionedAt: z.iso.datetime().nullable(),
  keys: z.array(key).min(1).max(13),
})

const file = z.strictObject({
  /** Never used for another file. */
  file: z.string().regex(/^[0-9a-f]{32}$/),
  /** The S1SP that takes the Devices on, and the DCO that opens the file. */
  s1sp: z.string().min(1).max(64),
  dco: z.string().min(1).max(64),
  /** Label of the import key. */
  importKey: z.string().min(1).max(100),
  at: z.iso.datetime(),
  devices: z.array(device).min(1).max(500),
})

export type InheritedFile = z.output<typeof file>
export type InheritedDevice = z.output<typeof device>

/** A Device as its previous holder has it. The octets stay the caller's to zero. */
export interface HandedOver extends Omit<InheritedDevice, 'keys'> {
  readonly keys: readonly { readonly holder: KeyHolder; readonly type: LastingType; readonly octets: Bytes }[]
}

/**
 * What a previous holder writes: for simulations, and for whoever converts keys that are handed over in another form.
 * @param importKey of the DCO, SubjectPublicKeyInfo, RSA-3072
 */
export function writeInheritedFile(
  head: Omit<InheritedFile, 'devices'>,
  devices: readonly HandedOver[],
  importKey: Bytes,
  signer: Signer,
): Buffer {
  const wrapped = devices.map(({ keys, ...device }) => ({
    ...device,
    keys: keys.map(({ octets, ...key }) => ({ ...key, wrapped: toHex(wrapToTransportKey(importKey, octets)) })),
  }))
  return writeSigned('inherited keys', { ...head, devices: wrapped }, signer)
}

/** The envelope; `signed.holds` is to be asked before anything in it is believed. @throws Refusal FILE_UNREADABLE */
export function readInheritedFile(envelope: Bytes): { signed: Signed; content: () => InheritedFile } {
  const unreadable = (about?: string) => no('FILE_UNREADABLE', about)
  const signed = readSigned('inherited keys', envelope, unreadable)
  return { signed, content: () => parsed(file, signed.octets, unreadable) }
}

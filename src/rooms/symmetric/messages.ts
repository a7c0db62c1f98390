/** All that an S1SP can ask of a DCO, and what is answered: the whole of what the S1SP program can call. */

import { z } from 'zod'
import { fromHex } from '../../ground/bytes.ts'
import { groundSchema } from '../../policy/symmetric/grounds.ts'
import { keyedClients, keyHolders, lastingTypes } from '../../policy/symmetric/keys.ts'
import { stages } from '../../policy/symmetric/stages.ts'

/** Octets travel as lower-case hexadecimal, and are octets on the DCO's side of the door. */
const octets = (most: number) =>
  z
    .string()
    .regex(/^([0-9a-f]{2})+$/)
    .max(2 * most)
    .transform(fromHex)

/** One whole key record (record.ts). */
const record = octets(1024)
/** One APDU, plain or protected. */
const apdu = octets(0xffff)
const device = z.string().regex(/^[0-9a-f]{16}$/)
const id = z.string().regex(/^[0-9a-f]{32}$/)
const client = z.enum(keyedClients)
const reference = z.string().regex(/^[\x20-\x7e]{1,200}$/)
const counter = z.int().min(0).max(0xffff_fffe)

/** The keys of an association, with every message that works in it: the DCO stores none of them. */
const keys = { association: id, ak: record, guek: record, dk: record.optional() }

/**
 * What each message asks, by its type. Every message has besides: `type`; `id`, 32 hexadecimal digits, which stands in
 * both journals; and `at`, the instant at which it was written. A repeated message is answered with the stored answer,
 * octet for octet, and acted upon once.
 */
export const questions = {
  /**
   * Onboarding (section 6.1): a previous holder's file of keys, unopened (inherited.ts). The DCO checks its signature,
   * opens it in its module, packages and seals: records of generation 0, per Device, or why a Device was not taken on.
   */
  'import-keys': z.strictObject({ file: octets(8_000_000) }),

  /** What the DCO knows of a Device: model, title, and every key that it made or took on, with its stage. No key, no package. */
  'tell-device': z.strictObject({ device }),

  /** Whether the seals of records hold. What does not is corrupt, and is never opened (section 3, point 4). */
  'check-records': z.strictObject({ records: z.array(record).min(1).max(1000) }),

  /**
   * A new key, on a ground (section 6.2). `records` is what the S1SP has of that Device, so that no two keys of it are
   * equal: at least the record of the key that is replaced, unless the ground is that it is lost. The answer is the new
   * record, at the stage `made`. The generation is the DCO's to choose.
   */
  'make-key': z.strictObject({
    device,
    holder: z.enum(keyHolders),
    keyType: z.enum(lastingTypes),
    ground: groundSchema,
    records: z.array(record).max(32),
  }),

  /** A key at the stage `made` is given up: it never left the DCO towards the Device. */
  'abandon-key': z.strictObject({ record }),

  /**
   * Pass 1 of an association (section 6.3): the AARQ. The keys are those that the Device is thought to hold; opened with
   * candidates, it is a probe (section 7). `title` is the Device's system title, if the DCO does not know it by proof.
   * With `dedicated`, a DK is made, sent along, and given out as a record.
   */
  'open-association': z.strictObject({
    device,
    client,
    ak: record,
    guek: record,
    dedicated: z.boolean(),
    title: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .transform(fromHex)
      .optional(),
  }),

  /** Passes 2 and 3: reads the AARE, and gives the ciphered action that carries f(StoC); never f(StoC) itself. Once. */
  'answer-association': z.strictObject({ ...keys, apdu }),

  /**
   * Pass 4: verified, it proves AK and GUEK together. The answer says which keys of the Device have changed stage by it:
   * active, superseded, abandoned. With `read`, the answer brings what `protect-proof-read` would, in the same step; a
   * Device that wants strictly the next counter is asked by messages of their own, each of which can be sent again.
   */
  'finish-association': z.strictObject({ ...keys, apdu, read: z.boolean().optional() }),

  /** The association is over: nothing more is protected or opened in it. The RLRQ is unprotected, and the S1SP's own. */
  'close-association': z.strictObject({ association: id }),

  /**
   * One command that an instruction asks for (instruction.ts), protected. The plain APDU is a get, set or action, and
   * never on class 15 or 64. `step` is its place in the instruction, from 0.
   */
  'protect-command': z.strictObject({
    ...keys,
    instruction: octets(100_000),
    step: z.int().min(0).max(999),
    apdu,
  }),

  /** A read that the DCO itself forms, of the Device's clock: to show that an association works. */
  'protect-proof-read': z.strictObject(keys),

  /** security_activate on the client's Security Setup, to the policy of the model; formed by the DCO. */
  'protect-activation': z.strictObject(keys),

  /**
   * key_transfer (section 6.2), formed by the DCO: new keys, wrapped under the MK that the Device holds now. `holder`
   * follows from the records. From when this is answered each of them is `offered`.
   */
  'offer-keys': z.strictObject({ ...keys, mk: record, keys: z.array(record).min(1).max(3) }),

  /**
   * A reply of the Device to what was last protected in the association: verified, deciphered. After an offer it may be
   * under the new keys already; they are tried when they are given, after the old ones.
   */
  'open-reply': z.strictObject({ ...keys, apdu, newAk: record.optional(), newGuek: record.optional() }),

  /**
   * The counter that the Public client read, unauthenticated: the next one of ours for that key is above it. Only up,
   * and no further than the model's largest jump (section 7, point 8).
   */
  'raise-counter': z.strictObject({ device, client, guek: record, counter }),

  /** While a renewal of an HSM Key is open: the same keys, packaged under the new one of the same role (section 6.6). */
  'renew-records': z.strictObject({ records: z.array(record).min(1).max(500) }),

  /** The signed packages of Shared Keys that wait for this S1SP (hsm-package.ts). */
  'collect-hsm-keys': z.strictObject({}),

  /** Proof of import: a random value packaged under the Shared Key, and its SHA-256. With it goes the S1SP's receipt; the answer is the DCO's. */
  'prove-hsm-key': z.strictObject({
    hsmKey: reference,
    octets: octets(16),
    hash: octets(32),
    receipt: octets(4096),
  }),

  /** The messages of this S1SP that the DCO acted upon or refused: to lay the two journals side by side. */
  'tell-messages': z.strictObject({ from: z.iso.datetime(), until: z.iso.datetime(), after: id.optional() }),
} as const

export type MessageType = keyof typeof questions
export const messageTypes = Object.keys(questions) as readonly MessageType[]

/** What an S1SP writes. */
export type Message<T extends MessageType = MessageType> = {
  [K in T]: { readonly type: K; readonly id: string; readonly at: string } & z.input<(typeof questions)[K]>
}[T]

/** What the DCO reads: the same with octets. */
export type Question<T extends MessageType = MessageType> = {
  [K in T]: { readonly type: K; readonly id: string; readonly at: Date } & z.output<(typeof questions)[K]>
}[T]

const stage = z.enum(stages)
const text = z.string()
const hex = z.string().regex(/^([0-9a-f]{2})*$/)

/** A key as `tell-device` and `finish-association` name it: by what it is and by its record. */
const keyState = z.strictObject({
  holder: z.enum(keyHolders),
  type: z.enum(lastingTypes),
  generation: z.int().min(0),
  record: id,
  stage,
})
export type KeyState = z.output<typeof keyState>

/** What is answered, by the type of the message. Octets are lower-case hexadecimal. */
export const answers = {
  'import-keys': z.strictObject({
    devices: z.array(
      z.strictObject({
        device,
        model: text,
        title: hex.nullable(),
        commissionedAt: z.iso.datetime().nullable(),
        records: z.array(hex),
        refused: z.strictObject({ code: text, says: text }).nullable(),
      }),
    ),
  }),
  'tell-device': z.strictObject({ model: text, title: hex.nullable(), keys: z.array(keyState) }),
  'check-records': z.strictObject({ sound: z.array(z.boolean()) }),
  'make-key': z.strictObject({ record: hex }),
  'abandon-key': z.strictObject({ key: keyState }),
  'open-association': z.strictObject({ association: id, apdu: hex, dk: hex.nullable() }),
  'answer-association': z.strictObject({ apdu: hex, title: hex }),
  'finish-association': z.strictObject({
    proven: z.array(keyState),
    changed: z.array(keyState),
    /** The protected proof read, where one was asked for. */
    apdu: hex.nullable(),
  }),
  'close-association': z.strictObject({}),
  'protect-command': z.strictObject({ apdu: hex }),
  'protect-proof-read': z.strictObject({ apdu: hex }),
  'protect-activation': z.strictObject({ apdu: hex }),
  'offer-keys': z.strictObject({ apdu: hex, keys: z.array(keyState) }),
  /** `under`: which keys the reply was under. `text` is the plain APDU. */
  'open-reply': z.strictObject({ service: text, text: hex, under: z.enum(['association', 'new']) }),
  'raise-counter': z.strictObject({ next: z.int().min(0) }),
  'renew-records': z.strictObject({ records: z.array(hex) }),
  'collect-hsm-keys': z.strictObject({ packages: z.array(hex) }),
  'prove-hsm-key': z.strictObject({ receipt: hex }),
  'tell-messages': z.strictObject({
    messages: z.array(z.strictObject({ id, type: text, outcome: text })),
    more: z.boolean(),
  }),
} as const satisfies Record<MessageType, z.ZodType>

/** The content of the answer to a message of that type. */
export type Content<T extends MessageType> = z.output<(typeof answers)[T]>

/** The answer to a message: what was asked for, or a Refusal with its code. */
export type Answer<T extends MessageType = MessageType> =
  | { readonly id: string; readonly ok: true; readonly content: Content<T> }
  | { readonly id: string; readonly ok: false; readonly code: string; readonly says: string }

/** The way to a DCO: signs, sends, checks the answer's signature. A Refusal of the DCO is thrown as a Refusal. */
export interface DcoLine {
  ask<T extends MessageType>(message: Message<T>): Promise<Content<T>>
}

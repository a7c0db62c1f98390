/** The configuration of a DCO: one file, every key with its default and its meaning. */

import { z } from 'zod'
import { assumed } from '../settings.ts'
import { moduleSettingsSchema } from './module-settings.ts'
import { symmetricSettings } from './settings.ts'

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/)
/** SubjectPublicKeyInfo, DER, lower-case hexadecimal. */
const publicKey = z.string().regex(/^([0-9a-f]{2}){40,600}$/)
const port = z.int().min(0).max(65535)
const organisation = z.strictObject({ name, publicKey })

export const dcoSettingsSchema = z.strictObject({
  /** Stands in key records, packages and journal entries. */
  name,
  kind: z.enum(['test', 'production']),
  symmetric: symmetricSettings(assumed).prefault({}),
  /** Where its keys are. */
  module: moduleSettingsSchema.prefault({}),
  /** The S1SPs that may ask, each with the key that signs its messages and the TLS certificates that it comes with. */
  s1sps: z
    .array(
      organisation.extend({
        /** The system title that its APDUs go out under: 8 octets, lower-case hexadecimal. */
        title: z.string().regex(/^[0-9a-f]{16}$/),
        /** SHA-256 of each client certificate, DER, lower-case hexadecimal. */
        certificates: z.array(z.string().regex(/^[0-9a-f]{64}$/)).default([]),
      }),
    )
    .default([]),
  /** Who countersigns Service Requests. */
  countersigners: z.array(organisation).default([]),
  /** Who hands over inherited keys. */
  holders: z.array(organisation).default([]),
  /** Other modules of this DCO that may be given its DCO Key. */
  modules: z.array(name).default([]),
  /** Administrative Card Set: how many holders must be present. */
  quorum: z.int().min(2).max(20).default(2),
  door: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      serverNames: z.array(z.string()).default(['localhost', '127.0.0.1', '::1']),
      port: port.default(8451),
      idleSeconds: z.int().min(1).default(300),
      headSeconds: z.int().min(1).default(30),
      requestSeconds: z.int().min(1).default(60),
      connections: z.int().min(1).default(500),
      tls13: z.boolean().default(false),
    })
    .prefault({}),
  /** After so many minutes without a word the feed of the environment log is taken to have stopped. */
  feedMinutes: z.int().min(1).default(5),
})

export type DcoSettings = z.output<typeof dcoSettingsSchema>

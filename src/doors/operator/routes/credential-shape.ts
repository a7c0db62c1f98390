/** A credential as answers show it. */

import { z } from 'zod'
import {
  type AnyCredentialKind,
  credentialKinds,
  credentialStates,
} from '../../../policy/registration/credentials.ts'
import type { CredentialRecord } from '../../../rooms/registration/life.ts'
import { id, reference, when } from '../shapes.ts'

export const credentialKind = z.enum(Object.keys(credentialKinds) as [AnyCredentialKind, ...AnyCredentialKind[]])

export const credentialShape = z.strictObject({
  credential: id,
  party: id,
  person: reference.optional().meta({ description: 'its holder; a credential of a system has none' }),
  kind: credentialKind,
  role: z.int().optional(),
  systemName: z.string(),
  state: z.enum(credentialStates),
  requested: when,
  issued: when.optional(),
  expires: when.optional(),
  ended: when.optional(),
  replaces: id.optional(),
  certificate: z
    .strictObject({ issuer: z.string(), serial: z.string() })
    .optional()
    .meta({ description: "SHA-256 of the issuer's name, and the serial number; hexadecimal" }),
})

export function shownCredential(record: CredentialRecord) {
  const { id: credential, requestedAt, issuedAt, expiresAt, endedAt, ...rest } = record
  return { credential, ...rest, requested: requestedAt, issued: issuedAt, expires: expiresAt, ended: endedAt }
}

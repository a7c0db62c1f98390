/** Device models as data: what a kind of Device can do with its keys (dlms.md section 7). */

import { z } from 'zod'
import { type Client, clients, type KeyedClient, keyedClients } from './keys.ts'

const logicalName = z.string().regex(/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){5}$/)
const keyed = z.enum(keyedClients)

const clientObjectsSchema = z.strictObject({
  /** The client address: source wPort of the wrapper. */
  address: z.int().min(0).max(0xffff),
  association: logicalName,
  frameCounter: logicalName,
  securitySetup: logicalName,
})

export const clientsSchema = z.strictObject(
  Object.fromEntries(clients.map(client => [client, clientObjectsSchema])) as Record<
    Client,
    typeof clientObjectsSchema
  >,
)

const modelObject = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$/),
  /** The logical device: destination wPort of the wrapper. */
  serverAddress: z.int().min(0).max(0xffff),
  /** In octets. */
  maxPdu: z.int().min(64).max(0xffff),
  framing: z.enum(['glo', 'general-glo']),
  clients: clientsSchema,
  /** What of a client can be replaced, and whether the MK can. What cannot is an exception when a rotation closes. */
  rotates: z.strictObject({ ak: z.boolean(), guek: z.boolean(), broadcast: z.boolean(), mk: z.boolean() }),
  /** `one-array` only where several keys in one transfer are known to be taken all or none. */
  keyTransfer: z.enum(['one-key', 'one-array']),
  /** Through which client the keys of which clients may be set. */
  mayWriteSetupOf: z.strictObject(
    Object.fromEntries(keyedClients.map(client => [client, z.array(keyed)])) as Record<
      KeyedClient,
      z.ZodArray<typeof keyed>
    >,
  ),
  counters: z.strictObject({
    /** What the Device wants of our counters, and we of its. */
    rule: z.enum(['strictly-next', 'greater']),
    /** The first value under a new GUEK. */
    first: z.int().min(0).max(0xffff_fffe),
    /** The largest jump that an unauthenticated reading may bring about. */
    maxJump: z.int().min(0).max(0xffff_fffe),
  }),
  dedicatedKey: z.enum(['never', 'allowed']),
  /** security_policy that it is told to demand: 3 in version 0, the bit mask in version 1 (DLMS-A03). */
  securityPolicy: z.int().min(0).max(255),
  /** Where each of these values is known from. */
  source: z.string().min(1),
})

/**
 * Of a Device that wants strictly the next counter, AK and GUEK go together: after an AK alone was sent and the answer was
 * lost, one of the two probes is made with an AK that the Device does not have. Its counter is spent under the GUEK that
 * the Device keeps, it verifies for nobody, and so that gap is never closed (smets1-keys.md section 7, point 6).
 */
export const modelSchema = modelObject.refine(
  ({ counters, keyTransfer, rotates }) =>
    counters.rule === 'greater' || (keyTransfer === 'one-array' && (rotates.guek || !rotates.ak)),
  {
    path: ['keyTransfer'],
    message: 'a Device that wants strictly the next counter is given AK and GUEK in one transfer: one-array',
  },
)

export type DeviceModel = z.output<typeof modelSchema>

/** What a configuration says of one model: its name, and whatever is not as the defaults have it. */
export const modelEntrySchema = modelObject.partial().required({ name: true })

/** What cannot be replaced on a Device of that model: recorded when its rotation closes with exceptions. */
export function exceptionsOf({ rotates }: DeviceModel): string[] {
  return [
    ...(rotates.ak ? [] : ['the AK cannot be replaced']),
    ...(rotates.guek ? [] : ['the GUEK cannot be replaced']),
    ...(rotates.mk ? [] : ['the MK cannot be replaced']),
  ]
}

/** The group `symmetric` of the settings: what the Policy leaves open about SMETS1 symmetric keys (KEY-A…, DLMS-A…). */

import { z } from 'zod'
import { type Client, clients, keyedClients } from './keys.ts'
import { clientsSchema, type DeviceModel, modelEntrySchema, modelSchema } from './models.ts'

/** As in `policy/settings.ts`, which owns it and hands it in. */
type Assumed = <T extends z.ZodType>(
  id: string,
  confidence: 'H' | 'M' | 'L',
  type: T,
  byDefault: z.input<T>,
  says: string,
) => z.ZodDefault<T>

const says = (text: string) => ({ says: text })
const client = z.enum(keyedClients)

/** A configuration whose models are none, once they are whole, is refused where it is read. */
export const symmetricSettings = (assumed: Assumed) =>
  groupOf(assumed).superRefine((settings, { addIssue }) => {
    try {
      modelsOf(settings)
    } catch (cause) {
      const message = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message
      addIssue({ code: 'custom', path: ['models'], message })
    }
  })

const groupOf = (assumed: Assumed) =>
  z.strictObject({
    broadcastKey: assumed('KEY-A01', 'L', z.boolean(), false, 'a model holds a broadcast key, which is rotated'),
    managementSets: assumed(
      'KEY-A02',
      'M',
      z.array(client),
      [...keyedClients],
      'clients whose keys the Management client may set; each other sets its own',
    ),
    mkRotates: assumed('KEY-A03', 'L', z.boolean(), false, 'a model takes a new MK'),
    firstCounter: assumed('KEY-A04', 'M', counter(), 1, 'first counter under a new GUEK'),
    maxJump: assumed(
      'KEY-A04',
      'L',
      counter(),
      1_000_000,
      'largest jump of a counter on an unauthenticated reading',
    ),
    keysTogether: assumed(
      'KEY-A05',
      'M',
      z.boolean(),
      false,
      'several keys in one key_transfer are taken all or none, and are sent so',
    ),
    checks: assumed(
      'KEY-A06',
      'L',
      checksSchema,
      defaultChecks,
      'what the DCO checks before it authenticates (smets1-keys.md section 5, point 7)',
    ),
    clientOrder: assumed(
      'KEY-A07',
      'M',
      z.array(client).length(keyedClients.length),
      ['data-collection', 'extended-data-collection', 'firmware', 'management'],
      'order in which the keys of the clients are replaced; the MK is last',
    ),
    supersededDays: assumed('KEY-A08', 'L', z.int().min(1), 90, 'days for which a superseded record stays stored'),
    counterRule: assumed('DLMS-A02', 'M', z.enum(['greater', 'strictly-next']), 'greater', 'counters of a model'),
    securityPolicy: assumed(
      'DLMS-A03',
      'M',
      z.int().min(0).max(255),
      3,
      'security_policy that a Device is told to demand: 3 in version 0, a bit mask in version 1',
    ),
    clients: assumed('DLMS-A05', 'M', clientsSchema, usualClients, 'addresses and objects of the five clients'),
    serverAddress: assumed('DLMS-A05', 'L', z.int().min(0).max(0xffff), 1, 'logical device of a Device'),
    maxPdu: assumed('DLMS-A08', 'M', z.int().min(64).max(0xffff), 1070, 'largest PDU of a Device, octets'),
    models: z
      .array(modelEntrySchema)
      .default([
        { name: 'usual' },
        {
          name: 'usual-mk',
          rotates: { ak: true, guek: true, broadcast: false, mk: true },
          dedicatedKey: 'allowed',
        },
        {
          name: 'strict-hub',
          maxPdu: 4096,
          framing: 'general-glo',
          rotates: { ak: true, guek: true, broadcast: false, mk: true },
          keyTransfer: 'one-array',
          counters: { rule: 'strictly-next', first: 1, maxJump: 1_000_000 },
        },
      ])
      .meta(says('Device models: a name, and what is not as the settings of this group have it')),
    counterBlock: z
      .int()
      .min(1)
      .max(65_536)
      .default(32)
      .meta(says('counters that the DCO marks as used at a time')),
    restoreGap: z
      .int()
      .min(0)
      .default(10_000)
      .meta(says('counters that are skipped in every stream after the DCO was restored from a copy')),
    messageMinutes: z.int().min(1).default(10).meta(says('how far the clocks of S1SP and DCO may be apart')),
    answerDays: z
      .int()
      .min(1)
      .default(7)
      .meta(says('days for which a message may be sent again, and its stored answer is kept')),
    associationHours: z.number().positive().default(24).meta(says('hours after which an association is closed')),
  })

const counter = () => z.int().min(0).max(0xffff_fffe)

/** Each can be switched off or set, because no text says what a DCO must check. */
const checksSchema = z.strictObject({
  /** A command needs an instruction with the signature of a countersigner that the DCO knows. */
  signedInstruction: z.boolean(),
  /** The command is one that the instruction lists, for that Device and client. */
  commandAsked: z.boolean(),
  /** Each command of an instruction is protected once. */
  once: z.boolean(),
  /** Plain services that are taken from outside; none of them on class 64 or class 15, whatever stands here. */
  services: z.array(z.enum(['get-request', 'set-request', 'action-request'])),
  /** Commands for one Device in an hour of the clock. */
  perDeviceAnHour: z.int().min(1),
  /** Commands for all Devices in a minute of the clock, while the program runs. */
  allAMinute: z.int().min(1),
  /** A decision of the SMKI PMA stands in the DCO's own register before keys are made on its ground. */
  decisionRegistered: z.boolean(),
})

export type DcoChecks = z.output<typeof checksSchema>

export const defaultChecks: DcoChecks = {
  signedInstruction: true,
  commandAsked: true,
  once: true,
  services: ['get-request', 'set-request', 'action-request'],
  perDeviceAnHour: 120,
  allAMinute: 100_000,
  decisionRegistered: true,
}

/** Addresses, and the x of the objects (dlms.md section 7). */
const usualClients = Object.fromEntries(
  clients.map((name, i) => [
    name,
    {
      address: 16 * (i + 1),
      association: `0.0.40.0.${i + 1}.255`,
      frameCounter: `0.0.43.1.${i + 1}.255`,
      securitySetup: `0.0.43.0.${i + 1}.255`,
    },
  ]),
) as Record<Client, DeviceModel['clients'][Client]>

export type SymmetricSettings = z.output<ReturnType<typeof groupOf>>

/** The models of a configuration, whole. @throws ZodError for what is no model, RangeError for two of one name */
export function modelsOf(settings: SymmetricSettings): ReadonlyMap<string, DeviceModel> {
  const own = (name: (typeof keyedClients)[number]) => (name === 'management' ? settings.managementSets : [name])
  const defaults = {
    serverAddress: settings.serverAddress,
    maxPdu: settings.maxPdu,
    framing: 'glo',
    clients: settings.clients,
    rotates: { ak: true, guek: true, broadcast: settings.broadcastKey, mk: settings.mkRotates },
    keyTransfer: settings.keysTogether ? 'one-array' : 'one-key',
    mayWriteSetupOf: Object.fromEntries(keyedClients.map(name => [name, own(name)])),
    counters: { rule: settings.counterRule, first: settings.firstCounter, maxJump: settings.maxJump },
    dedicatedKey: 'never',
    securityPolicy: settings.securityPolicy,
    source: 'the defaults of the specification (KEY-A01 to A05, DLMS-A01 to A08), not the papers of a maker',
  }
  const models = new Map<string, DeviceModel>()
  for (const entry of settings.models) {
    if (models.has(entry.name)) throw new RangeError(`two Device models have the name ${entry.name}`)
    models.set(entry.name, modelSchema.parse({ ...defaults, ...entry }))
  }
  return models
}

/** What is on record of recoveries: Devices, files, who keeps the keys, and the drills that are due. */

import { z } from 'zod'
import { procedureNames } from '../../../policy/recovery/cases.ts'
import { ceaseCustodian, custodians, custodyRecords } from '../../../rooms/recovery/custodians.ts'
import { devicesOf } from '../../../rooms/recovery/devices.ts'
import { drills, dueDrills } from '../../../rooms/recovery/drills.ts'
import { eventOf } from '../../../rooms/recovery/event.ts'
import { filesAfter, recordedFiles } from '../../../rooms/recovery/exchange.ts'
import { no } from '../../../rooms/recovery/refusals.ts'
import { mustBeCentral, mustSee } from '../officer.ts'
import { deviceStates, handsOf, procedureName } from '../recovery-shapes.ts'
import type { Group, Routes } from '../route.ts'
import { digest, given, id, reference, when } from '../shapes.ts'

const event = z.object({ event: z.string().min(3).max(32) })
const things = {
  'recovery-key': 'recovery key',
  'contingency-key': 'contingency key',
  'symmetric-key': 'symmetric key',
} as const
const thing = z.enum(Object.values(things) as [(typeof things)[keyof typeof things]])

const file = {
  name: z.string(),
  fileType: z.string(),
  sender: z.string(),
  sequence: z.int(),
  records: z.int(),
  sha256: digest,
  isSigned: z.boolean(),
  at: when,
}

export const recoveryRecords: Group = {
  name: 'recovery records',
  says: 'Relevant Devices, files, Key Custodians, and drills that are due',
  add(routes) {
    ofEvents(routes)
    ofKeys(routes)
  },
}

function ofEvents({ door, add }: Routes): void {
  const { store } = door

  add({
    method: 'GET',
    path: '/recoveries/:event/devices',
    says: 'its Relevant Devices by EUI-64, 500 at a time; those that are listed with their reasons',
    params: event,
    query: z.strictObject({
      state: z.enum(deviceStates).optional(),
      after: z
        .string()
        .regex(/^[0-9a-f]{16}$/)
        .optional()
        .meta({ description: 'the last of the part before' }),
    }),
    answer: z.strictObject({
      devices: z.array(
        z.strictObject({
          device: z.string(),
          kind: z.string(),
          state: z.enum(deviceStates),
          attempts: z.int(),
          reason: z.string().optional(),
          status: z.int().optional().meta({ description: 'the status of a cell that did not succeed' }),
          provenAt: when.optional(),
        }),
      ),
    }),
    async run({ caller, params, query }) {
      mustSee(caller, (await eventOf(store, params.event)).party)
      return { devices: await devicesOf(store, params.event, { ...query, limit: 500 }) }
    },
  })

  add({
    method: 'GET',
    path: '/recoveries/:event/files',
    says: 'files that came and went, oldest first',
    params: event,
    answer: z.strictObject({ files: z.array(z.strictObject(file)) }),
    async run({ caller, params }) {
      mustSee(caller, (await eventOf(store, params.event)).party)
      return { files: await recordedFiles(store, params.event) }
    },
  })

  add({
    method: 'GET',
    path: '/recoveries/:event/files/:name',
    says: 'one file as it was, with its detached signature (CMS)',
    params: z.object({ event: event.shape.event, name: z.string().min(1).max(200) }),
    answer: z.strictObject({
      ...file,
      octets: z.string().meta({ description: 'Base64' }),
      signature: z.string().optional().meta({ description: 'DER in Base64' }),
    }),
    async run({ caller, params }) {
      mustSee(caller, (await eventOf(store, params.event)).party)
      const found = (await recordedFiles(store, params.event)).find(one => one.name === params.name)
      const [kept] = found ? await filesAfter(store, params.event, { ...found, sequence: found.sequence - 1 }) : []
      if (!found || !kept) throw no('FILE_UNKNOWN')
      const signature = kept.signature && { signature: kept.signature.toString('base64') }
      return { ...found, octets: kept.octets.toString('base64'), ...signature }
    },
  })
}

function ofKeys({ door, add }: Routes): void {
  const { store } = door
  const hands = handsOf(door)

  add({
    method: 'GET',
    path: '/recovery-custody',
    says: 'which keys Key Custodians keep, how many shares open each, and who holds one',
    answer: z.strictObject({
      custody: z.array(
        z.strictObject({
          thing,
          store: z.string().optional(),
          needed: z.int().optional(),
          since: when,
          custodians: z.array(
            z.strictObject({ person: reference, share: z.int(), from: when, until: when.optional() }),
          ),
        }),
      ),
    }),
    async run({ caller }) {
      mustBeCentral(caller)
      const all = await custodians(store)
      const records = await custodyRecords(store)
      return {
        custody: records.map(({ quorum, ...one }) => ({
          ...one,
          needed: quorum?.needed,
          custodians: all.filter(of => of.thing === one.thing).map(({ thing: _, ...of }) => of),
        })),
      }
    },
  })

  add({
    method: 'POST',
    path: '/recovery-custody/:thing/cessations',
    says: 'a Key Custodian leaves: the share counts no more from now on',
    params: z.object({ thing: z.enum(Object.keys(things) as [keyof typeof things]) }),
    body: z.strictObject({ person: reference, ...given }),
    answer: z.strictObject({ needed: z.int(), left: z.int() }),
    async run({ by, params, body: { person, ...more } }) {
      const { threshold, holders } = await ceaseCustodian(hands, by(), things[params.thing], person, more)
      return { needed: threshold, left: holders.filter(one => one.left === undefined).length }
    },
  })

  add({
    method: 'GET',
    path: '/recovery-drills',
    says: 'drills on record, and which are due',
    answer: z.strictObject({
      drills: z.array(
        z.strictObject({
          drill: id,
          procedure: procedureName,
          devices: z.int(),
          proven: z.int(),
          listed: z.int(),
          seconds: z.int(),
          at: when,
          report: digest,
          lessons: z.string(),
        }),
      ),
      due: z.array(z.strictObject({ procedure: procedureName, due: when, isDue: z.boolean() })),
    }),
    async run({ caller }) {
      mustBeCentral(caller)
      const held = await drills(store)
      return {
        drills: held.map(({ id: drill, ...one }) => ({ drill, ...one })),
        due: dueDrills(held, procedureNames, door.settings.recovery.drillMonths, door.clock()),
      }
    },
  })
}

/** Recovery from the Compromise of a Relevant Private Key: notified, confirmed, decided about, carried out, closed. */

import { z } from 'zod'
import { equal, fromHex } from '../../../ground/bytes.ts'
import { NotDer } from '../../../ground/der/read.ts'
import { readCertificate } from '../../../ground/x509/certificate.ts'
import { cellText } from '../../../policy/recovery/cases.ts'
import { actions } from '../../../policy/recovery/steps.ts'
import { authorities } from '../../../rooms/authority/register.ts'
import {
  beginWave,
  closeRecovery,
  pauseRecovery,
  resumeRecovery,
  retryListed,
  setPace,
} from '../../../rooms/recovery/campaign.ts'
import { endLeftCeremonies } from '../../../rooms/recovery/custody.ts'
import { openDirection } from '../../../rooms/recovery/direction.ts'
import { eventOf, events } from '../../../rooms/recovery/event.ts'
import { freezeDevices } from '../../../rooms/recovery/freeze.ts'
import { inventoryInStore } from '../../../rooms/recovery/inventory.ts'
import { chooseProcedure, confirmCompromise, notifyCompromise } from '../../../rooms/recovery/notify.ts'
import { layDown, type NewReplacement } from '../../../rooms/recovery/replacements.ts'
import { doneStep } from '../../../rooms/recovery/steps.ts'
import type { OperatorDoor } from '../door.ts'
import { mustSee } from '../officer.ts'
import {
  counts,
  eventShape,
  handsOf,
  keyKind,
  procedureName,
  reportShape,
  shownEvent,
  shownReport,
} from '../recovery-shapes.ts'
import { refuse } from '../refusals.ts'
import type { Group, Routes } from '../route.ts'
import { digest, given, id, instant } from '../shapes.ts'

const name = z.string().regex(/^[A-Z][A-Z0-9-]{2,31}$/)
const event = z.object({ event: name })
const keyId = z.string().regex(/^[0-9a-f]{16}$/)
const eui64 = keyId
const certificate = z
  .base64()
  .max(8000)
  .transform(text => Buffer.from(text, 'base64'))
  .meta({ description: 'a certificate, DER in Base64' })

export const recoveries: Group = {
  name: 'recoveries',
  says: 'recovery from the Compromise of a Relevant Private Key (SEC Appendix L)',
  add(routes) {
    look(routes)
    begin(routes)
    decide(routes)
    carryOut(routes)
  },
}

function look({ door, add }: Routes): void {
  add({
    method: 'GET',
    path: '/recoveries',
    says: 'on record, latest first; officers of an organisation see those about its own keys',
    query: z.strictObject({ open: z.literal('yes').optional() }),
    answer: z.strictObject({ recoveries: z.array(eventShape) }),
    async run({ caller, query }) {
      const all = await events(door.store, { party: caller.party, ...(query.open && { open: true as const }) })
      return { recoveries: all.map(shownEvent) }
    },
  })

  add({
    method: 'GET',
    path: '/recoveries/:event',
    says: 'one of them: its clock, the step that is due, counts, directions and ceremonies',
    params: event,
    answer: reportShape,
    async run({ caller, params }) {
      mustSee(caller, (await eventOf(door.store, params.event)).party)
      return shownReport(door, params.event)
    },
  })
}

function begin({ door, add }: Routes): void {
  const hands = handsOf(door)

  add({
    method: 'POST',
    path: '/recoveries',
    says: 'notify a Compromise, or the suspicion of one',
    status: 201,
    body: z.strictObject({
      event: name.meta({ description: 'its reference, yours to choose: capital letters, digits, hyphens' }),
      keyKind,
      key: digest.meta({ description: 'SHA-256 of the SubjectPublicKeyInfo of the key' }),
      keyIds: z
        .array(keyId)
        .min(1)
        .max(1000)
        .meta({ description: 'key identifiers of the certificates concerned' }),
      party: id.optional().meta({ description: 'whose key it is, of an Organisation key' }),
      suspectedSince: instant,
      asksFor: procedureName.optional(),
      ...given,
    }),
    answer: eventShape,
    async run({ by, body }) {
      const { event: reference, key, keyIds, words, evidence, ...rest } = body
      const notification = { ...rest, reference, key: fromHex(key), keyIds: keyIds.map(one => fromHex(one)) }
      return shownEvent(await notifyCompromise(hands, by(), notification, { words, evidence }))
    },
  })

  add({
    method: 'POST',
    path: '/recoveries/:event/confirmation',
    says: 'the notifier was authenticated, and the Compromise is confirmed or rejected, by other means than it came',
    params: event,
    body: z.strictObject({ means: z.string().min(1).max(64), confirmed: z.boolean(), ...given }),
    answer: eventShape,
    run: async ({ by, params, body: { means, confirmed, ...more } }) =>
      shownEvent(await confirmCompromise(hands, by(), params.event, { means, confirmed }, more)),
  })

  add({
    method: 'POST',
    path: '/recoveries/:event/procedure',
    says: 'choose the procedure; its steps are laid down as they are set now',
    params: event,
    body: z.strictObject({ procedure: procedureName, ...given }),
    answer: eventShape,
    run: async ({ by, params, body: { procedure, ...more } }) =>
      shownEvent(await chooseProcedure(hands, by(), params.event, procedure, more)),
  })

  add({
    method: 'POST',
    path: '/recoveries/:event/steps',
    says: 'record that the step that is due was done',
    params: event,
    body: z.strictObject({ action: z.enum(actions), ...given }),
    answer: reportShape,
    async run({ by, params, body: { action, ...more } }) {
      await doneStep(hands, by(), params.event, action, more)
      return shownReport(door, params.event)
    },
  })
}

function decide({ door, add }: Routes): void {
  const hands = handsOf(door)

  add({
    method: 'POST',
    path: '/recoveries/:event/devices',
    says: 'select the Relevant Devices from the inventory, and freeze them',
    params: event,
    body: z.strictObject(given),
    answer: eventShape,
    run: async ({ by, params, body }) =>
      shownEvent(await freezeDevices(hands, by(), params.event, inventoryInStore(door.store), body)),
  })

  add({
    method: 'POST',
    path: '/recoveries/:event/directions',
    says: 'take a decision of the SMKI PMA as the direction under which a key of the DCC is used',
    status: 201,
    params: event,
    body: z.strictObject({
      decision: z.string().min(1).max(100),
      key: digest.meta({ description: 'SHA-256 of the SubjectPublicKeyInfo of the key that is to be used' }),
      ...given,
    }),
    answer: reportShape,
    async run({ by, params, body: { decision, key, ...more } }) {
      await openDirection(hands, by(), params.event, decision, fromHex(key), more)
      return shownReport(door, params.event)
    },
  })

  add({
    method: 'POST',
    path: '/recoveries/:event/replacements',
    says: 'lay down what a wave of commands puts where; more may be added until it begins',
    status: 201,
    params: event,
    body: z.strictObject({
      wave: z.int().min(1).max(2),
      replacements: z
        .array(
          z.strictObject({
            cell: z.string().regex(cellText).meta({ description: '{2,KA,topUp}' }),
            holder: eui64.meta({ description: 'whose cell it is now: Subject Unique ID; zeros for the root' }),
            certificate,
            goesTo: eui64.optional().meta({ description: 'whose it becomes, where that is somebody else' }),
          }),
        )
        .min(1)
        .max(200),
      path: z.array(certificate).max(3).optional().meta({ description: 'by default the Issuing OCA of the first' }),
      root: certificate
        .optional()
        .meta({ description: 'that Devices hold then; by default that of the Issuing OCA' }),
    }),
    answer: reportShape,
    async run({ by, params, body }) {
      const { wave, replacements } = body
      const under = await pathOf(door, replacements, body)
      await layDown(hands, by(), params.event, wave, replacements, under)
      return shownReport(door, params.event)
    },
  })
}

function carryOut({ door, add }: Routes): void {
  const hands = handsOf(door)
  const shown = async (reference: string) => shownEvent(await eventOf(door.store, reference))

  add({
    method: 'POST',
    path: '/recoveries/:event/waves',
    says: 'begin the next wave of commands',
    status: 201,
    params: event,
    body: z.strictObject({}),
    answer: eventShape,
    run: async ({ by, params }) => shownEvent(await beginWave(hands, by(), params.event)),
  })

  add({
    method: 'POST',
    path: '/recoveries/:event/pause',
    says: 'hold everything: nothing is written down, signed or sent until it goes on',
    params: event,
    body: z.strictObject(given),
    answer: eventShape,
    async run({ by, params, body }) {
      await pauseRecovery(hands, by(), params.event, body)
      return shown(params.event)
    },
  })

  add({
    method: 'POST',
    path: '/recoveries/:event/resumption',
    says: 'let a recovery that was held go on',
    params: event,
    body: z.strictObject(given),
    answer: eventShape,
    async run({ by, params, body }) {
      await resumeRecovery(hands, by(), params.event, body)
      return shown(params.event)
    },
  })

  add({
    method: 'PUT',
    path: '/recoveries/:event/pace',
    says: 'how many commands leave in a minute',
    params: event,
    body: z.strictObject({ pace: z.int().min(1).max(1_000_000) }),
    answer: eventShape,
    async run({ by, params, body }) {
      await setPace(hands, by(), params.event, body.pace)
      return shown(params.event)
    },
  })

  add({
    method: 'POST',
    path: '/recoveries/:event/retry',
    says: 'let the listed Devices have another try; each command of it counts against the direction',
    params: event,
    body: z.strictObject(given),
    answer: z.strictObject({ devices: z.int() }),
    run: async ({ by, params, body }) => ({ devices: await retryListed(hands, by(), params.event, body) }),
  })

  add({
    method: 'POST',
    path: '/recoveries/:event/sleep',
    says: 'put on record that a key is asleep whose process ended without a word',
    params: event,
    body: z.strictObject(given),
    answer: z.strictObject({ ceremonies: z.int() }),
    run: async ({ by, params, body }) => ({ ceremonies: await endLeftCeremonies(hands, by(), params.event, body) }),
  })

  add({
    method: 'POST',
    path: '/recoveries/:event/closing',
    says: 'close it: what is open is listed with the reason, directions are closed with their outcome',
    params: event,
    body: z.strictObject({ reason: z.string().min(1).max(200), ...given }),
    answer: z.strictObject({ counts }),
    run: async ({ by, params, body: { reason, ...more } }) => ({
      counts: await closeRecovery(hands, by(), params.event, reason, more),
    }),
  })
}

/** The path that was given; else the Issuing OCA that signed the first of them, and its root. @throws Refusal REQUEST_UNFIT */
async function pathOf(
  { store }: OperatorDoor,
  replacements: readonly NewReplacement[],
  { path, root }: { readonly path?: readonly Buffer[] | undefined; readonly root?: Buffer | undefined },
): Promise<{ path: readonly Uint8Array[]; root: Uint8Array }> {
  for (const one of [...replacements.map(of => of.certificate), ...(path ?? []), ...(root ? [root] : [])])
    requireCertificate(one)
  const all = (await authorities(store)).filter(one => one.pki === 'smki-organisation')
  const above = (der: Uint8Array) => {
    const { issuer } = readCertificate(der)
    return all.find(one => equal(one.certificate.subject.der, issuer.der))
  }
  const issuing = above(replacements[0]!.certificate)
  const found = path ?? (issuing && issuing.level === 'issuing' ? [issuing.certificate.der] : undefined)
  const anchor = root ?? (found?.[0] && above(found[0])?.certificate.der)
  if (!found || !anchor)
    throw refuse('REQUEST_UNFIT', 'no authority here has issued the first certificate: give path and root')
  return { path: found, root: anchor }
}

function requireCertificate(octets: Uint8Array): void {
  try {
    readCertificate(octets)
  } catch (cause) {
    if (cause instanceof NotDer) throw refuse('REQUEST_UNFIT', 'what should be a certificate is none')
    throw cause
  }
}

/** Commands: what the DCO checks before it authenticates, and what it forms itself (smets1-keys.md section 5, point 7). */

import { type Bytes, fromHex, toHex } from '../../../ground/bytes.ts'
import { writeActionRequest } from '../../../ground/dlms/action.ts'
import { writeGetRequest } from '../../../ground/dlms/get.ts'
import { readPlain } from '../../../ground/dlms/plain.ts'
import { protect } from '../../../ground/dlms/protect.ts'
import { usualInvoke } from '../../../ground/dlms/request.ts'
import type { ServiceName } from '../../../ground/dlms/services.ts'
import { securityActivate, securitySetupClass } from '../../../ground/dlms/setup.ts'
import type { Client } from '../../../ground/store/store.ts'
import { commandOf, isAsked, readInstruction } from '../instruction.ts'
import { no } from '../refusals.ts'
import { takeFor } from './counters.ts'
import type { Asking, Planner } from './plan.ts'
import { requireBelow, tally } from './rate.ts'
import { type Awaiting, enter, hlsInvoke, type Session, saysOf, step } from './session.ts'

export const protectCommand: Planner<'protect-command'> = async asking => {
  const { hands, question, now } = asking
  const session = await enter(asking, 'proven')
  const { association } = session
  const command = taken(asking)
  const instruction = asked(asking, session, command)
  // Also looked at before a counter is taken: one that is taken for nothing is a gap, which some Devices never get over.
  if (instruction) await requireUnspent(asking, instruction.id)
  await requireBelow(asking, association.device.device)
  hands.rate.count(now)

  const awaiting: Awaiting = { service: answerTo[command.service], invoke: command.invoke, what: 'command' }
  const { apdu, counter } = await enclose(asking, session, question.apdu)
  const keep = async (db: Client): Promise<void> => {
    await step(db, association, { state: 'proven', awaiting })
    if (instruction) await spend(db, asking, instruction.id)
    await tally(db, asking, association.device.device)
  }
  const { classId, logicalName, member } = command
  const body = {
    ...saysOf(session),
    counter,
    service: command.service,
    object: `${classId} ${logicalName} ${member}`,
    instruction: instruction ? { id: instruction.id, step: question.step } : null,
  }
  return { content: { apdu }, tells: [{ act: 'command.protected', body }], keep }
}

export const protectProofRead: Planner<'protect-proof-read'> = async asking => {
  const session = await enter(asking, 'proven')
  const { plain, awaiting } = proofRead
  return own(asking, session, plain(), awaiting)
}

/** The clock: an object that every Device has and every client may read, and that tells nothing of a consumer. */
export const proofRead = {
  plain: () => writeGetRequest({ service: 'get-request', invoke: usualInvoke, ...clock }),
  awaiting: { service: 'get-response', invoke: usualInvoke, what: 'proof-read' },
} as const

export const protectActivation: Planner<'protect-activation'> = async asking => {
  const session = await enter(asking, 'proven')
  const { device, client } = session.association
  const action = securityActivate(device.model.clients[client].securitySetup, device.model.securityPolicy)
  return own(asking, session, writeActionRequest(action), {
    service: 'action-response',
    invoke: usualInvoke,
    what: 'activation',
  })
}

/** Protects a plain APDU in an association: authenticated and enciphered, and never less. */
export async function enclose(
  asking: Asking,
  { association, keys }: Session,
  plain: Bytes,
): Promise<{ apdu: string; counter: number }> {
  const { model } = association.device
  const { counters } = await takeFor(asking, model, keys.key, 1, () => ({}))
  const apdu = protect(keys, counters[0]!, plain, { framing: model.framing })
  return { apdu: toHex(apdu), counter: counters[0]!.value }
}

const clock = { classId: 8, logicalName: '0.0.1.0.0.255', member: 2 } as const
const associationClass = 15

const answerTo = {
  'get-request': 'get-response',
  'set-request': 'set-response',
  'action-request': 'action-response',
} as const satisfies Record<string, ServiceName>

/** @throws Refusal DLMS_…, COMMAND_NOT_TAKEN, COMMAND_IS_DCO_OWN */
function taken({ hands, question }: Asking<'protect-command'>) {
  const plain = readPlain(question.apdu)
  const command = commandOf(plain)
  const { services } = hands.settings.symmetric.checks
  if (!command || !services.includes(command.service) || !('invoke' in plain) || plain.invoke === hlsInvoke) {
    throw no('COMMAND_NOT_TAKEN', plain.service)
  }
  // Whatever configuration says: who may form these could send a key to the wrong place, or change who is believed.
  if (command.classId === securitySetupClass || command.classId === associationClass) {
    throw no('COMMAND_IS_DCO_OWN', `class ${command.classId}`)
  }
  return { ...command, invoke: plain.invoke }
}

/** @throws Refusal INSTRUCTION_… */
function asked(
  { hands, question, now }: Asking<'protect-command'>,
  { association }: Session,
  command: ReturnType<typeof taken>,
) {
  const { signedInstruction, commandAsked } = hands.settings.symmetric.checks
  if (!signedInstruction && !commandAsked) return undefined
  const keyOf = (name: string) => {
    const found = hands.settings.countersigners.find(each => each.name === name)
    return found && fromHex(found.publicKey)
  }
  const instruction = readInstruction(question.instruction, keyOf, signedInstruction)
  if (now > new Date(instruction.validUntil)) throw no('INSTRUCTION_LATE', instruction.validUntil)
  const { device, client } = association
  if (instruction.device !== device.device || instruction.client !== client) throw no('INSTRUCTION_OTHER')
  const { invoke, ...bare } = command
  const at = instruction.commands[question.step]
  if (commandAsked && (!at || !isAsked(at, bare))) throw no('INSTRUCTION_OTHER', `step ${question.step}`)
  return instruction
}

/** @throws Refusal INSTRUCTION_SPENT */
async function requireUnspent({ hands, question }: Asking<'protect-command'>, id: string): Promise<void> {
  if (!hands.settings.symmetric.checks.once) return
  const { rowCount } = await hands.store.query({
    name: 'dco instruction spent',
    text: 'SELECT FROM dco_instruction WHERE id = $1 AND step = $2',
    values: [id, question.step],
  })
  if (rowCount !== 0) throw no('INSTRUCTION_SPENT', `${id}, step ${question.step}`)
}

/** @throws Refusal INSTRUCTION_SPENT */
async function spend(db: Client, { hands, question, now }: Asking<'protect-command'>, id: string): Promise<void> {
  if (!hands.settings.symmetric.checks.once) return
  const { rowCount } = await db.query({
    name: 'dco instruction',
    text: 'INSERT INTO dco_instruction (id, step, message, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
    values: [id, question.step, fromHex(question.id), now],
  })
  if (rowCount === 0) throw no('INSTRUCTION_SPENT', `${id}, step ${question.step}`)
}

async function own(asking: Asking, session: Session, plain: Bytes, awaiting: Awaiting) {
  const { apdu, counter } = await enclose(asking, session, plain)
  const keep = (db: Client) => step(db, session.association, { state: 'proven', awaiting })
  const body = { ...saysOf(session), counter, service: awaiting.what }
  return { content: { apdu }, tells: [{ act: 'command.protected', body }], keep }
}

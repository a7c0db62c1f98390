/** An instruction: what a Countersigned Service Request asks for, as commands that a DCO can compare (section 5, point 7). */

import { z } from 'zod'
import { type Bytes, equal, fromHex } from '../../ground/bytes.ts'
import { type Data, readWholeData, writeData } from '../../ground/dlms/data.ts'
import type { Plain } from '../../ground/dlms/plain.ts'
import { keyedClients } from '../../policy/symmetric/keys.ts'
import { no } from './refusals.ts'
import { parsed, readSigned, type Signer, writeSigned } from './signed.ts'

const command = z.strictObject({
  service: z.enum(['get-request', 'set-request', 'action-request']),
  classId: z.int().min(0).max(0xffff),
  logicalName: z.string().regex(/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){5}$/),
  /** The attribute or method. */
  member: z.int().min(-128).max(127),
  /** Of a set and of an action with an argument: the value as DLMS encodes it, lower-case hexadecimal. */
  data: z
    .string()
    .regex(/^([0-9a-f]{2})+$/)
    .optional(),
})

const instruction = z.strictObject({
  /** Of the Countersigned Service Request: never used for another. */
  id: z.string().regex(/^[\x20-\x7e]{1,100}$/),
  device: z.string().regex(/^[0-9a-f]{16}$/),
  client: z.enum(keyedClients),
  validUntil: z.iso.datetime(),
  commands: z.array(command).min(1).max(1000),
})

export type Instruction = z.output<typeof instruction>
export type InstructedCommand = z.output<typeof command>

/** By the countersigner. */
export const signInstruction = (what: Instruction, signer: Signer): Buffer =>
  writeSigned('instruction', what, signer)

/**
 * @param keyOf the key of that countersigner, SubjectPublicKeyInfo; undefined if it is not known
 * @param mustHold false where configuration says that no signature is asked for (KEY-A06)
 * @throws Refusal INSTRUCTION_UNREADABLE, INSTRUCTION_UNSIGNED
 */
export function readInstruction(
  envelope: Bytes,
  keyOf: (name: string) => Bytes | undefined,
  mustHold = true,
): Instruction {
  const unreadable = (about?: string) => no('INSTRUCTION_UNREADABLE', about)
  const signed = readSigned('instruction', envelope, unreadable)
  const spki = keyOf(signed.by)
  if (mustHold && (spki === undefined || !signed.holds(spki))) throw no('INSTRUCTION_UNSIGNED')
  return parsed(instruction, signed.octets, unreadable)
}

/** What a plain APDU asks for, in the words of an instruction; undefined when it is no get, set or action. */
export function commandOf(apdu: Plain): InstructedCommand | undefined {
  if (apdu.service !== 'get-request' && apdu.service !== 'set-request' && apdu.service !== 'action-request') {
    return undefined
  }
  const { service, classId, logicalName, member } = apdu
  const data: Data | undefined = service === 'get-request' ? undefined : apdu.data
  return {
    service,
    classId,
    logicalName,
    member,
    ...(data && { data: writeData(data).toString('hex') }),
  }
}

/** Whether the command is the one that the instruction has; values are compared as they are encoded. */
export function isAsked(asked: InstructedCommand, command: InstructedCommand): boolean {
  const same = (['service', 'classId', 'logicalName', 'member'] as const).every(
    name => asked[name] === command[name],
  )
  if (!same || asked.data === undefined || command.data === undefined) return same && asked.data === command.data
  return equal(writeData(readWholeData(fromHex(asked.data))), fromHex(command.data))
}

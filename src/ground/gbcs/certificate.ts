/** CS02c, CS02d and CS02e: a Device's own keys and certificates, asked for, given and shown. */

import type { Bytes } from '../bytes.ts'
import { tag } from '../der/read.ts'
import { integer } from '../der/write.ts'
import { type CellKeyUsage, readKeyUsage, writeKeyUsage } from './cell.ts'
import { Elements, element } from './elements.ts'
import { notGbcs } from './refusals.ts'

/** Why a Device gave no CSR (CS02c). */
export const issueFaults = {
  1: 'invalid key usage',
  2: 'key pair generation failed',
  3: 'certificate request production failed',
} as const

/** What a Device says of a certificate of its own that it was given (CS02d); 0 is success. */
export const updateResults = {
  0: 'success',
  1: 'invalid certificate',
  2: 'wrong device identity',
  3: 'invalid key usage',
  4: 'no corresponding key pair',
  5: 'wrong public key',
  6: 'storage failed',
  7: 'private key change failed',
} as const

/** Why a Device showed no certificate (CS02e). */
export const provideFaults = { 1: 'invalid key usage', 2: 'none held', 3: 'retrieval failure' } as const

/** Which of its two key pairs is meant: a Device has no key that signs certificates. */
export type DeviceKeyUsage = Exclude<CellKeyUsage, 'keyCertSign'>

/** The command of CS02c and CS02e. @throws Refusal of refusals.ts */
export function readUsageCommand(payload: Bytes): DeviceKeyUsage {
  const whole = new Elements(payload)
  const command = whole.sequence('the command')
  whole.finish('the command')
  const usage = readKeyUsage(command, 'the command')
  command.finish('the command')
  if (usage === 'keyCertSign') throw notGbcs('GBCS_VALUE', 'the key usage of the command', 0)
  return usage
}

export function writeUsageCommand(usage: DeviceKeyUsage): Buffer {
  return element('two octets', tag.sequence, writeKeyUsage(usage))
}

/** A whole DER element, or the number of why there is none. */
export type GivenOr<Fault extends number> = { readonly given: Bytes } | { readonly fault: Fault }

/** The response of CS02c: a PKCS#10 request. @throws Refusal of refusals.ts */
export const readIssued = (payload: Bytes) => readGiven(payload, issueFaults)

/** The response of CS02e: a certificate. @throws Refusal of refusals.ts */
export const readProvided = (payload: Bytes) => readGiven(payload, provideFaults)

function readGiven<Faults extends Readonly<Record<number, string>>>(
  payload: Bytes,
  faults: Faults,
): GivenOr<Extract<keyof Faults, number>> {
  const whole = new Elements(payload)
  if (whole.peek() === tag.integer) return { fault: numberFrom(whole, faults) }
  const given = whole.foreign(tag.sequence, 'what is given')
  whole.finish('what is given')
  return { given }
}

/** The whole payload of a response that gives something, or why not. */
export function writeGiven(answer: GivenOr<number>): Bytes {
  return 'given' in answer ? answer.given : integer(answer.fault)
}

/** The command of CS02d is the certificate itself. @throws Refusal of refusals.ts */
export function readCertificateCommand(payload: Bytes): Bytes {
  const whole = new Elements(payload)
  const certificate = whole.foreign(tag.sequence, 'the certificate')
  whole.finish('the certificate')
  return certificate
}

/** The response of CS02d. @throws Refusal of refusals.ts */
export function readUpdated(payload: Bytes): keyof typeof updateResults {
  return numberFrom(new Elements(payload), updateResults)
}

export function writeUpdated(result: keyof typeof updateResults): Buffer {
  return integer(result)
}

function numberFrom<Table extends Readonly<Record<number, string>>>(
  whole: Elements,
  table: Table,
): Extract<keyof Table, number> {
  const found = whole.small('the number')
  whole.finish('the number')
  if (!Object.hasOwn(table, found)) throw notGbcs('GBCS_VALUE', `the number ${found}`, 0)
  return found as Extract<keyof Table, number>
}

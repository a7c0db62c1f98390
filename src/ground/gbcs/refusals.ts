/** What is wrong with a GBCS message: one code for each kind of fault, and the octet where it was seen. */

import { Refusal } from '../refusal.ts'

const texts = {
  GBCS_TRUNCATED: 'the message ends before it is complete',
  GBCS_TRAILING: 'octets follow where the message should end',
  GBCS_TAG: 'another element stands where this one is due',
  GBCS_LENGTH: 'a length is not in a form that a message has',
  GBCS_VALUE: 'a value is not one that may stand there',
  GBCS_SIGNATURE: 'the signature is not that of the party that it should be of',
  GBCS_MAC: 'the message authentication code does not fit the message',
} as const

export type GbcsRefusal = keyof typeof texts

/** @param at which octet, counted from the start of what is read */
export function notGbcs(code: GbcsRefusal, what: string, at?: number): Refusal<GbcsRefusal> {
  const where = at === undefined ? '' : ` (at octet ${at})`
  return new Refusal<GbcsRefusal>(code, `${texts[code]}: ${what}${where}`, {
    details: { what, ...(at !== undefined && { at }) },
  })
}

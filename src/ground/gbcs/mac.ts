/** The MAC of a message, between two parties that agreed on a key. */

import type { MacKey } from '../keystore/agreement.ts'
import type { GbcsMessage, Grouping } from './message.ts'
import { groupedOctets, writeMessage } from './message.ts'
import { macData, macIv } from './protect.ts'
import { notGbcs } from './refusals.ts'

/** The whole message with its MAC. */
export function writeWithMac(
  parts: Grouping,
  signature: Exclude<GbcsMessage['signature'], undefined>,
  key: MacKey,
): Buffer {
  const mac = key.mac(macIv(parts), macData(groupedOctets(parts, signature)))
  return writeMessage(parts, signature, mac)
}

/** @throws Refusal GBCS_MAC also when there is none */
export function requireMac(message: GbcsMessage, key: MacKey): void {
  if (!message.mac) throw notGbcs('GBCS_MAC', 'there is none')
  if (!key.verify(macIv(message), macData(message.grouped), message.mac)) throw notGbcs('GBCS_MAC', 'it is another')
}

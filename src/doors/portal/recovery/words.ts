/** States of events and of Devices, keys and steps, as people read them. */

import type { KeyKind } from '../../../policy/recovery/cases.ts'
import type { DeviceState } from '../../../rooms/recovery/campaign.ts'
import type { EventState } from '../../../rooms/recovery/event.ts'
import type { Html } from '../frame/html.ts'
import { type Colour, tag } from '../frame/pieces.ts'

const states: Readonly<Record<EventState, readonly [string, Colour]>> = {
  notified: ['Notified, to be confirmed', 'yellow'],
  rejected: ['Rejected', 'grey'],
  confirmed: ['Confirmed', 'orange'],
  running: ['Commands under way', 'red'],
  paused: ['Paused', 'yellow'],
  closed: ['Closed', 'green'],
}

export const stateTag = (state: EventState): Html => tag(...states[state])

export const keyNames: Readonly<Record<KeyKind, string>> = {
  organisation: 'Organisation key',
  root: 'Root OCA key',
  contingency: 'Contingency Private Key',
  symmetric: 'Symmetric Key',
  recovery: 'Recovery Private Key',
  issuing: 'Issuing OCA key',
}

export const deviceWords: Readonly<Record<DeviceState, string>> = {
  pending: 'Waits for a command',
  commanded: 'Command written down',
  sending: 'Command sent',
  unresolved: 'Asked what it holds',
  accepted: 'Accepted, to be proven',
  proven: 'Recovered and proven',
  listed: 'Listed with a reason',
}

/** key_transfer at the meter: what it takes, in which order, and what it says of it (dlms.md sections 5, 9, 10). */

import { type Asked, NotTaken, readTransfers } from './apdu.ts'
import { unwrap } from './cipher.ts'
import type { ClientMemory, MeterMemory, Slot } from './memory.ts'
import type { MeterClient, MeterModel } from './model.ts'

export interface Taken {
  /** Whose keys it was about. */
  readonly target?: ClientMemory
  /** The power went before an answer could be given. */
  readonly crashed: boolean
}

const success = 0
const temporaryFailure = 2
const denied = 3
const undefinedObject = 4
const typeUnmatched = 12
const otherReason = 250

const keyIds = { guek: 0, broadcast: 1, ak: 2, mk: 3 } as const

/** Writes new keys into the memory, and says with which action result the meter answers. */
export function transfer(
  model: MeterModel,
  memory: MeterMemory,
  by: MeterClient,
  asked: Asked,
  troubled: boolean,
): { result: number; taken: Taken } {
  const { switches } = model
  const nothing = (result: number) => ({ result, taken: { crashed: false } })
  const target = model.clients.find(one => one.securitySetup === asked.logicalName)
  if (!target) return nothing(undefinedObject)
  if (!mayWrite(model, by, target)) return nothing(denied)
  let wanted: ReturnType<typeof readTransfers>
  try {
    wanted = readTransfers(asked.data)
  } catch (cause) {
    if (cause instanceof NotTaken) return nothing(typeUnmatched)
    throw cause
  }
  if (wanted.length > 1 && switches.arrayTransfer === 'refuses-arrays') return nothing(typeUnmatched)
  const client = memory.clients.get(target.address)!
  const { dropReply, lieAboutResult, crashMidway } = switches
  const commits = !(troubled && (dropReply === 'before commit' || lieAboutResult === '"success" without commit'))

  const keys = wanted.map(({ keyId, wrapped }) => ({ keyId, key: unwrap(memory.mk, wrapped) }))
  const bad = keys.some(({ keyId, key }) => key === undefined || !knows(model, keyId))
  let result = bad ? otherReason : success
  let crashed = false
  if (commits && !(bad && switches.arrayTransfer === 'atomic')) {
    for (const [i, { keyId, key }] of keys.entries()) {
      if (key === undefined || !knows(model, keyId)) {
        if (switches.arrayTransfer === 'one-by-one-stops-at-error') break
        continue
      }
      if (troubled && crashMidway === 'between two keys' && i === 1 && switches.arrayTransfer !== 'atomic') {
        crashed = true
        break
      }
      store(model, memory, client, keyId, key)
    }
  }
  if (troubled && (crashMidway === 'between storing and replying' || crashMidway === 'forgets the counter')) {
    crashed = true
  }
  if (troubled && lieAboutResult === '"not OK" after commit') result = temporaryFailure
  return { result, taken: { target: client, crashed } }
}

function mayWrite(model: MeterModel, by: MeterClient, target: MeterClient): boolean {
  const { setupAccess } = model.switches
  if (setupAccess === 'none') return false
  if (by.address === target.address) return true
  return setupAccess === 'Management writes all' && by.address === model.managementAddress
}

function knows({ switches, holdsBroadcastKey }: MeterModel, keyId: number): boolean {
  if (keyId === keyIds.broadcast) return holdsBroadcastKey
  if (keyId === keyIds.mk) return switches.mk !== 'refuses'
  return keyId === keyIds.guek || keyId === keyIds.ak
}

function store(model: MeterModel, memory: MeterMemory, client: ClientMemory, keyId: number, key: Buffer): void {
  const next = client.next ?? {}
  if (keyId === keyIds.ak) next.ak = key
  if (keyId === keyIds.guek) next.slot = freshSlot(model, client, key)
  if (keyId === keyIds.broadcast) memory.gbek = key
  if (keyId === keyIds.mk && model.switches.mk === 'rotates') memory.mk = key
  if (next.ak || next.slot) client.next = next
}

/** Counters begin anew with a new GUEK, at once or at the next association; `kept` is seen to when the key takes hold. */
function freshSlot({ switches }: MeterModel, client: ClientMemory, guek: Buffer): Slot {
  if (switches.counterAfterGuek === 'reset at next association' && switches.newKeysHold !== 'next association') {
    client.resets = true
    return { guek, floor: client.slot.floor, sends: client.slot.sends }
  }
  return { guek, floor: switches.firstCounter, sends: 0 }
}

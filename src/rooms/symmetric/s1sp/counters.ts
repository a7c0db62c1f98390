/** A Device that wants another counter: the frame counter is read through the Public client, and the DCO goes above it. */

import { readAare } from '../../../ground/dlms/aare.ts'
import { writeAarq } from '../../../ground/dlms/aarq.ts'
import { readGetResponse, writeGetRequest } from '../../../ground/dlms/get.ts'
import { writeInitiateRequest } from '../../../ground/dlms/initiate.ts'
import { releaseRequest, writeRelease } from '../../../ground/dlms/release.ts'
import { usualInvoke } from '../../../ground/dlms/request.ts'
import { entry } from '../../../ground/journal/entry.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { KeyedClient } from '../../../policy/symmetric/keys.ts'
import { ask, newMessage } from './ask.ts'
import { closeGap } from './gap.ts'
import { octetsOf, type StoredKey } from './records.ts'
import type { Work } from './work.ts'

/**
 * Brings our counters to where the Device may take them. What the Device says is authenticated by nothing, so the DCO
 * bounds how far it is believed (KEY-A04).
 * @param wants what an exception-response said, if one did
 * @returns whether anything changed, so that trying again has a point
 * @throws Refusal COUNTER_JUMP: a person has to look
 */
export async function findCounters(
  work: Work,
  client: KeyedClient,
  gueks: readonly StoredKey[],
  wants: number | undefined,
): Promise<boolean> {
  // The greater of the two: what is read may be stale, and an exception-response need not come.
  const said = [await readFrameCounter(work, client), wants && wants - 1].filter(value => value !== undefined)
  const last = said.length === 0 ? undefined : Math.max(...said)
  if (work.model.counters.rule === 'strictly-next') {
    const from = wants ?? (last === undefined ? undefined : last + 1)
    let closed = false
    if (from !== undefined) for (const guek of gueks) closed = (await closeGap(work, client, guek, from)) || closed
    if (closed) return true
  }
  // At the maximum a key is used up: there is nothing above it to go on from.
  if (last === undefined || last < 0 || last > 0xffff_fffe) return false
  let raised = false
  for (const guek of gueks) raised = (await raise(work, client, guek, last)) || raised
  return raised
}

async function raise(work: Work, client: KeyedClient, guek: StoredKey, counter: number): Promise<boolean> {
  const { hands, device } = work
  const asked = { device: device.device, client, guek: octetsOf(guek), counter }
  const message = newMessage(hands, 'raise-counter', asked)
  const { next } = await ask(hands, message)
  const about = { message: message.id, device: device.device, client, record: guek.id, counter, next }
  await hands.notebook.write(entry('counter.jumped', hands.clock(), about))
  return true
}

/** The last counter that the Device says it took from that client; undefined when it does not say. */
export async function readFrameCounter(work: Work, client: KeyedClient): Promise<number | undefined> {
  const { model } = work
  const initiate = { service: 'initiateRequest', conformance: readOnly, maxPdu: model.maxPdu } as const
  const userInformation = writeInitiateRequest(initiate) as Buffer
  const aare = await work.exchange('public', writeAarq({ context: 'plain', userInformation }))
  const member = { classId: 1, logicalName: model.clients[client].frameCounter, member: 2 }
  const get = writeGetRequest({ service: 'get-request', invoke: usualInvoke, ...member })
  try {
    if (aare === undefined || readAare(aare).result !== 0) return undefined
    const reply = await work.exchange('public', get)
    if (reply === undefined) return undefined
    const got = readGetResponse(reply)
    await work.exchange('public', writeRelease(releaseRequest))
    return 'data' in got && got.data.type === 'double-long-unsigned' ? got.data.value : undefined
  } catch (cause) {
    if (cause instanceof Refusal && cause.code.startsWith('DLMS_')) return undefined
    throw cause
  }
}

/** The conformance bit of get, and no other: it is all that is asked for. */
const readOnly = 0x001000

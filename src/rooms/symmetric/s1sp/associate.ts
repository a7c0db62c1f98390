/** An association with a Device, opened through the DCO: it does every cryptographic step, we carry the octets. */

import { fromHex, toHex } from '../../../ground/bytes.ts'
import { readException } from '../../../ground/dlms/exception.ts'
import { releaseRequest, writeRelease } from '../../../ground/dlms/release.ts'
import { kindOf } from '../../../ground/dlms/services.ts'
import { entry } from '../../../ground/journal/entry.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { KeyedClient } from '../../../policy/symmetric/keys.ts'
import type { Content } from '../messages.ts'
import { inGroup } from '../together.ts'
import { ask, newMessage } from './ask.ts'
import { keptToSend } from './gap.ts'
import { appended, applyStages, octetsOf, type StoredKey } from './records.ts'
import type { Work } from './work.ts'

/** An association whose pass 4 the DCO verified: the Device has shown that it holds these two keys. */
export interface Standing {
  readonly association: string
  readonly client: KeyedClient
  readonly ak: StoredKey
  readonly guek: StoredKey
  /** A proof read that the DCO has protected already, to be sent once. */
  read?: string | null
}

/** What stood in the way. It is a hint, and proves nothing: no part of it is authenticated. */
export interface Hint {
  readonly code: string
  /** The counter that the Device says it wants. */
  readonly wants?: number
}

export type Tried = { readonly standing: Standing } | { readonly hint: Hint }

/**
 * Passes 1 to 4. What it proves is stored before it returns.
 * @param probe whether it is to find out which keys the Device holds
 * @param read whether a proof read is to follow at once
 * @throws Refusal DEVICE_UNREACHABLE, DCO_UNREACHABLE, and what the DCO refuses of us
 */
export async function associate(
  work: Work,
  client: KeyedClient,
  { ak, guek }: { readonly ak: StoredKey; readonly guek: StoredKey },
  probe: boolean,
  read = false,
): Promise<Tried> {
  const { hands, device } = work
  const keys = { ak: octetsOf(ak, 'AK'), guek: octetsOf(guek, 'GUEK') }
  const title = device.title ? { title: toHex(device.title) } : {}
  const opening = { device: device.device, client, ...keys, dedicated: false, ...title }
  const message = newMessage(hands, 'open-association', opening)
  if (probe) {
    const about = { message: message.id, device: device.device, client, ak: ak.id, guek: guek.id }
    await hands.notebook.write(entry('probe.sent', hands.clock(), about))
  }
  const opened = await keptToSend(work, client, guek, message)
  const { association } = opened
  const answer = await judged(work, client, opened.apdu, aare =>
    keptToSend(work, client, guek, newMessage(hands, 'answer-association', { association, ...keys, apdu: aare })),
  )
  if ('hint' in answer) return answer
  const finished = await judged(work, client, answer.content.apdu, async pass4 => {
    const finishing = newMessage(hands, 'finish-association', {
      association,
      ...keys,
      apdu: pass4,
      // What a Device that wants strictly the next counter is sent is kept by itself (gap.ts).
      ...(read && work.model.counters.rule !== 'strictly-next' && { read }),
    })
    const content = await ask(hands, finishing)
    await keepProven(work, finishing.id, content)
    return content
  })
  if ('hint' in finished) return finished
  return { standing: { association, client, ak, guek, read: finished.content.apdu } }
}

/** The association ends at the Device. The release is not protected: anybody could end it anyway. */
export async function leave(work: Work, { client }: Standing): Promise<void> {
  await work.exchange(client, writeRelease(releaseRequest))
}

/** It ends at the Device and at the DCO. One that is followed by another of its client ends there by itself. */
export async function release(work: Work, standing: Standing): Promise<void> {
  await leave(work, standing)
  const { association } = standing
  try {
    await ask(work.hands, newMessage(work.hands, 'close-association', { association }))
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.code !== 'ASSOCIATION_UNKNOWN') throw cause
  }
}

/** Exchanges an APDU, and has the answer judged by the DCO. Its "no" to a Device's answer is a hint; any other is ours. */
export async function judged<T>(
  work: Work,
  client: KeyedClient,
  apdu: string,
  judge: (answer: string) => Promise<T>,
): Promise<{ content: T } | { hint: Hint }> {
  const reply = await work.exchange(client, fromHex(apdu))
  if (reply === undefined) return { hint: { code: 'NO_ANSWER' } }
  try {
    if (kindOf(reply) === 'exception') {
      const { serviceError, expectedCounter } = readException(reply)
      const wants = expectedCounter === undefined ? {} : { wants: expectedCounter }
      return { hint: { code: `EXCEPTION_${serviceError}`, ...wants } }
    }
    return { content: await judge(toHex(reply)) }
  } catch (cause) {
    if (!isAboutReply(cause)) throw cause
    return { hint: { code: cause.code } }
  }
}

/** Codes of the DLMS layer are about what the Device said, except that a key is used up. */
export function isAboutReply(cause: unknown): cause is Refusal {
  return cause instanceof Refusal && cause.code.startsWith('DLMS_') && cause.code !== 'DLMS_COUNTER_USED_UP'
}

/** The proof, and each stage that changed by it, in one transaction: from here on the new key is active (d)(iii). */
async function keepProven(work: Work, message: string, content: Content<'finish-association'>): Promise<void> {
  if (content.changed.length === 0) return
  const { hands, device } = work
  await inGroup(hands.store)(async client => {
    const proven = content.proven.map(({ holder, type, record, generation }) => ({
      holder,
      type,
      record,
      generation,
    }))
    await appended(client, entry('key.proven', hands.clock(), { message, device: device.device, proven }))
    await applyStages(client, hands, device.device, content.changed, { message })
  })
  await work.refresh()
}

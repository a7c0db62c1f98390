/** Devices that want strictly the next counter: what is sent to them is kept, so that a gap can be closed with it. */

import { type Bytes, fromHex } from '../../../ground/bytes.ts'
import { readAarq } from '../../../ground/dlms/aarq.ts'
import { readProtected } from '../../../ground/dlms/frame.ts'
import { kindOf } from '../../../ground/dlms/services.ts'
import type { KeyedClient } from '../../../policy/symmetric/keys.ts'
import type { Content, Message } from '../messages.ts'
import { ask } from './ask.ts'
import type { StoredKey } from './records.ts'
import type { Work } from './work.ts'

/** Messages whose answer is an APDU for the Device. */
type Sending =
  | 'open-association'
  | 'answer-association'
  | 'protect-command'
  | 'protect-proof-read'
  | 'protect-activation'
  | 'offer-keys'

/**
 * Asks the DCO for an APDU. For a model that wants `strictly-next`, message and APDU are stored first: whatever stops
 * then, the same octets can be sent.
 */
export async function keptToSend<T extends Sending>(
  work: Work,
  client: KeyedClient,
  guek: StoredKey,
  message: Message<T>,
): Promise<Content<T>> {
  const { hands, model, device } = work
  if (model.counters.rule !== 'strictly-next') return ask(hands, message)
  const { rows } = await hands.store.query<{ id: bigint }>(
    'INSERT INTO sent (device, client, guek, message) VALUES ($1, $2, $3, $4) RETURNING id',
    [device.device, client, guek.id, JSON.stringify(message)],
  )
  const content = await ask(hands, message)
  await keepApdu(work, rows[0]!.id, content.apdu)
  return content
}

/**
 * Sends again what has that counter or a later one, octet for octet, in the order in which it was made. What the Device
 * answers is of no interest: only that it counts.
 * @returns whether there was anything to send
 */
export async function closeGap(work: Work, client: KeyedClient, guek: StoredKey, from: number): Promise<boolean> {
  const { hands, device } = work
  const { rows } = await hands.store.query<{ id: bigint; message: Message<Sending>; apdu: Buffer | null }>(
    'SELECT id, message, apdu FROM sent WHERE device = $1 AND client = $2 AND guek = $3 ORDER BY id',
    [device.device, client, guek.id],
  )
  let sent = false
  for (const { id, message, apdu } of rows) {
    let octets: Bytes | null = apdu
    if (octets === null) {
      // We stopped before the answer came: the DCO has it, or makes it now with a counter of its own.
      const content = await ask(hands, message)
      octets = await keepApdu(work, id, content.apdu)
    }
    if (counterOf(octets) < from) continue
    await work.exchange(client, octets)
    sent = true
  }
  return sent
}

async function keepApdu(work: Work, id: bigint, apdu: string): Promise<Bytes> {
  const octets = fromHex(apdu)
  await work.hands.store.query('UPDATE sent SET apdu = $1 WHERE id = $2', [octets, id])
  return octets
}

/** The counter that the Device counts by: of pass 3 the outer one. */
function counterOf(apdu: Bytes): number {
  return readProtected(kindOf(apdu) === 'aarq' ? readAarq(apdu).userInformation : apdu).counter
}

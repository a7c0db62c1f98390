/** Takes requests in as a batch: stored as the signer reads them, a part at a time, and accepted in one transaction. */

import { createHash, hash } from 'node:crypto'
import type { JsonValue } from '../../../../ground/journal/entry.ts'
import { accept, beginUpload, dropUpload, keepPart } from '../../../../rooms/issuance/batch.ts'
import { encodeItems, type PortionItem } from '../../../../rooms/issuance/portion.ts'
import type { Caller } from '../../../../rooms/registration/caller.ts'
import { suspended, suspensionOf } from '../../../../rooms/revocation/suspended.ts'
import type { PortalDoor } from '../../door.ts'

/** Requests in one part: some 300 KB. */
const together = 500

export interface TakenIn {
  readonly id: bigint
  readonly count: number
}

/**
 * @param reference what the batch is called, with its mark
 * @param upload what was sent, for the journal: the hash of the file as its sender has it
 * @throws Refusal WF:SUSP, and those of the reading: then nothing is kept
 */
export async function takeIn(
  door: PortalDoor,
  caller: Caller,
  reference: string,
  upload: Buffer,
  items: Iterable<PortionItem> | AsyncIterable<PortionItem>,
): Promise<TakenIn> {
  const party = caller.credential.party
  const stop = await suspensionOf(door.store, { interface: 'PORTAL_DEVICE', party }, door.clock())
  if (stop) throw suspended(stop)

  const id = await beginUpload(door.store)
  const digest = createHash('sha256')
  let [count, octets, part] = [0, 0, 0]
  let waiting: PortionItem[] = []
  const keep = async () => {
    const encoded = encodeItems(waiting)
    waiting = []
    digest.update(encoded)
    octets += encoded.length
    await keepPart(door, id, part++, encoded)
  }
  try {
    for await (const item of items) {
      waiting.push(item)
      count++
      if (waiting.length === together) await keep()
    }
    if (waiting.length > 0) await keep()
    const says: Record<string, JsonValue> = {
      channel: 'PORTAL',
      upload: hash('sha256', upload),
      by: { person: caller.person, as: 'ARO', party },
    }
    await accept(door, { id, party, reference, sha256: digest.digest(), octets, count, says })
    return { id, count }
  } catch (cause) {
    await dropUpload(door.store, id)
    throw cause
  }
}

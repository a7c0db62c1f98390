/** Takes requests in as a batch: stored as the signer reads them, a part at a time, and accepted in one transaction. */

import { hash } from 'node:crypto'
import type { JsonValue } from '../../../../ground/journal/entry.ts'
import type { PortionItem } from '../../../../rooms/issuance/portion.ts'
import { beginUpload } from '../../../../rooms/issuance/upload.ts'
import type { Caller } from '../../../../rooms/registration/caller.ts'
import { suspended, suspensionOf } from '../../../../rooms/revocation/suspended.ts'
import type { PortalDoor } from '../../door.ts'

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

  const taken = await beginUpload(door, door.settings.issuing.portion)
  try {
    for await (const item of items) {
      taken.take(item)
      await taken.keep()
    }
    const says: Record<string, JsonValue> = {
      channel: 'PORTAL',
      upload: hash('sha256', upload),
      by: { person: caller.person, as: 'ARO', party },
    }
    await taken.accept({ party, reference, says })
    return { id: taken.id, count: taken.count }
  } catch (cause) {
    await taken.drop()
    throw cause
  }
}

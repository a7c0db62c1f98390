/** Whether the store is what the signer left behind, or went back: the counter beside the keys, held against the store. */

import { toHex } from '../ground/bytes.ts'
import { rootAt } from '../ground/journal/proof.ts'
import { lastCheckpoint, storedTiles } from '../ground/journal/stored.ts'
import { hashesOf, TileMissing } from '../ground/journal/tiles.ts'
import { Refusal } from '../ground/refusal.ts'
import { laterEpochs } from '../ground/store/epoch.ts'
import { positionOf, wentOn } from '../ground/store/position.ts'
import type { Store } from '../ground/store/store.ts'
import { keyIdentifier } from '../ground/x509/key.ts'
import { type AuthorityRecord, authorities } from '../rooms/authority/register.ts'
import { currentIntervals, highestNumber } from '../rooms/repository/lists.ts'
import type { JournalMark, Marks, RestoredMark } from './epoch.ts'

/** Lists that were signed and that the store does not know. */
export interface MissingLists {
  /** Undefined when the store does not know the authority either. */
  readonly authority: AuthorityRecord | undefined
  /** As people say it: `Device CRL`; or the key identifier where nothing better is known. */
  readonly name: string
  readonly from: bigint
  readonly to: bigint
}

export interface Missing {
  readonly lists: readonly MissingLists[]
  /** The checkpoint that was signed, and how many entries the store has signed for. */
  readonly journal: (JournalMark & { readonly stored: number }) | undefined
  /** Epochs that were begun, and that the store does not know: the highest. */
  readonly epoch: number | undefined
  /** Somebody restored it to a moment. */
  readonly restored: RestoredMark | undefined
}

/** What the counter knows and the store does not; undefined when nothing is missing. */
export async function missing(store: Store, marks: Marks, log: string): Promise<Missing | undefined> {
  const epoch = (await laterEpochs(store)).at(-1)?.number ?? 1
  const mark = marks.store.read()
  // What was signed in the moment in which a program was killed never left it: the store that we left goes on from there.
  const now = await positionOf(store).catch(() => undefined)
  const onward = mark?.position === undefined || now === undefined || wentOn(mark.position, now)
  const restored = marks.restored.read()
  const found: Missing = {
    lists: await missingLists(store, marks, onward),
    journal: await missingJournal(store, marks.journal.read(), log, onward),
    epoch: mark !== undefined && mark.epoch > epoch ? mark.epoch : undefined,
    restored: restored !== undefined && restored.epoch >= epoch ? restored : undefined,
  }
  const nothing = found.lists.length === 0 && !found.journal && !found.epoch && !found.restored
  return nothing ? undefined : found
}

/** @throws Refusal STORE_WENT_BACK, which says what is missing */
export async function requireWhole(store: Store, marks: Marks, log: string): Promise<void> {
  const found = await missing(store, marks, log)
  if (!found) return
  throw new Refusal(
    'STORE_WENT_BACK',
    `the store is older than what was signed with these keys: ${sentences(found).join('; ')}. Nothing is signed until ` +
      'somebody has acknowledged it: smki epoch',
  )
}

/** What is missing, in words. */
export function sentences({ lists, journal, epoch, restored }: Missing): string[] {
  const said: string[] = []
  if (restored) said.push(`it was restored ${restored.to === null ? '' : `to ${restored.to} `}at ${restored.at}`)
  if (epoch) said.push(`epoch ${epoch} was begun and is not in it`)
  if (journal && journal.stored < journal.size)
    said.push(`entries ${journal.stored} to ${journal.size - 1} of the journal ${journal.log} are missing`)
  else if (journal)
    said.push(`its first ${journal.size} entries are not those that the journal ${journal.log} was signed for`)
  for (const { name, from, to } of lists)
    said.push(from === to ? `${name} number ${from} is missing` : `${name} numbers ${from} to ${to} are missing`)
  return said
}

async function missingLists(store: Store, marks: Marks, onward: boolean): Promise<MissingLists[]> {
  const known = await authorities(store)
  const names = new Map((await currentIntervals(store)).map(list => [list.authority, list.name]))
  const found: MissingLists[] = []
  for (const [issuerKey, to] of marks.lists()) {
    const authority = known.find(one => toHex(keyIdentifier(one.certificate.publicKey.key)) === issuerKey)
    const latest = authority ? await highestNumber(store, authority.id) : 0n
    // The one after the latest was perhaps signed and not lodged: of a store that went on it never left the program.
    if (to <= (onward ? latest + 1n : latest)) continue
    const name = (authority && names.get(authority.id)) ?? `list of the key ${issuerKey}`
    found.push({ authority, name, from: latest + 1n, to })
  }
  return found
}

async function missingJournal(
  store: Store,
  mark: JournalMark | undefined,
  log: string,
  onward: boolean,
): Promise<Missing['journal']> {
  // The log of an epoch that ended says nothing about this one.
  if (mark === undefined || mark.log !== log) return undefined
  const stored = (await lastCheckpoint(store))?.size ?? 0
  if (stored < mark.size) return onward ? undefined : { ...mark, stored }
  try {
    const root = await rootAt(mark.size, hashesOf(storedTiles(store)))
    return Buffer.from(root).toString('base64') === mark.root ? undefined : { ...mark, stored }
  } catch (cause) {
    if (cause instanceof TileMissing) return { ...mark, stored }
    throw cause
  }
}

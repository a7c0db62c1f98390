/** A new epoch: an operator acknowledges that the store went back, and it goes on without contradicting what was signed. */

import { toHex } from '../ground/bytes.ts'
import { entry, type JsonValue } from '../ground/journal/entry.ts'
import { append } from '../ground/journal/journal.ts'
import { Refusal } from '../ground/refusal.ts'
import { advanceSequence, beginEpoch, sequences } from '../ground/store/epoch.ts'
import type { Client } from '../ground/store/store.ts'
import { keyIdentifier } from '../ground/x509/key.ts'
import type { Settings } from '../policy/settings.ts'
import type { Hands } from '../rooms/authority/issue-one.ts'
import { authorities } from '../rooms/authority/register.ts'
import { allottedAtLeast } from '../rooms/authority/stock.ts'
import { skipNumbers } from '../rooms/repository/lists.ts'
import { type Marks, rememberStore, type StoreMark } from './epoch.ts'
import { type Missing, missing } from './epoch-compare.ts'
import { epochLog, nameOfEpoch, publishLogKey } from './epoch-log.ts'
import type { Home } from './home.ts'

export interface Acknowledgement {
  /** A reference. */
  readonly by: string
  readonly words: string
  /** What the missing lists revoked is lost with them: without this, they must be entered again first. */
  readonly listsAreLost: boolean
}

/**
 * One transaction: the epoch, the list numbers and other numbers that are not given again, and the entry that says what
 * is missing. The entry is signed for in the first checkpoint of a new log, whose beginning is what is left of the old
 * one: no checkpoint of the old name is ever contradicted under that name.
 * @returns what was acknowledged
 * @throws Refusal NOTHING_MISSING, LISTS_MISSING, SIGNER_RUNS
 */
export async function acknowledge(
  hands: Hands,
  home: Home,
  settings: Settings,
  marks: Marks,
  { by, words, listsAreLost }: Acknowledgement,
): Promise<{ epoch: number; log: string; missing: Missing }> {
  const before = await epochLog(hands.store, settings)
  const found = await missing(hands.store, marks, before.name)
  if (!found)
    throw new Refusal('NOTHING_MISSING', 'the store has everything that was signed: there is nothing to begin')
  if (found.lists.some(one => one.authority) && !listsAreLost)
    throw new Refusal(
      'LISTS_MISSING',
      'lists that were published are not in the store, and what they revoked is not revoked in it: enter them again ' +
        '(smki epoch readmit), or say --lists-are-lost',
    )
  const mark = marks.store.read()
  const epoch = Math.max(before.epoch, mark?.epoch ?? 1, found.restored?.epoch ?? 1) + 1
  const log = nameOfEpoch(settings, epoch)
  const at = hands.clock()
  await hands.store.transaction(async client => {
    await beAlone(client)
    await beginEpoch(client, { number: epoch, log, at, by, words })
    for (const { authority, to } of found.lists) if (authority) await skipNumbers(client, authority.id, epoch, to)
    if (mark) await raise(client, mark)
    await append(client, entry('store went back', at, { epoch, log, by, words, ...said(found, before.name, mark) }))
  })
  // If we stop here, the next start finds the epoch in the store, and does the rest.
  await publishLogKey(home, { epoch, name: log })
  await rememberStore(hands.store, marks, epoch)
  return { epoch, log, missing: found }
}

/** Not while a signer goes on in the old epoch: its lock. @throws Refusal SIGNER_RUNS */
async function beAlone(client: Client): Promise<void> {
  const { rows } = await client.query<{ got: boolean }>(
    "SELECT pg_try_advisory_xact_lock(hashtext('opensmki signer')) AS got",
  )
  if (!rows[0]!.got) throw new Refusal('SIGNER_RUNS', 'a signer works on this store: stop the service first')
}

/** Numbers that were given, and counts that were reached, or may have been. */
async function raise(client: Client, mark: StoreMark): Promise<void> {
  for (const { name, last } of await sequences(client)) {
    const to = BigInt(mark.sequences[name] ?? 0)
    if (to > last) await advanceSequence(client, name, to)
  }
  for (const { id, certificate } of await authorities(client)) {
    const allotted = mark.allotted[toHex(keyIdentifier(certificate.publicKey.key))]
    if (allotted) await allottedAtLeast(client, id, allotted)
  }
}

/** What is known to be missing, for the journal. */
function said({ lists, journal, epoch, restored }: Missing, log: string, mark: StoreMark | undefined) {
  return {
    before: log,
    ...(journal && {
      checkpoint: { log: journal.log, size: journal.size, root: journal.root, stored: journal.stored },
    }),
    ...(epoch !== undefined && { lostEpoch: epoch }),
    ...(restored && { restored: { at: restored.at, to: restored.to } }),
    lists: lists.map(one => ({ list: one.name, from: String(one.from), to: String(one.to) })),
    // The number of signings that there may have been.
    numbersUpTo: mark?.sequences['public.signing_id_seq'] ?? null,
  } satisfies Record<string, JsonValue>
}

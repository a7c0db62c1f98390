/** Checking a journal from outside: all is computed anew from the entries and held against what was signed. */

import { type Bytes, equal } from '../bytes.ts'
import { openCheckpoint } from './checkpoint.ts'
import { type Act, NotAnEntry, readEntry } from './entry.ts'
import { CompactRange, emptyRoot, leafHash } from './merkle.ts'
import { BadNote, type VerifierKey } from './note.ts'
import { ascending, type LookAhead, lookAhead, type Stream } from './streams.ts'
import { GrowingTiles, split, type Tile, type TileAt, tileWidth } from './tiles.ts'

export interface JournalInQuestion {
  /** In the order of positions, from 0. */
  readonly entries: Stream<PlacedEntry>
  /** In the order in which they were made; size and root, where given, are what the store says beside the note. */
  readonly checkpoints: Stream<{ readonly note: string; readonly size?: number; readonly root?: Bytes }>
  /** The log's key, and those it had before. */
  readonly verifierKeys: readonly VerifierKey[]
  /** The stored hashes. With them it can be said which entry was altered, and they are checked themselves. */
  readonly tileAt?: TileAt
  /** Checkpoints that the asker kept from earlier: a log that was cut back or rewritten since cannot contain them. */
  readonly kept?: readonly string[]
  /** Holds an entry against other records: a sentence when what it says is not so. */
  readonly claims?: (act: Act, position: number) => string | undefined | Promise<string | undefined>
}

export interface PlacedEntry {
  readonly position: number
  readonly octets: Bytes
}

export interface JournalReport {
  /** No fault was found in what the counts say was looked at. */
  readonly holds: boolean
  /** Entries read. */
  readonly entries: number
  /** Checkpoints, kept ones included, whose signature and root are right. */
  readonly checkpoints: number
  /** The largest of them: so many entries are what was signed. */
  readonly signed: { readonly size: number; readonly root: Bytes }
  /** Stored hashes compared; 0 when none were given. */
  readonly hashes: number
  /** In the order in which they were found. */
  readonly faults: readonly JournalFault[]
}

export interface JournalFault {
  readonly code: JournalFaultCode
  /** Positions of the first and the last entry concerned; of a checkpoint, its size twice. */
  readonly from: number
  readonly to: number
  readonly says: string
}

export const journalFaults = {
  ENTRY_ALTERED: 'the entry is not the one that was signed',
  ENTRY_MISSING: 'the entry is not there',
  ENTRY_OUT_OF_ORDER: 'the position was read before',
  ENTRY_UNREADABLE: 'the octets are no canonical entry',
  ENTRY_CLAIM: 'what the entry says is not so',
  ENTRIES_UNSIGNED: 'the entries have positions that no checkpoint covers',
  HASH_ALTERED: 'a stored hash is not that of the entries below it',
  ROOT_DIFFERS: 'the entries since the checkpoint before do not give the signed root',
  CHECKPOINT_FORGED: 'the checkpoint is not one that the key of the log signed',
  CHECKPOINT_WENT_BACK: 'the checkpoint is not larger than the one before it',
  CHECKPOINT_LOST: 'a checkpoint was signed for more entries than there are',
} as const
export type JournalFaultCode = keyof typeof journalFaults

/** A log with so many faults is not worth reading on; this bounds the report. */
const mostFaults = 1000

/**
 * Reads the journal once, from its first entry, in constant memory. A log that holds is exactly what its checkpoints
 * signed; that it is also the log that others saw, only `kept` checkpoints and witnesses can tell.
 */
export async function verifyJournal(journal: JournalInQuestion): Promise<JournalReport> {
  return new Verification(journal).run()
}

/** Positions at which entries and stored hashes disagree, until a checkpoint tells which of the two is right. */
interface Doubt {
  readonly from: number
  to: number
  readonly missing: boolean
}

/** A checkpoint that our key signed; `kept` when it is the asker's and not the store's. */
interface Signed {
  readonly size: number
  readonly root: Bytes
  readonly kept: boolean
}

class Verification {
  readonly #journal: JournalInQuestion
  readonly #faults: JournalFault[] = []
  #entries = 0
  #checkpoints = 0
  #hashes = 0
  #signed: { size: number; root: Bytes } = { size: 0, root: emptyRoot }

  // The tree by the entries (where one is missing, by its stored hash), and from the first doubt to the next checkpoint
  // also by the stored hashes alone.
  #byEntries = new CompactRange()
  #byHashes: CompactRange | undefined
  #doubts: Doubt[] = []

  // The tiles by the entries. A hash over an entry that is itself at fault says nothing about its tile.
  readonly #tiles = new GrowingTiles()
  #stored: readonly Bytes[] = []
  readonly #atFault: Doubt[] = []
  #tileFaults: { from: number; to: number; says: string }[] = []

  constructor(journal: JournalInQuestion) {
    this.#journal = journal
  }

  async run(): Promise<JournalReport> {
    const entries = lookAhead(this.#journal.entries)
    const checkpoints = lookAhead(ascending(this.#keptCheckpoints(), this.#storedCheckpoints()))
    try {
      while (await this.#step(entries, checkpoints));
    } finally {
      await entries.close()
      await checkpoints.close()
    }
    return {
      holds: this.#faults.length === 0,
      entries: this.#entries,
      checkpoints: this.#checkpoints,
      signed: this.#signed,
      hashes: this.#hashes,
      faults: this.#faults,
    }
  }

  /** @returns whether it makes sense to go on */
  async #step(entries: LookAhead<PlacedEntry>, checkpoints: LookAhead<Signed>): Promise<boolean> {
    const due = await checkpoints.peek()
    if (due?.size !== this.#byEntries.size) return this.#grow(entries, due)
    await checkpoints.take()
    return this.#judge(due)
  }

  /** Takes the tree one position further. @returns whether it makes sense to go on */
  async #grow(entries: LookAhead<PlacedEntry>, due: Signed | undefined): Promise<boolean> {
    const position = this.#byEntries.size
    const entry = await entries.peek()
    if (this.#faults.length >= mostFaults) return false
    if (entry === undefined && due === undefined) return this.#end()
    const stored = await this.#storedHash(position)
    if (entry !== undefined && entry.position <= position) await entries.take()
    if (entry !== undefined && entry.position < position) {
      this.#fault('ENTRY_OUT_OF_ORDER', entry.position)
    } else if (entry?.position === position) {
      this.#entries += 1
      const leaf = leafHash(entry.octets)
      await this.#add(position, leaf, stored)
      if (stored === undefined || equal(leaf, stored)) await this.#hear(entry)
    } else if (stored !== undefined) {
      await this.#add(position, undefined, stored)
    } else {
      // Neither entry nor hash: from here on nobody can tell what the tree was.
      const to = (entry?.position ?? due!.size) - 1
      this.#fault(entry === undefined && due?.kept ? 'CHECKPOINT_LOST' : 'ENTRY_MISSING', position, to)
      return false
    }
    return true
  }

  async #add(position: number, leaf: Bytes | undefined, stored: Bytes | undefined): Promise<void> {
    const differs = leaf === undefined || stored === undefined || !equal(leaf, stored)
    if (differs && this.#journal.tileAt) {
      this.#byHashes ??= this.#byEntries.copy()
      widen(this.#doubts, position, leaf === undefined)
    }
    const believed = leaf ?? stored!
    this.#byHashes?.append(stored ?? believed)
    this.#byEntries.append(believed)
    if (!this.#journal.tileAt) return
    this.#tiles.append(believed)
    if (this.#tiles.size % tileWidth === 0) for (const tile of this.#tiles.takeFull()) await this.#compare(tile)
  }

  /** Holds the tree against a checkpoint of its size. @returns whether one of the two trees has the signed root */
  #judge(checkpoint: Signed): boolean {
    const byEntries = equal(this.#byEntries.root(), checkpoint.root)
    const byHashes = !byEntries && this.#byHashes !== undefined && equal(this.#byHashes.root(), checkpoint.root)
    if (!byEntries && !byHashes) {
      const doubts = this.#doubts.map(({ from, to }) => `${from}-${to}`).slice(0, 20)
      const disagree = doubts.length > 0 ? [`entries and stored hashes disagree at ${doubts.join(', ')}`] : []
      const whose = checkpoint.kept ? ['by a checkpoint that was kept'] : []
      this.#fault('ROOT_DIFFERS', this.#signed.size, checkpoint.size - 1, [...whose, ...disagree].join('; '))
      return false
    }
    for (const { from, to, missing } of this.#doubts) {
      // A missing entry was replaced by its hash in both trees, so its hash is right and the entry at fault.
      if (missing) this.#fault('ENTRY_MISSING', from, to)
      else if (byHashes) this.#fault('ENTRY_ALTERED', from, to)
      else this.#fault('HASH_ALTERED', from, to, 'level 0')
      if (missing || byHashes) this.#atFault.push({ from, to, missing })
    }
    if (byHashes) this.#byEntries = this.#byHashes!
    this.#byHashes = undefined
    this.#doubts = []
    this.#settleTiles()
    this.#checkpoints += 1
    this.#signed = { size: checkpoint.size, root: checkpoint.root }
    return true
  }

  async #end(): Promise<false> {
    const { size } = this.#byEntries
    if (size > this.#signed.size) this.#fault('ENTRIES_UNSIGNED', this.#signed.size, size - 1)
    if (this.#journal.tileAt) for (const tile of this.#tiles.partial()) await this.#compare(tile)
    this.#settleTiles()
    return false
  }

  async #hear({ octets, position }: PlacedEntry): Promise<void> {
    try {
      const act = readEntry(octets)
      const wrong = await this.#journal.claims?.(act, position)
      if (wrong !== undefined) this.#fault('ENTRY_CLAIM', position, position, wrong)
    } catch (cause) {
      if (!(cause instanceof NotAnEntry)) throw cause
      this.#fault('ENTRY_UNREADABLE', position, position, cause.message)
    }
  }

  async #storedHash(position: number): Promise<Bytes | undefined> {
    if (!this.#journal.tileAt) return undefined
    if (position % tileWidth === 0) {
      this.#stored = split((await this.#journal.tileAt(0, position / tileWidth)) ?? Buffer.alloc(0))
      this.#hashes += this.#stored.length
    }
    return this.#stored[position % tileWidth]
  }

  /** Above level 0, where hashes were compared one by one, notes which stored hashes are not what the entries give. */
  async #compare({ level, index, hashes }: Tile): Promise<void> {
    if (level === 0) return
    const stored = split((await this.#journal.tileAt!(level, index)) ?? Buffer.alloc(0))
    const span = tileWidth ** level
    for (const [at, hash] of split(hashes).entries()) {
      const from = (index * tileWidth + at) * span
      this.#hashes += 1
      if (stored[at] === undefined || !equal(stored[at], hash)) {
        this.#tileFaults.push({ from, to: from + span - 1, says: `hash ${at} of tile ${index} of level ${level}` })
      }
    }
  }

  #settleTiles(): void {
    for (const { from, to, says } of this.#tileFaults) {
      if (!this.#atFault.some(fault => fault.from <= to && from <= fault.to))
        this.#fault('HASH_ALTERED', from, to, says)
    }
    this.#tileFaults = []
  }

  async *#storedCheckpoints(): AsyncGenerator<Signed> {
    let before = -1
    for await (const { note, size, root } of this.#journal.checkpoints) {
      const signed = this.#open(note, false, size ?? Math.max(before, 0))
      if (signed === undefined) continue
      if ((size !== undefined && size !== signed.size) || (root !== undefined && !equal(root, signed.root))) {
        this.#fault('CHECKPOINT_FORGED', signed.size, signed.size, 'the store says otherwise than the signed note')
      } else if (signed.size <= before) {
        this.#fault('CHECKPOINT_WENT_BACK', signed.size, signed.size, `after one of ${before}`)
      } else {
        before = signed.size
        yield signed
      }
    }
  }

  *#keptCheckpoints(): Generator<Signed> {
    const kept = (this.#journal.kept ?? []).map(note => this.#open(note, true, 0))
    yield* kept.filter(signed => signed !== undefined).sort((a, b) => a.size - b.size)
  }

  #open(note: string, kept: boolean, size: number): Signed | undefined {
    try {
      return { ...openCheckpoint(note, this.#journal.verifierKeys), kept }
    } catch (cause) {
      if (!(cause instanceof BadNote)) throw cause
      this.#fault('CHECKPOINT_FORGED', size, size, cause.message)
      return undefined
    }
  }

  #fault(code: JournalFaultCode, from: number, to = from, detail = ''): void {
    const says = detail === '' ? journalFaults[code] : `${journalFaults[code]}: ${detail}`
    this.#faults.push({ code, from, to, says })
  }
}

/** Adds a position to the last run of its kind, or begins a new one. */
function widen(doubts: Doubt[], position: number, missing: boolean): void {
  const last = doubts.at(-1)
  if (last?.to === position - 1 && last.missing === missing) last.to = position
  else doubts.push({ from: position, to: position, missing })
}

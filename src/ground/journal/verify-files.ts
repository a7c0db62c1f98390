/** Checking a log from its published files alone: nothing else is needed but the log's key. */

import { openCheckpoint } from './checkpoint.ts'
import { entriesIn, type LogFiles, tilesIn } from './files.ts'
import { BadNote } from './note.ts'
import type { Stream } from './streams.ts'
import { type JournalInQuestion, type JournalReport, type PlacedEntry, verifyJournal } from './verify.ts'

export interface FilesReport extends JournalReport {
  /** Bundles whose entries could not be read, each with the reason. */
  readonly unread: readonly string[]
}

/**
 * Reads every entry and every hash, and holds them against the checkpoint.
 * @param note the log's checkpoint, as it was read before; @param through sees each entry on its way
 */
export async function verifyFiles(
  files: LogFiles,
  note: string,
  question: Pick<JournalInQuestion, 'verifierKeys' | 'kept' | 'claims'>,
  through: (entries: Stream<PlacedEntry>) => Stream<PlacedEntry> = entries => entries,
): Promise<FilesReport> {
  const unread: string[] = []
  const size = sizeOf(note, question)
  const onFault = (path: string, says: string) => void unread.push(`${path}: ${says}`)
  const report = await verifyJournal({
    ...question,
    entries: through(entriesIn(files, size, { onFault })),
    checkpoints: [{ note }],
    tileAt: tilesIn(files, size),
  })
  return { ...report, unread }
}

/** Of a checkpoint that is not the log's nothing is believed, its size neither: it is then reported as forged. */
function sizeOf(note: string, { verifierKeys }: Pick<JournalInQuestion, 'verifierKeys'>): number {
  try {
    return openCheckpoint(note, verifierKeys).size
  } catch (cause) {
    if (cause instanceof BadNote) return 0
    throw cause
  }
}

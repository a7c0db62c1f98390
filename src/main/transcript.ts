/** The transcript of a ceremony: kept in the home for signatures, its hash in the journal. */

import { hash } from 'node:crypto'
import { join } from 'node:path'
import { entry } from '../ground/journal/entry.ts'
import { append } from '../ground/journal/journal.ts'
import type { Hands } from '../rooms/authority/issue-one.ts'
import { type Home, privateFolder, writePrivate } from './home.ts'

/** @param name ends the name of its file; `title` stands on the journal entry */
export async function keepTranscript(
  hands: Hands,
  home: Home,
  { name, title, lines }: { readonly name: string; readonly title: string; readonly lines: readonly string[] },
): Promise<void> {
  const transcript = `${lines.join('\n')}\n\nWitnessed by:\n\n  name, signature, date ______________________________\n`
  const stamp = hands.clock().toISOString().replace(/[:.]/g, '-')
  writePrivate(join(privateFolder(home.ceremony), `${stamp}-${name}.md`), transcript)
  await journalTranscript(hands, title, transcript)
}

/** The transcript's hash: what the witness signed can be told from what was made later. */
export async function journalTranscript(hands: Hands, title: string, transcript: string): Promise<void> {
  await hands.store.transaction(client =>
    append(client, entry('ceremony', hands.clock(), { title, transcript: hash('sha256', transcript, 'hex') })),
  )
}

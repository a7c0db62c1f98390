/** Reads a document by its form: Markdown, plain text, or DOCX. What is none of them, or meant to burst, is refused. */

import { readDocx } from './docx.ts'
import { NotReadable } from './not-readable.ts'
import type { Written } from './source.ts'
import { readText } from './text.ts'

/** Longer than any document of the Code; what is longer would only cost time. */
export const longestDocument = 32 << 20

/** No line of prose is so long; some searches take time with the square of a line. */
const longestLine = 20_000

/** @throws NotReadable */
export async function readDocument(file: string, octets: Buffer): Promise<Written> {
  if (octets.length > longestDocument) throw new NotReadable(`longer than ${longestDocument >> 20} MiB`)
  if (octets.subarray(0, 4).toString('latin1') === 'PK\u0003\u0004') {
    const written = await readDocx(octets)
    requireLines(written.lines.map(({ text }) => text))
    return written
  }
  const text = decode(octets)
  requireLines(text.split(/[\r\n]/))
  return readText(text, /\.(md|markdown)$/i.test(file) ? 'markdown' : 'text')
}

function requireLines(lines: readonly string[]): void {
  const at = lines.findIndex(line => line.length > longestLine)
  if (at >= 0) throw new NotReadable(`${lines[at]!.length} characters without the end of a line`)
}

function decode(octets: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(octets)
    // Form feeds part pages; no other control character stands in prose.
    if (!/[^\P{Cc}\t\n\f\r]/u.test(text)) return text
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
  }
  throw new NotReadable('neither UTF-8 text nor a DOCX')
}

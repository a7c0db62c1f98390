/** A rule of the reviewer: what it demands, where that is written, and what it finds. */

import type { Severity } from '../../lint/rule.ts'
import type { Definition } from './definitions.ts'
import type { Source } from './source.ts'
import type { Standard } from './standards-register.ts'

export interface Fault {
  /** Line, or paragraph of a DOCX. */
  readonly line: number
  readonly found: string
  /** Where it is less, or more, than the rule says. */
  readonly severity?: Severity | undefined
}

export interface Context {
  readonly definitions: readonly Definition[]
  /** Documents that are read beside it: their headings and definitions count too. */
  readonly beside: readonly { readonly source: Source; readonly definitions: readonly Definition[] }[]
  readonly standards: readonly Standard[]
}

export interface ReviewRule {
  /** Never renamed or reused. */
  readonly id: string
  readonly severity: Severity
  readonly says: string
  readonly where: string
  readonly faults: (source: Source, context: Context) => Iterable<Fault>
}

/** A reviewer repeats no more than this of a document in one finding. */
export function quoted(text: string, most = 80): string {
  const flat = text.replace(/\s+/g, ' ').trim()
  return flat.length > most ? `“${flat.slice(0, most - 1)}…”` : `“${flat}”`
}

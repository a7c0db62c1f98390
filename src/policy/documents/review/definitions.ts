/** What a document defines: in its table of terms or its glossary, in a sentence with `means`, or in a list of terms. */

import { plain, type Source } from './source.ts'

export interface Definition {
  readonly term: string
  readonly abbreviation: string | undefined
  readonly words: string
  readonly line: number
  /** In the part of the document that is there for it; others define in passing. */
  readonly formal: boolean
}

export function definitionsOf(source: Source): Definition[] {
  const tabled = [...inTables(source), ...inPairs(source)]
  // What stands in a table is not read again as a sentence, nor its second line.
  const read = new Set(tabled.flatMap(({ line }) => [line, line + 1]))
  const found = [...tabled, ...[...inSentences(source)].filter(({ line }) => !read.has(line))]
  const seen = new Set<number>()
  return found.filter(({ line }) => !seen.has(line) && seen.add(line)).toSorted((a, b) => a.line - b.line)
}

const names = /^(defined )?(terms?|acronyms?|abbreviations?|expressions?)$/
const meanings = /^(definitions?|meanings?|full terms?|descriptions?)$/

/** Rows below a head like `Term | Definition`. */
function* inTables({ lines }: Source): Generator<Definition> {
  let within = false
  for (const { is, cells, number } of lines) {
    if (is === 'blank') continue
    if (is !== 'row' || cells.length < 2) within = false
    else if (names.test(plain(cells[0]!)) && meanings.test(plain(cells[1]!))) within = true
    else if (within && cells[0] !== '' && cells[1] !== '') yield define(cells[0]!, cells[1]!, number, true)
  }
}

/** A table that was flattened: the term on a line, its definition on the next, a blank line between the rows. */
function* inPairs({ lines }: Source): Generator<Definition> {
  const full = lines.filter(({ is }) => is !== 'blank')
  const head = full.findIndex(
    ({ text }, i) => names.test(plain(text)) && meanings.test(plain(full[i + 1]?.text ?? '')),
  )
  for (let i = head + 2; head >= 0 && i + 1 < full.length; i += 2) {
    const [term, words] = [full[i]!, full[i + 1]!]
    if (term.is === 'heading' || term.text.length > 80 || words.number !== term.number + 1) return
    yield define(term.text, words.text, term.number, true)
  }
}

function* inSentences({ paragraphs }: Source): Generator<Definition> {
  for (const { text, line, is } of paragraphs) {
    const quoted = /^["“‘']?([A-Z][^"“”:.;]{1,80}?)["”’']?\s*:?\s+[“"]?(means|has the meaning)\b(.*)$/s.exec(text)
    if (quoted && quoted[1]!.split(' ').length <= 8)
      yield define(quoted[1]!, `${quoted[2]}${quoted[3]}`, line, true)
    else if (is === 'item') {
      const listed = /^([A-Z][A-Za-z0-9 /-]{1,50}?(?:\s\([A-Z][A-Za-z0-9]{1,7}\))?):\s+(\S.{15,})$/s.exec(text)
      if (listed && !isReference.test(listed[1]!)) yield define(listed[1]!, listed[2]!, line, false)
    }
  }
}

const isReference = /^(Section|Appendix|Annex|Attachment|Table|Figure|Part|Step|Objective|Note|Stage|Phase)\b/

function define(name: string, words: string, line: number, formal: boolean): Definition {
  const [, term = name, abbreviation] = /^(.*?)\s*\(([A-Z][A-Za-z0-9 ]{1,12})\)\W*$/.exec(name) ?? []
  const bare = term.replace(/^["“‘']|["”’']$/g, '').replace(/[\s.:]+$/, '')
  // Some repeat the term before they say what it is.
  const said = plain(words).startsWith(`${plain(bare)} `) ? words.replace(/^[^:]{0,60}:\s*/, '') : words
  return { term: bare, abbreviation, words: said, line, formal }
}

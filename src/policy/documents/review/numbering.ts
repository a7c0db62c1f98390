/** The numbers that Word prints before paragraphs: they stand in no text, and are counted from styles and numbering. */

import { readXml } from './xml.ts'

interface Level {
  readonly start: number
  readonly format: string
  /** `%1.%2` */
  readonly text: string
}

/** What a style says of the paragraphs that have it. */
export interface Style {
  readonly name: string
  readonly basedOn: string | undefined
  readonly list: string | undefined
  readonly level: number | undefined
  /** 0 for the first level of headings. */
  readonly outline: number | undefined
}

/** `word/styles.xml` by style id. */
export function readStyles(octets: Buffer | undefined): Map<string, Style> {
  const styles = new Map<string, Style>()
  let id: string | undefined
  let style = emptyStyle
  if (octets) {
    readXml('word/styles.xml', octets, {
      open(name, attribute) {
        if (name === 'style') {
          id = attribute('styleId')
          style = emptyStyle
        }
        if (id === undefined) return
        const value = attribute('val')
        if (name === 'name') style = { ...style, name: (value ?? '').toLowerCase() }
        if (name === 'basedOn') style = { ...style, basedOn: value }
        if (name === 'numId') style = { ...style, list: value }
        if (name === 'ilvl') style = { ...style, level: Number(value) }
        if (name === 'outlineLvl') style = { ...style, outline: Number(value) }
      },
      close(name) {
        if (name === 'style' && id !== undefined) styles.set(id, style)
        if (name === 'style') id = undefined
      },
      text() {},
    })
  }
  return styles
}

const emptyStyle: Style = { name: '', basedOn: undefined, list: undefined, level: undefined, outline: undefined }

/** A style with what it inherits. */
export function inherited(styles: ReadonlyMap<string, Style>, id: string | undefined): Style {
  let style = emptyStyle
  // A style that is based on itself, by whatever way round, ends here.
  for (let steps = 0; id !== undefined && steps < 20; steps++) {
    const next = styles.get(id)
    if (!next) break
    style = {
      name: style.name || next.name,
      basedOn: next.basedOn,
      list: style.list ?? next.list,
      level: style.level ?? next.level,
      outline: style.outline ?? next.outline,
    }
    id = next.basedOn
  }
  return style
}

/** Counts the paragraphs of each list, and prints their numbers. */
export class Numbering {
  /** By list: which levels it has. Several lists may share them, and then they share their counts. */
  readonly #levels = new Map<string, { key: string; levels: Map<number, Level> }>()
  readonly #counts = new Map<string, number[]>()

  /** @param octets `word/numbering.xml` */
  constructor(octets: Buffer | undefined) {
    if (octets) this.#read(octets)
  }

  /** The number of the next paragraph of that list at that level; undefined for bullets and unknown lists. */
  next(list: string, level: number): string | undefined {
    const found = this.#levels.get(list)
    const own = found?.levels.get(level)
    if (!found || !own) return undefined
    const counts = this.#counts.get(found.key) ?? []
    this.#counts.set(found.key, counts)
    for (let above = 0; above < level; above++) counts[above] ??= found.levels.get(above)?.start ?? 1
    counts[level] = (counts[level] ?? own.start - 1) + 1
    counts.length = level + 1
    if (own.format === 'bullet' || own.format === 'none') return undefined
    const printed = own.text.replace(/%(\d)/g, (_, digit: string) => {
      const at = Number(digit) - 1
      return print(counts[at] ?? 1, found.levels.get(at)?.format ?? 'decimal')
    })
    return printed === '' ? undefined : printed
  }

  #read(octets: Buffer): void {
    const abstracts = new Map<string, Map<number, Level>>()
    let levels = new Map<number, Level>()
    let at = 0
    let level: Level = { start: 1, format: 'decimal', text: '' }
    let list = ''
    readXml('word/numbering.xml', octets, {
      open: (name, attribute) => {
        const value = attribute('val') ?? ''
        if (name === 'abstractNum') {
          levels = new Map()
          abstracts.set(attribute('abstractNumId') ?? '', levels)
        }
        if (name === 'lvl') {
          at = Number(attribute('ilvl'))
          level = { start: 1, format: 'decimal', text: '' }
        }
        if (name === 'start') level = { ...level, start: Number(value) }
        if (name === 'numFmt') level = { ...level, format: value }
        if (name === 'lvlText') level = { ...level, text: value }
        if (name === 'num') list = attribute('numId') ?? ''
        if (name === 'abstractNumId')
          this.#levels.set(list, { key: value, levels: abstracts.get(value) ?? new Map() })
        // A list of its own begins to count anew.
        if (name === 'lvlOverride') {
          at = Number(attribute('ilvl'))
          const { levels: shared } = this.#levels.get(list) ?? { levels: new Map<number, Level>() }
          this.#levels.set(list, { key: `list ${list}`, levels: new Map(shared) })
        }
        if (name === 'startOverride') {
          const own = this.#levels.get(list)?.levels
          const before = own?.get(at)
          if (own && before) own.set(at, { ...before, start: Number(value) })
        }
      },
      close: name => {
        if (name !== 'lvl') return
        if (list === '') levels.set(at, level)
        else this.#levels.get(list)?.levels.set(at, level)
      },
      text() {},
    })
  }
}

function print(count: number, format: string): string {
  switch (format) {
    case 'lowerLetter':
      return letters(count)
    case 'upperLetter':
      return letters(count).toUpperCase()
    case 'lowerRoman':
      return roman(count)
    case 'upperRoman':
      return roman(count).toUpperCase()
    default:
      return String(count)
  }
}

/** a … z, aa, bb, as Word has it. */
function letters(count: number): string {
  const letter = String.fromCharCode(97 + ((count - 1) % 26))
  return letter.repeat(Math.min(Math.ceil(count / 26), 10))
}

const romans: readonly (readonly [number, string])[] = [
  [100, 'c'],
  [90, 'xc'],
  [50, 'l'],
  [40, 'xl'],
  [10, 'x'],
  [9, 'ix'],
  [5, 'v'],
  [4, 'iv'],
  [1, 'i'],
]

function roman(count: number): string {
  let left = Math.min(count, 3999)
  let text = ''
  for (const [value, sign] of romans) {
    for (; left >= value; left -= value) text += sign
  }
  return text
}

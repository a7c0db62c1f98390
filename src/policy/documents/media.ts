/** The forms in which documents are kept: a strict list, each told by its octets and not by its name. */

import { NotReadable } from './review/not-readable.ts'
import { readXml } from './review/xml.ts'
import { unzip } from './review/zip.ts'

/** With the ending of a file's name; the first is what a download is called by. */
export const mediaTypes = {
  'application/pdf': ['pdf'],
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': ['docx'],
  'text/markdown': ['md', 'markdown'],
  'text/plain': ['txt'],
  'application/xml': ['xml'],
} as const satisfies Record<string, readonly [string, ...string[]]>

export type MediaType = keyof typeof mediaTypes

/** @param text of a Content-Type: upper case and a charset of UTF-8 are forgiven */
export function mediaTypeFrom(text: string): MediaType | undefined {
  const [type = '', ...parameters] = text.toLowerCase().split(';')
  if (parameters.some(one => !/^\s*charset\s*=\s*"?(utf-8|us-ascii)"?\s*$/.test(one))) return undefined
  return (Object.keys(mediaTypes) as MediaType[]).find(one => one === type.trim())
}

/** By the ending of a file's name. */
export function mediaTypeOf(name: string): MediaType | undefined {
  const ending = /\.([A-Za-z]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  return (Object.keys(mediaTypes) as MediaType[]).find(type =>
    (mediaTypes[type] as readonly string[]).includes(ending),
  )
}

/** What a download says it is: text is always UTF-8. */
export function contentType(type: string): string {
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type
}

/** `Appendix D`, `2.1` as `Appendix-D-2.1.pdf`: ASCII, and nothing in it leads elsewhere. */
export function fileNameOf(document: string, version: string, type: string): string {
  const [ending] = mediaTypes[type as MediaType] ?? ['bin']
  const plain = `${document} ${version}`.replace(/[^A-Za-z0-9.]+/g, '-').replace(/^[-.]+|[-.]+$/g, '')
  return `${plain}.${ending}`
}

export interface Misfit {
  /** `active`: a browser, or a word processor, would run it. */
  readonly is: 'active' | 'another'
  readonly says: string
}

/** Why these octets are not kept as that type, or undefined when they are what they are said to be. */
export async function misfitOf(type: MediaType, octets: Buffer): Promise<Misfit | undefined> {
  try {
    return await judges[type](octets)
  } catch (cause) {
    if (cause instanceof NotReadable) return another(cause.message)
    throw cause
  }
}

const another = (says: string): Misfit => ({ is: 'another', says })
const active = (says: string): Misfit => ({ is: 'active', says })

type Judge = (octets: Buffer) => Promise<Misfit | undefined> | Misfit | undefined

const judges: Readonly<Record<MediaType, Judge>> = {
  'application/pdf': pdf,
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': docx,
  'text/markdown': text,
  'text/plain': text,
  'application/xml': xml,
}

/** ISO 32000-2 7.5.2 and 7.5.5: its head, and the mark of its end in the last kilobyte. */
function pdf(octets: Buffer): Misfit | undefined {
  if (!/^%PDF-[12]\.\d/.test(octets.subarray(0, 8).toString('latin1'))) return another('it does not begin as a PDF')
  return octets.subarray(-1024).includes('%%EOF') ? undefined : another('the end of the PDF is not there')
}

const contentTypes = '[Content_Types].xml'

/** ECMA-376 part 2: what the parts are stands in one place, macros too. */
async function docx(octets: Buffer): Promise<Misfit | undefined> {
  const parts = await unzip(octets, [contentTypes, 'word/document.xml'])
  const types: string[] = []
  readXml(contentTypes, parts.get(contentTypes) ?? Buffer.alloc(0), {
    open: (_, attribute) => types.push(attribute('ContentType') ?? ''),
    close: () => {},
    text: () => {},
  })
  if (types.some(one => /macroEnabled|vbaProject|activeX|oleObject/i.test(one)))
    return active('it holds macros, or objects of other programs')
  const main = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'
  return parts.has('word/document.xml') && types.includes(main) ? undefined : another('it is no document of Word')
}

/** White space, comments and instructions may stand before what makes a page of it. */
const page =
  /^(?:\s|<!--(?:(?!-->)[\s\S])*-->|<\?(?:(?!\?>)[\s\S])*\?>)*<(?:!doctype\s+html|html|head|body|script|iframe|svg)\b/i

function text(octets: Buffer): Misfit | undefined {
  const said = utf8(octets)
  if (said === undefined) return another('it is not UTF-8')
  // Form feeds part pages; no other control character stands in prose.
  if (/[^\P{Cc}\t\n\f\r]/u.test(said)) return another('control characters stand in it')
  return page.test(said.slice(0, 65_536)) ? active('it is HTML') : undefined
}

function xml(octets: Buffer): Misfit | undefined {
  const said = utf8(octets)
  if (said === undefined) return another('it is not UTF-8')
  if (page.test(said.slice(0, 65_536)) || /<\?xml-stylesheet/i.test(said))
    return active('it is a page, or has a stylesheet')
  let found: Misfit | undefined
  let elements = 0
  readXml('it', octets, {
    open(name) {
      elements++
      if (/^(html|svg|script)$/i.test(name)) found = active(`it holds the element ${name}`)
    },
    close: () => {},
    text: () => {},
  })
  return found ?? (elements > 0 ? undefined : another('no element is in it'))
}

function utf8(octets: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch (cause) {
    if (cause instanceof TypeError) return undefined
    throw cause
  }
}

/** Why a document is not read: the two verdicts of the XML readers. */

/** What both verdicts share. The message is a sentence that can be shown: it repeats no more of the document than a short, printable excerpt. */
export abstract class Unreadable extends Error {
  /** How many characters (UTF-16 units) of the document had been read. */
  readonly position: number

  constructor(why: string, position: number) {
    super(`${why} (at character ${position})`)
    this.position = position
  }
}

/** The document is not XML, not UTF-8, or uses what the readers refuse in every document. */
export class NotWellFormed extends Unreadable {
  override readonly name = 'NotWellFormed'
}

/** The document is XML, but not what its schema says. */
export class NotValid extends Unreadable {
  override readonly name = 'NotValid'
}

/** At most `most` characters, none of which could steer a terminal or a log. */
export function excerpt(text: string, most = 40): string {
  const printable = text.slice(0, most).replace(/[^ -~]/g, '?')
  return text.length > most ? `${printable}...` : printable
}

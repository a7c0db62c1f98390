/** The answer "no": a code that is never renamed or reused, and a sentence that helps the person who reads it. */

/**
 * An expected "no". A door shows `code` and `message` as they are; every other error is a fault of ours, and a door
 * hides it behind an incident number. Each room keeps the table of its own codes.
 */
export class Refusal<Code extends string = string> extends Error {
  readonly code: Code
  /** What the decision rested on, for the journal and for `--json`; never a secret. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: Code, sentence: string, options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Refusal'
    this.code = code
    this.details = options.details ?? {}
  }
}

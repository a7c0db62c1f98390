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

/** A room's codes: the HTTP status by which a door answers each, and its sentence. */
export type Refusals<Code extends string> = Readonly<
  Record<Code, { readonly status: number; readonly says: string }>
>

/** How a room says no by its table: the sentence of the code, and after it what is particular. */
export function refusing<Code extends string>(
  table: Refusals<Code>,
): (code: Code, particular?: string, details?: Record<string, unknown>) => Refusal<Code> {
  return (code, particular, details) => {
    const { says } = table[code]
    return new Refusal(code, particular === undefined ? says : `${says}: ${particular}`, details && { details })
  }
}

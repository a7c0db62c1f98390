/**
 * How a page is made: one file a page, which ends in `export const … = page({ … })`, and a line in `pages.ts`.
 *
 * `show` gives what stands in the middle of the page: an `Html` of the `html` tag (frame/html.ts), made of the pieces in
 * frame/{pieces,tables,fields}.ts. `act` is what the page's form does when it is posted to the page's own address: it
 * returns where to go next, or throws. A `Faulty` names the fields that are wrong; any `Refusal` of a room is shown as it
 * is, with its code. In both cases the page is shown once more with what was entered (`visit.given`) and an error summary
 * on top, so `show` gives each field its `fault` and its value by `visit`. The form itself is `form(visit, …)`, which
 * carries the token; what must not be done twice carries what it was decided on, and the room checks it.
 *
 * Every visit knows the visitor anew: a credential that ended a moment ago opens nothing.
 */

import type { Readable } from 'node:stream'
import type { Refusal } from '../../../ground/refusal.ts'
import type { Peer } from '../../../rooms/registration/caller.ts'
import type { PortalDoor } from '../door.ts'
import type { Form } from './form.ts'
import type { Html } from './html.ts'
import type { Session } from './session.ts'
import type { Identity, Visitor, Who } from './visitor.ts'

export type Section = 'officer' | 'repository' | 'registration' | 'governance' | 'operations' | 'account'

export interface PageDefinition {
  /** As Fastify has it: `/officer/batches/:batch`. Unique. */
  readonly path: string
  /** In the window's title and, unless `show` gives its own, in words that say where one is. */
  readonly title: string
  /** Who may see it: some offices, whoever has signed in, or everybody. */
  readonly who: readonly Who[] | 'signed in' | 'everybody'
  /** The credential that opens it, where the office alone does not: the Organisation and the Device part of the Portal. */
  readonly part?: 'PORTAL_ORG' | 'PORTAL_DEVICE'
  readonly section?: Section
  /** What the section's own page says of it, which then links to it. */
  readonly says?: string
  /** Takes files: then `act` is given the upload, held in memory and nowhere else. */
  readonly upload?: true
  show(visit: Visit): Promise<Shown> | Shown
  act?(visit: Visit, form: Form): Promise<Next>
}

/** One request for a page. */
export interface Visit {
  readonly door: PortalDoor
  /** Undefined on pages for everybody, before anybody signed in. */
  readonly visitor: Visitor | undefined
  readonly session: Session | undefined
  /** The certificate of the connection, where one is asked for. */
  readonly peer: Peer | undefined
  readonly at: Date
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** What was entered, when the page is shown once more after a fault. */
  readonly given: Readonly<Record<string, string>>
  readonly faults: readonly Fault[]
  /** Said once, after something was done. */
  readonly notice: string | undefined
}

/** What is wrong with a field, in words that say what to do. Without a field, with the whole. */
export interface Fault {
  readonly field?: string
  readonly says: string
}

/** What was entered cannot be taken as it is. */
export class Faulty extends Error {
  override name = 'Faulty'
  readonly faults: readonly Fault[]
  constructor(faults: readonly Fault[]) {
    super(faults.map(one => one.says).join('; '))
    this.faults = faults
  }
}

/** A refusal of a room that belongs to one field of the form. */
export class AtField extends Error {
  override name = 'AtField'
  readonly field: string
  readonly refusal: Refusal
  constructor(field: string, refusal: Refusal) {
    super(refusal.message)
    this.field = field
    this.refusal = refusal
  }
}

export type Shown = Html | { readonly title: string; readonly body: Html } | Download

/** A file instead of a page. */
export interface Download {
  /** ASCII; other characters are replaced. */
  readonly name: string
  readonly type: string
  readonly octets: Buffer | Readable | string
  /** Of the octets, hexadecimal: then it is the ETag, and whoever holds them is not sent them again. */
  readonly sha256?: string
}

/** Where to go after something was done, and what to say there; or a page, or a file, at once. */
export type Next = Onward | Shown

export interface Onward {
  /** An address of ours. */
  readonly to: string
  readonly says?: string
  /** Signs that visitor in, on a session of its own. */
  readonly begin?: Identity
  /** Signs out. */
  readonly end?: true
}

export type Page = PageDefinition

export function page(definition: PageDefinition): Page {
  return definition
}

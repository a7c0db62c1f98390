/** The Repository searched by people: by what a certificate says, by its state and by when it was issued. */

import type { Bytes } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import type { Family } from '../../policy/profile.ts'
import { bySerial } from './by-serial.ts'
import { findWhere, type Lodged, type Status } from './find.ts'
import { families } from './register.ts'

/** What is asked for; what is not said may be anything. */
export interface Asked {
  /** 8 octets. */
  readonly eui64?: Bytes | undefined
  /** 16 octets. */
  readonly serial?: Bytes | undefined
  /** Of the authority that issued it, by its number. */
  readonly authority?: number | undefined
  /** 8 octets: method 2 of the subject's key. */
  readonly keyId?: Bytes | undefined
  readonly family?: Family | undefined
  readonly role?: number | undefined
  readonly status?: Status | undefined
  /** Issued at or after, and before. */
  readonly from?: Date | undefined
  readonly until?: Date | undefined
}

/** Where the next part of a search begins: behind this certificate. */
export interface Place {
  readonly signing: bigint
  readonly position: number
}

export interface Found {
  /** Newest first. */
  readonly certificates: readonly Lodged[]
  /** Where it goes on; undefined when there is no more. */
  readonly next: Place | undefined
  /** Set when the search stopped after so many Certificates, with fewer found than were asked for. */
  readonly looked?: number
}

/** A search that takes longer is given up: one reader must not keep the others waiting (3 s for an answer, seed 004). */
const patienceMs = 2500

/** Certificates looked at in one statement where their octets say whether they are meant. */
const manyAtOnce = 400

/**
 * Certificates of which a search by "not in use" alone looks at one part: each is asked whether another took its place,
 * and where few were replaced, the next may lie a million back.
 */
const oneLook = 2000

/** @throws Refusal SEARCH_TOO_WIDE when too many certificates would have to be looked at */
export async function search(
  store: Store,
  asked: Asked,
  now: Date,
  atMost: number,
  after?: Place,
  look = oneLook,
): Promise<Found> {
  try {
    return await store.transaction(async client => {
      await client.query(`SET LOCAL statement_timeout = ${patienceMs}`)
      const reader = client as unknown as Pick<Store, 'query'>
      const found: Lodged[] = []
      const until = performance.now() + patienceMs
      const step = asked.status === 'E' ? manyAtOnce : atMost + 1
      let from = after
      const end = isRare(asked) ? await placeBehind(reader, asked, after, look) : undefined
      for (;;) {
        const [where, values] = whereOf(asked, from, end)
        const some = await findWhere(
          reader,
          `(c.signing, c.position) IN (${keys} WHERE ${where} ${newestFirst} LIMIT ${step}) ${newestFirst}`,
          values,
          now,
        )
        for (const one of some) {
          from = { signing: one.signing, position: one.position }
          if (asked.status !== undefined && one.status !== asked.status) continue
          // One more than is shown: then there is a next part.
          if (found.length === atMost) return { certificates: found, next: placeOf(found.at(-1)!) }
          found.push(one)
        }
        if (some.length < step) return { certificates: found, next: end, ...(end && { looked: look }) }
        if (performance.now() > until) throw tooWide()
      }
    })
  } catch (cause) {
    if ((cause as { code?: string }).code === '57014') throw tooWide(cause)
    throw cause
  }
}

// Which they are, before anything is worked out of them: that is asked of as many as are shown, and of no others.
// Each signing by its number: a join may read all of them once for every certificate that is found.
const keys = `SELECT c.signing, c.position FROM certificate c
  CROSS JOIN LATERAL (SELECT at FROM signing WHERE signing.id = c.signing AND signing.state = 'complete' OFFSET 0) s
  LEFT JOIN revoked r ON r.authority = c.authority AND r.serial = c.serial`
const newestFirst = 'ORDER BY c.signing DESC, c.position DESC'

/** Nothing but walking finds the next one. */
function isRare({ status, eui64, serial, keyId }: Asked): boolean {
  return status === 'N' && eui64 === undefined && serial === undefined && keyId === undefined
}

/** The last of so many, whatever their state; undefined when there are not so many. */
async function placeBehind(
  reader: Pick<Store, 'query'>,
  asked: Asked,
  from: Place | undefined,
  count: number,
): Promise<Place | undefined> {
  const [where, values] = whereOf({ ...asked, status: undefined }, from)
  const { rows } = await reader.query<{ signing: bigint; position: number }>(
    `${keys} WHERE ${where} ${newestFirst} LIMIT 1 OFFSET ${count - 1}`,
    values,
  )
  return rows[0]
}

function whereOf(asked: Asked, from: Place | undefined, end?: Place): [string, unknown[]] {
  const values: unknown[] = []
  const parts: string[] = ['true']
  const add = (sql: string, ...given: unknown[]) => {
    parts.push(sql.replace(/\?/g, () => `$${values.push(given.shift())}`))
  }
  if (asked.eui64) add('c.eui64 = ?', asked.eui64)
  if (asked.serial) add(bySerial('?::bytea'), asked.serial, asked.serial)
  if (asked.keyId) add('c.key_id = ?', asked.keyId)
  if (asked.authority !== undefined) add('c.authority = ?', asked.authority)
  // A number of ours, and as such in the text: then the index of those that are not Devices' can serve.
  if (asked.family !== undefined) add(`c.family = ${families[asked.family]}`)
  // No Device has a role: said here, the index of the others serves.
  if (asked.role !== undefined) add(`c.role = ? AND c.family <> ${families.device}`, asked.role)
  // Numbers of signings ascend with time, but for the few that were under way side by side: the first and the last of a
  // time bound what is looked at, so that the newest million need not be passed to find a day of last year.
  if (asked.from) add(`s.at >= ? AND c.signing >= (${signingAt('min', '>=')})`, asked.from, asked.from)
  if (asked.until) add(`s.at < ? AND c.signing <= (${signingAt('max', '<')})`, asked.until, asked.until)
  if (asked.status !== undefined) add(mayBe[asked.status])
  if (from) add('(c.signing, c.position) < (?, ?)', from.signing, from.position)
  if (end) add('(c.signing, c.position) >= (?, ?)', end.signing, end.position)
  return [parts.join(' AND '), values]
}

/** A Device Certificate that another took the place of, or that was withdrawn. */
const superseded = `(EXISTS (SELECT FROM not_in_use n WHERE n.signing = c.signing AND n.position = c.position)
  OR EXISTS (SELECT FROM certificate o WHERE o.eui64 = c.eui64 AND o.family = c.family AND o.usage = c.usage
       AND o.ordinal > c.ordinal AND (SELECT t.state FROM signing t WHERE t.id = o.signing) = 'complete'))`

/** What the store can tell of a state. Of the few that are not Devices', the octets tell the rest (statusOf of find.ts). */
const mayBe: Readonly<Record<Status, string>> = {
  // Whatever is lodged is pending no more.
  P: 'false',
  I: `r.at IS NULL AND (c.family <> ${families.device} OR NOT ${superseded})`,
  N: `r.at IS NULL AND (c.family <> ${families.device} OR ${superseded})`,
  E: `r.at IS NULL AND c.family <> ${families.device}`,
  R: 'r.at IS NOT NULL',
}

const signingAt = (which: 'min' | 'max', than: '>=' | '<') => `SELECT ${which}(id) FROM signing WHERE at ${than} ?`

const placeOf = ({ signing, position }: Lodged): Place => ({ signing, position })

function tooWide(cause?: unknown): Refusal<'SEARCH_TOO_WIDE'> {
  const says =
    'Too many Certificates would have to be looked at. Say more: an EUI-64, a serial number, a key identifier or fewer days.'
  return new Refusal('SEARCH_TOO_WIDE', says, cause === undefined ? {} : { cause })
}

/** How anything is done here: by an officer in office, in one transaction with its journal entry, also when it is refused. */

import type { Chance, Clock } from '../../ground/clock.ts'
import { entry, type JsonValue } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { isOfOrganisation, type Office, offices } from '../../policy/registration/offices.ts'
import { type SingleAct, singleActs } from '../../policy/registration/procedure.ts'
import type { RegistrationRules } from './form.ts'
import { no } from './refusals.ts'
import { isPlainText } from './text.ts'

/** What this room needs of the world. */
export interface Hands {
  readonly store: Store
  readonly clock: Clock
  readonly chance: Chance
  /** The group `registration` of the settings. */
  readonly rules: RegistrationRules
}

/** A person acting in an office. */
export interface Officer {
  /** The person's reference. */
  readonly person: string
  readonly as: Office
  /** For which organisation: of a Nominating Officer, an SRO and an ARO. */
  readonly party?: number | undefined
  /**
   * Who of the Registration Authority records what that person has signed: then it is this one that the door knows by a
   * credential. Absent when the person acts here itself.
   */
  readonly through?: { readonly person: string; readonly as: 'RA_PERSONNEL' | 'RA_MANAGER' } | undefined
}

/** Who does a thing. `ceremony` makes the first appointments (first.ts) and nothing else. */
export type Actor = Officer | 'ceremony'

/** A reference to what a step rests on: `{ kind: 'public register', reference: 'CH-2026-11-20/17' }`. */
export interface Evidence {
  readonly kind: string
  readonly reference: string
}

/** What goes with every act. Words name no person: they stand in the journal for good. */
export interface Given {
  readonly words?: string | undefined
  readonly evidence?: readonly Evidence[] | undefined
}

/** An officer who was found in office. */
export interface InOffice {
  /** Numbers of rows, not references. */
  readonly person: number
  readonly through: number | undefined
  readonly as: Office
  readonly party: number | undefined
  /** As it stands on journal entries. */
  readonly says: Readonly<Record<string, JsonValue>>
}

/** One act on its way. */
export interface Acting {
  readonly client: Client
  readonly at: Date
  readonly by: InOffice
  readonly hands: Hands
  /** Writes what was done into the journal, with who did it. */
  note(act: string, body: Readonly<Record<string, JsonValue>>): Promise<void>
}

/** What is attempted, for the journal: an attempt that is refused stands there too. */
export interface Attempt {
  readonly act: string
  readonly says?: Readonly<Record<string, JsonValue>>
}

/**
 * Runs an act. The officer's appointment is held until its end: who ceases meanwhile either waits for it, or has ceased
 * before it began.
 * @throws Refusal CEREMONY_ONLY, NOT_IN_OFFICE, and those of the work; each is journalled before it is thrown
 */
export async function act<T>(
  hands: Hands,
  actor: Actor,
  attempt: Attempt,
  work: (acting: Acting) => Promise<T>,
): Promise<T> {
  const at = hands.clock()
  try {
    return await hands.store.transaction(async client => {
      if (actor === 'ceremony') throw no('CEREMONY_ONLY')
      const by = await inOffice(client, actor, at)
      const note: Acting['note'] = async (name, body) => {
        await append(client, entry(name, at, { ...body, by: by.says }))
      }
      return work({ client, at, by, hands, note })
    })
  } catch (cause) {
    if (cause instanceof Refusal) await noteRefusal(hands, actor, attempt, cause, at)
    throw cause
  }
}

/** As `act`, for what one officer may do alone (`singleActs`); the organisation is that of the matter, if it has one. */
export function actAlone<T>(
  hands: Hands,
  actor: Actor,
  name: SingleAct,
  party: number | undefined,
  says: Readonly<Record<string, JsonValue>>,
  work: (acting: Acting) => Promise<T>,
): Promise<T> {
  return act(hands, actor, { act: name, says: { ...says, ...(party !== undefined && { party }) } }, acting => {
    requireOffice(acting.by, singleActs[name], party)
    return work(acting)
  })
}

/** @throws Refusal NOT_FOR_THIS_OFFICE, OTHER_ORGANISATION */
export function requireOffice(
  by: Pick<InOffice, 'as' | 'party'>,
  allowed: readonly Office[],
  party: number | undefined,
): void {
  if (!allowed.includes(by.as)) throw no('NOT_FOR_THIS_OFFICE', `it belongs to ${allowed.join(', ')}`)
  if (isOfOrganisation(by.as) && by.party !== party) throw no('OTHER_ORGANISATION')
}

/** The words and references as they are kept and journalled. @throws Refusal WORDS_UNFIT */
export function readGiven({ words = '', evidence = [] }: Given): {
  words: string
  evidence: { kind: string; reference: string }[]
} {
  // Words may have lines.
  if (!isPlainText(String(words).replaceAll('\n', ' '), 2000)) throw no('WORDS_UNFIT')
  const fits = ({ kind, reference }: Evidence) =>
    isPlainText(kind, 200) && isPlainText(reference, 200) && reference !== ''
  if (evidence.length > 20 || !evidence.every(fits)) throw no('WORDS_UNFIT')
  return { words, evidence: evidence.map(({ kind, reference }) => ({ kind, reference })) }
}

async function inOffice(client: Client, officer: Officer, at: Date): Promise<InOffice> {
  const own = await appointmentOf(client, officer.person, officer.as, officer.party, at)
  const through = officer.through
  // Whoever records could else act in the name of his own Manager.
  if (through && offices[officer.as].of === 'registration authority') throw no('IN_PERSON')
  const recorder = through && (await appointmentOf(client, through.person, through.as, undefined, at))
  if (recorder?.person === own.person) throw no('IN_PERSON', 'nobody records for himself')
  return {
    person: own.person,
    through: recorder?.person,
    as: officer.as,
    party: officer.party,
    says: {
      person: officer.person,
      as: officer.as,
      appointment: own.appointment,
      ...(officer.party !== undefined && { party: officer.party }),
      ...(through && { through: { person: through.person, as: through.as, appointment: recorder!.appointment } }),
    },
  }
}

async function appointmentOf(
  client: Client,
  reference: string,
  office: Office,
  party: number | undefined,
  at: Date,
): Promise<{ person: number; appointment: number }> {
  const { rows } = await client.query<{ person: number; appointment: number }>({
    name: 'in office',
    text: `SELECT a.person, a.id AS appointment FROM appointment a JOIN person p ON p.id = a.person
            WHERE p.reference = $1 AND a.office = $2 AND a.party IS NOT DISTINCT FROM $3
              AND a.state = 'appointed' AND a.appointed_at <= $4 FOR SHARE OF a`,
    values: [reference, office, party ?? null, at],
  })
  if (!rows[0]) throw no('NOT_IN_OFFICE', office)
  return rows[0]
}

async function noteRefusal(
  hands: Hands,
  actor: Actor,
  attempt: Attempt,
  refusal: Refusal,
  at: Date,
): Promise<void> {
  const by = actor === 'ceremony' ? actor : claimedBy(actor)
  const says = { attempt: attempt.act, code: refusal.code, ...claimed(attempt.says ?? {}), by }
  await hands.store.transaction(client => append(client, entry('refused', at, says)))
}

function claimedBy({ through, ...officer }: Officer): Record<string, JsonValue> {
  return { ...claimed(officer), ...(through && { through: claimed(through) }) }
}

const claimedForms: Readonly<Record<string, RegExp>> = { person: /^p-[0-9a-f]{12}$/, serial: /^[0-9a-f]{32}$/ }

/** What was only claimed stands in the journal as a reference, a number or a word; a name of somebody does not. */
function claimed(says: Readonly<Record<string, unknown>>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(says).flatMap(([key, value]): [string, string | number][] => {
      if (value === undefined) return []
      if (typeof value === 'number' && Number.isSafeInteger(value)) return [[key, value]]
      const form = claimedForms[key] ?? /^[A-Za-z][A-Za-z_-]{0,31}$/
      return [[key, typeof value === 'string' && form.test(value) ? value : '?']]
    }),
  )
}

/** Developments of documents and modifications of the Code: what happened is entered step by step, and read with what it comes to. */

import { z } from 'zod'
import type { Attachment } from '../../../ground/http/attachment.ts'
import { datesOf, findingsOf } from '../../../policy/documents/development/checks.ts'
import type { NewDevelopmentEvent } from '../../../policy/documents/development/events.ts'
import { readerFor } from '../../../policy/documents/keepers.ts'
import { modificationFindings, timetable } from '../../../policy/documents/modification/checks.ts'
import type { NewModificationEvent } from '../../../policy/documents/modification/events.ts'
import {
  beginDevelopment,
  developmentFrom,
  enterDevelopment,
  reportRef,
} from '../../../rooms/governance/developments.ts'
import { versionsFor } from '../../../rooms/governance/documents.ts'
import { readFile } from '../../../rooms/governance/files.ts'
import {
  enterModification,
  modificationFrom,
  modificationReportRef,
  raiseModification,
} from '../../../rooms/governance/modifications.ts'
import { no } from '../../../rooms/governance/refusals.ts'
import {
  developments as everyDevelopment,
  modifications as everyModification,
} from '../../../rooms/governance/register.ts'
import type { Officer } from '../../../rooms/registration/act.ts'
import { decisionRecorders } from '../../../rooms/registration/pma.ts'
import { no as notForYou } from '../../../rooms/registration/refusals.ts'
import type { Caller } from '../caller.ts'
import { mustBeCentral } from '../officer.ts'
import type { Group, Routes } from '../route.ts'

const ref = z.string().min(1).max(100)
const day = z.string()
const event = z
  .record(z.string(), z.unknown())
  .meta({ description: 'one step, as docs/formats/governance.md has it; dates are kept as they are given' })

const shown = z.strictObject({
  ref,
  title: z.string(),
  state: z.string(),
  documents: z.array(z.string()),
  dates: z.array(z.strictObject({ what: z.string(), on: day })),
  findings: z.array(z.string()).meta({ description: 'what does not add up; a finding is no error' }),
  report: z.string().optional().meta({ description: 'the document of the register that its report is kept as' }),
})
type Shown = z.output<typeof shown>

/** The two are alike: events in, what they have come to out. */
interface Kind {
  readonly name: 'developments' | 'modifications'
  readonly one: string
  all(): Promise<Shown[]>
  of(ref: string): Promise<Shown | undefined>
  begin(by: string, ref: string, event: Readonly<Record<string, unknown>>): Promise<unknown>
  enter(by: string, ref: string, event: Readonly<Record<string, unknown>>): Promise<unknown>
}

export const developments: Group = {
  name: 'developments',
  says: 'how documents come about (L14.8 and alike), and modifications of the Code',
  add(routes) {
    const { door } = routes
    const { store, settings } = door
    type Development = NonNullable<Awaited<ReturnType<typeof developmentFrom>>>
    type Modification = NonNullable<Awaited<ReturnType<typeof modificationFrom>>>
    const developed = (of: string, one: Development): Shown => ({
      ref: of,
      title: one.draft.title,
      state: one.state,
      documents: one.draft.documents,
      dates: datesOf(one).map(({ what, on }) => ({ what, on })),
      findings: findingsOf(one).map(({ says }) => says),
      ...(one.concluded && { report: reportRef(of) }),
    })
    const modified = (of: string, one: Modification): Shown => ({
      ref: of,
      title: one.raised.title,
      state: one.state,
      documents: [...(one.impact?.documents ?? one.raised.issueDocuments)],
      dates: timetable(one).map(({ what, on }) => ({ what, on })),
      findings: modificationFindings(one, settings.governance.releaseCutOffWorkingDays).map(({ says }) => says),
      ...(one.report && { report: modificationReportRef(of) }),
    })
    addKind(routes, {
      name: 'developments',
      one: 'development',
      all: async () => (await everyDevelopment(store)).map(one => developed(one.ref, one.development)),
      of: async of => {
        const one = await developmentFrom(store, of)
        return one && developed(of, one)
      },
      begin: (by, of, given) => beginDevelopment(door, by, of, given as NewDevelopmentEvent),
      enter: (by, of, given) => enterDevelopment(door, by, of, given as NewDevelopmentEvent),
    })
    addKind(routes, {
      name: 'modifications',
      one: 'modification',
      all: async () => (await everyModification(store)).map(one => modified(one.ref, one.modification)),
      of: async of => {
        const one = await modificationFrom(store, of)
        return one && modified(of, one)
      },
      begin: (by, of, given) => raiseModification(door, by, of, given as NewModificationEvent),
      enter: (by, of, given) => enterModification(door, by, of, given as NewModificationEvent),
    })
  },
}

function addKind({ door, add }: Routes, kind: Kind): void {
  const { name, one } = kind
  const found = async (of: string) => {
    const known = await kind.of(of)
    if (!known) throw no(name === 'developments' ? 'DEVELOPMENT_UNKNOWN' : 'MODIFICATION_UNKNOWN')
    return known
  }

  add({
    method: 'GET',
    path: `/${name}`,
    says: `every ${one}, the latest begun first`,
    answer: z.strictObject({ [name]: z.array(shown) }),
    async run({ caller }) {
      mustBeCentral(caller)
      return { [name]: await kind.all() }
    },
  })

  add({
    method: 'GET',
    path: `/${name}/:ref`,
    says: `one ${one}: where it stands, its dates, and what does not add up`,
    params: z.object({ ref }),
    answer: shown,
    async run({ caller, params }) {
      mustBeCentral(caller)
      return found(params.ref)
    },
  })

  add({
    method: 'POST',
    path: `/${name}`,
    says: `begin a ${one} with its first step`,
    status: 201,
    body: z.strictObject({ ref, event }),
    answer: shown,
    async run({ by, body }) {
      await kind.begin(recorder(by()), body.ref, body.event)
      return found(body.ref)
    },
  })

  add({
    method: 'POST',
    path: `/${name}/:ref/events`,
    says: 'enter what happened next; it is never changed',
    status: 201,
    params: z.object({ ref }),
    body: z.strictObject({ event }),
    answer: shown,
    async run({ by, params, body }) {
      await kind.enter(recorder(by()), params.ref, body.event)
      return found(params.ref)
    },
  })

  add({
    method: 'GET',
    path: `/${name}/:ref/report`,
    says: 'the report on it, as it was kept when it was made',
    params: z.object({ ref }),
    gives: ['text/markdown'],
    answer: z.unknown(),
    async run({ caller, params }): Promise<Attachment> {
      mustBeCentral(caller)
      const { report } = await found(params.ref)
      if (report === undefined) throw no('FILE_NOT_KEPT', `the ${one} has no report yet`)
      return reportOf(caller, report)
    },
  })

  async function reportOf({ person, party, offices }: Caller, document: string): Promise<Attachment> {
    const reader = readerFor(offices)
    const [kept] = (await versionsFor(door.store, reader, document)).toReversed()
    if (!kept) throw no('FILE_NOT_KEPT', `of the report on that ${one}`)
    return readFile(door, { person, party, reader }, document, kept.version)
  }
}

function recorder({ person, as, through }: Officer): string {
  if (through || !decisionRecorders.includes(as))
    throw notForYou('NOT_FOR_THIS_OFFICE', `it belongs to ${decisionRecorders.join(', ')}`)
  return person
}

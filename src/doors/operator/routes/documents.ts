/** Documents of the Code: the register, versions entered with their octets, decided on, and handed out to whoever may read them. */

import { z } from 'zod'
import { dayOf, isDay } from '../../../policy/documents/day.ts'
import {
  bodies,
  type DocumentDefinition,
  documentKinds,
  documentSets,
  type Reader,
} from '../../../policy/documents/document-set.ts'
import { mayReadVersion, readerFor } from '../../../policy/documents/keepers.ts'
import { mediaTypes } from '../../../policy/documents/media.ts'
import { type DocumentVersion, documentOf, documentsFor, versionsFor } from '../../../rooms/governance/documents.ts'
import { decideEntered, enterVersion, registerDocument } from '../../../rooms/governance/entering.ts'
import { readFile } from '../../../rooms/governance/files.ts'
import { no } from '../../../rooms/governance/refusals.ts'
import type { Officer } from '../../../rooms/registration/act.ts'
import { no as notForYou } from '../../../rooms/registration/refusals.ts'
import type { Caller } from '../caller.ts'
import type { Group } from '../route.ts'
import { digest, when } from '../shapes.ts'

const ref = z.string().min(1).max(200)
const version = z.string().min(1).max(200)
const day = z.string().refine(isDay, 'a day that exists, YYYY-MM-DD')
const short = z.string().min(1).max(200)

const versionShape = z.strictObject({
  document: ref,
  version,
  sha256: z.string(),
  octets: z.int(),
  mediaType: z.string(),
  state: z.enum(['draft', 'approved', 'not rejected', 'rejected']),
  kept: z.boolean().meta({ description: 'whether its file is kept here; else it was entered by title only' }),
  heldAt: z.string(),
  enteredBy: z.string().optional().meta({ description: 'a person, by reference' }),
  decidedAt: when.optional(),
  decision: z.string().optional(),
  basis: z.string().optional(),
  amendments: z.string(),
  from: day.optional().meta({ description: 'the first day on which it is in force, in London' }),
  until: day.optional().meta({ description: 'the first day on which it is in force no more' }),
})

const documentShape = {
  ref,
  title: z.string(),
  kind: z.string(),
  sets: z.array(z.string()),
  owner: z.string(),
  approver: z.string(),
  confidential: z.boolean(),
  reviewMonths: z.int().optional(),
}

export const documents: Group = {
  name: 'documents',
  says: 'documents of the Code, their versions and their files',
  add({ door, add }) {
    const { store, settings } = door
    const most = Math.floor(settings.governance.documentMiB * 1_048_576)
    /** Those that he may see, latest entered first. */
    const visible = async (reader: Reader, document: DocumentDefinition) =>
      (await versionsFor(store, reader, document.ref))
        .filter(one => mayReadVersion(reader, document, one))
        .toReversed()

    add({
      method: 'GET',
      path: '/documents',
      says: 'every document that you may read, with the version in force',
      answer: z.strictObject({
        documents: z.array(
          z.strictObject({ ...documentShape, inForce: versionShape.optional(), drafts: z.array(z.string()) }),
        ),
      }),
      async run({ caller }) {
        const reader = readerFor(caller.offices)
        const today = dayOf(door.clock())
        const found = []
        for (const one of await documentsFor(store, reader)) {
          const versions = await visible(reader, one)
          const drafts = versions.filter(({ state }) => state === 'draft').map(of => of.version)
          found.push({ ...one, inForce: versions.find(of => isInForce(of, today)), drafts })
        }
        return { documents: found }
      },
    })

    add({
      method: 'GET',
      path: '/documents/:ref',
      says: 'one document with its versions, latest entered first',
      params: z.object({ ref }),
      answer: z.strictObject({ ...documentShape, versions: z.array(versionShape) }),
      async run({ caller, params }) {
        const document = await documentOf(store, params.ref)
        if (!document) throw no('DOCUMENT_UNKNOWN')
        return { ...document, versions: await visible(readerFor(caller.offices), document) }
      },
    })

    add({
      method: 'POST',
      path: '/documents',
      says: 'put a document on the register that is not there yet: a policy or a CPS of another cohort',
      status: 201,
      body: z.strictObject({
        ref,
        title: short,
        kind: z.enum(documentKinds),
        sets: z.array(z.enum(documentSets)).min(1),
        owner: z.enum(bodies),
        approver: z.enum(bodies),
        confidential: z.boolean(),
        reviewMonths: z.int().min(1).max(1200).optional(),
      }),
      answer: z.strictObject(documentShape),
      run: ({ by, body }) => registerDocument(door, ownOffice(by()), body),
    })

    add({
      method: 'POST',
      path: '/documents/:ref/versions',
      says: 'enter a draft with its file, which is the body; an Idempotency-Key is not heeded: a version is entered once',
      status: 201,
      params: z.object({ ref }),
      query: z.strictObject({ version, sha256: digest.meta({ description: 'of the file, hexadecimal' }) }),
      takes: { types: Object.keys(mediaTypes), octets: most },
      answer: versionShape,
      async run({ by, params, query, file }) {
        const keeper = ownOffice(by())
        const { type: mediaType, octets } = await file()
        return enterVersion(door, keeper, { document: params.ref, ...query, mediaType, octets }, most)
      },
    })

    add({
      method: 'GET',
      path: '/documents/:ref/versions/:version/file',
      says: 'the file of a version; that you read what is confidential or not approved is on record',
      params: z.object({ ref, version }),
      gives: Object.keys(mediaTypes),
      answer: z.unknown(),
      run: ({ caller, params }) => readFile(door, askingOf(caller), params.ref, params.version),
    })

    add({
      method: 'POST',
      path: '/documents/:ref/versions/:version/decision',
      says: 'enter what its approver decided: from then on, or never, it is in force',
      status: 201,
      params: z.object({ ref, version }),
      body: z.strictObject({
        sha256: digest.meta({ description: 'of what was looked at: it is decided on these octets and no others' }),
        outcome: z.enum(['approved', 'not rejected', 'rejected']),
        from: day
          .optional()
          .meta({ description: 'the day from which it is in force; not for one that is rejected' }),
        decision: short.optional().meta({ description: 'reference of the decision of the SMKI PMA' }),
        basis: short
          .optional()
          .meta({ description: 'where another body approves: its designation or modification' }),
        amendments: z.string().max(10_000).optional().meta({ description: 'what was directed to be amended' }),
      }),
      answer: versionShape,
      async run({ by, params, body }) {
        const { decision, basis, ...rest } = body
        if ((decision === undefined) === (basis === undefined))
          throw no('DOCUMENT_UNFIT', 'its decision, or the basis of another body, one of the two')
        const under = decision === undefined ? { basis: basis! } : { decision }
        const given = { ...rest, document: params.ref, version: params.version, under }
        return decideEntered(door, ownOffice(by()), given)
      },
    })
  },
}

function isInForce({ from, until }: DocumentVersion, today: string): boolean {
  return from !== undefined && from <= today && (until === undefined || until > today)
}

function askingOf({ person, party, offices }: Caller) {
  return { person, party, reader: readerFor(offices) }
}

/** Nobody enters a document in another's name. */
function ownOffice({ person, as, through }: Officer) {
  if (through) throw notForYou('NOT_FOR_THIS_OFFICE', 'documents are entered by whoever brings them')
  return { person, as }
}

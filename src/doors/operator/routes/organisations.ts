/** Organisations: their forms received, and what is on record of them. */

import { z } from 'zod'
import { apply, submitForm } from '../../../rooms/registration/organisation.ts'
import type { Organisation } from '../../../rooms/registration/party.ts'
import {
  organisations as everyOrganisation,
  formOf,
  organisationOf,
  rangesInForce,
} from '../../../rooms/registration/party.ts'
import { writeEui64 } from '../../../rooms/registration/ranges.ts'
import { standingOf } from '../../../rooms/registration/standing.ts'
import { mustSee } from '../officer.ts'
import type { Group } from '../route.ts'
import { id, inPath, opened, recorded, when } from '../shapes.ts'
import { standingShape } from './standing.ts'

const kind = z.enum(['party', 'rdp', 'dcc', 's1sp'])
const text = z.string().max(400).optional()
const eui64 = z.string().min(1).max(64).meta({ description: '16 hexadecimal digits, or 8 pairs with hyphens' })

/** What is wrong within is for the room to say, in its own codes. */
const form = z.strictObject({
  kind,
  legalName: text,
  tradingName: text,
  identifier: text.meta({ description: 'SEC Party ID, RDP ID, or how else the Code knows the organisation' }),
  companyNumber: text,
  address: text,
  contactNumber: text.meta({ description: 'found independently of the applicant, to call back' }),
  userRoles: z
    .array(z.strictObject({ userRole: z.string().min(1).max(16), first: eui64, last: eui64 }))
    .max(64)
    .meta({ description: 'one continuous range of EUI-64s for each User Role, both ends in it' }),
  shared: z
    .array(z.strictObject({ eui64, userRoles: z.array(z.string().min(1).max(16)).max(64) }))
    .max(400)
    .optional()
    .meta({ description: 'H1.5: identifiers that several User Roles use' }),
  declaration: z.strictObject({ reference: z.string().max(400), signedOn: z.string().max(32) }).optional(),
})

const organisation = {
  party: id,
  name: z.string(),
  tradingName: z.string(),
  kind,
  registered: when,
  ceased: when.optional(),
  formInForce: id.optional(),
  formSubmitted: id.optional(),
}

const submitted = z.strictObject({ party: id, version: id, ...opened })
const party = z.object({ party: inPath })

function shown(one: Organisation) {
  const { id: number, name, tradingName, kind, registeredAt, ceasedAt, formInForce, formSubmitted } = one
  return {
    party: number,
    name,
    tradingName,
    kind,
    registered: registeredAt,
    ceased: ceasedAt,
    formInForce,
    formSubmitted,
  }
}

export const organisations: Group = {
  name: 'organisations',
  says: 'applicants and Parties with their Organisation Information Forms (RAPP 5.1)',
  add({ door, add }) {
    const { store } = door

    add({
      method: 'GET',
      path: '/organisations',
      says: 'every organisation; an officer of one sees his own',
      answer: z.strictObject({ organisations: z.array(z.strictObject(organisation)) }),
      async run({ caller }) {
        const all = await everyOrganisation(store)
        return {
          organisations: all.filter(one => caller.party === undefined || one.id === caller.party).map(shown),
        }
      },
    })

    add({
      method: 'POST',
      path: '/organisations',
      says: 'receive the first Organisation Information Form of an applicant',
      status: 201,
      body: z.strictObject({
        name: z.string().max(64).meta({ description: 'short, for folders and commands' }),
        form,
        ...recorded,
      }),
      answer: submitted,
      run: async ({ by, body }) => apply(door, by(), body.name, body.form, body),
    })

    add({
      method: 'GET',
      path: '/organisations/:party',
      says: 'one organisation: its ranges in force, its standing, and what it lacks',
      params: party,
      answer: z.strictObject({
        ...organisation,
        ranges: z.array(z.strictObject({ userRole: z.string(), first: z.string(), last: z.string() })),
        standing: standingShape,
      }),
      async run({ caller, params }) {
        mustSee(caller, params.party)
        const one = await organisationOf(store, params.party)
        const ranges = await rangesInForce(store, params.party)
        return {
          ...shown(one),
          ranges: ranges.map(({ userRole, first, last }) => ({
            userRole,
            first: writeEui64(first),
            last: writeEui64(last),
          })),
          standing: await standingOf(store, params.party),
        }
      },
    })

    add({
      method: 'POST',
      path: '/organisations/:party/forms',
      says: 'receive a new version of the form; the one in force stays so until this one is approved',
      status: 201,
      params: party,
      body: z.strictObject({ form, ...recorded }),
      answer: submitted,
      run: async ({ by, params, body }) => submitForm(door, by(), params.party, body.form, body),
    })

    add({
      method: 'GET',
      path: '/organisations/:party/forms/:version',
      says: 'one version of the form as it was received',
      params: z.object({ party: inPath, version: inPath }),
      answer: z.strictObject({ state: z.string(), submitted: when, form: z.record(z.string(), z.unknown()) }),
      async run({ caller, params }) {
        mustSee(caller, params.party)
        const { form: received, state, submittedAt } = await formOf(store, params.party, params.version)
        return { state, submitted: submittedAt, form: received }
      },
    })
  },
}

/** The first page, and how people sign in: by the certificate of the connection, or as a test identity. */

import { hidden } from '../frame/fields.ts'
import { html } from '../frame/html.ts'
import { roleNames } from '../frame/layout.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import { buttons, form, heading, inset, link, list, paragraph, subheading } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { visitorOf } from '../frame/visitor.ts'
import { refuse } from '../refusals.ts'

const ended = ({ query }: Visit) =>
  query.ended === undefined
    ? undefined
    : inset(
        'Your session has ended, because nothing was done for five minutes or your credential has changed. Sign in again to go on.',
      )

/** Of the entry `certificate`: whoever is here has shown a valid IKI Certificate in the handshake. */
export const certificateSignIn = page({
  path: '/',
  title: 'Sign in',
  who: 'everybody',
  async show(visit) {
    const { door, peer } = visit
    if (!peer) throw refuse('CREDENTIAL_NOT_KNOWN')
    const visitor = await visitorOf(door, { kind: 'officer', peers: [peer] })
    const opens = {
      PORTAL_ORG: 'the part for Organisation Certificates',
      PORTAL_DEVICE: 'the part for Device Certificates',
      RA_STAFF: 'the pages of the Registration Authority',
    }
    const kind = visitor.callers[0]!.credential.kind
    return html`${heading('Sign in to the SMKI Portal')}${ended(visit)}
${paragraph('Your browser shows the credential ', html`<strong>${visitor.name}</strong>`, ' of ', visitor.partyName, ': ', visitor.roles.map(one => roleNames[one] ?? one).join(', '), '.')}
${paragraph('It opens ', opens[kind as keyof typeof opens] ?? 'nothing here', '.')}
${form(visit, buttons({ text: 'Sign in' }))}`
  },
  async act({ door, peer }) {
    if (!peer) throw refuse('CREDENTIAL_NOT_KNOWN')
    const identity = { kind: 'officer', peers: [peer] } as const
    await visitorOf(door, identity)
    return { to: '/home', begin: identity }
  },
})

/** How many requests the zip for newcomers holds: as many as a thousand Devices need. */
export const sampleSize = 2000

/** Of the entry `test`, which there is in a test environment on a loopback address and nowhere else. */
export const testSignIn = page({
  path: '/',
  title: 'Test identities',
  who: 'everybody',
  show(visit) {
    const { door } = visit
    return html`${heading('Try the SMKI Portal')}${ended(visit)}
${paragraph('This environment is for tests. You can enter it as one of these people, without a token. Each has the rights that their role has, and no others.')}
${table(
  'Test identities',
  ['Who', 'What they do here', 'Enter'],
  (door.testIdentities ?? []).map(({ key, name, says }) => [
    name,
    says,
    form(
      visit,
      html`${hidden('identity', key)}<button type="submit" class="govuk-button govuk-button--secondary" data-module="govuk-button">Enter<span class="govuk-visually-hidden"> as ${name}</span></button>`,
    ),
  ]),
  'No test identities were found in this environment.',
)}
${subheading('A first walk')}
<ol class="govuk-list govuk-list--number"><li>${link('/sample.zip', 'Download a zip file of 2,000 Certificate Signing Requests')} of simulated Devices. Each download is of other Devices.</li><li>Enter as the Authorised Responsible Officer of the meter manufacturer and submit the zip file.</li><li>Enter as the clerk of the Registration Authority and approve the batch.</li><li>Enter as the officer again, watch the batch finish, and download the Certificates.</li><li>Look for one of the Devices in the Repository, and check that its Certificate is in the journal.</li></ol>
${paragraph('When you change from one identity to another, sign out first, or come back to this page and enter as somebody else.')}
${paragraph('Without entering, anybody can ', link('/journal/check', 'check that a Certificate is in the journal'), '.')}`
  },
  async act({ door, at }, sent) {
    const found = door.testIdentities?.find(one => one.key === sent.text('identity'))
    if (!found) throw new Faulty([{ says: 'Choose one of the test identities on this page.' }])
    await visitorOf(door, found.identity)
    door.log.info({ identity: found.key, at }, 'somebody entered as a test identity')
    return { to: '/home', begin: found.identity }
  },
})

export const sample = page({
  path: '/sample.zip',
  title: 'Requests of simulated Devices',
  who: 'everybody',
  async show({ door }) {
    if (!door.sample) throw refuse('NOTHING_THERE')
    const { Readable } = await import('node:stream')
    return {
      name: 'devices.zip',
      type: 'application/zip',
      octets: Readable.from(door.sample(sampleSize), { objectMode: false }),
    }
  },
})

export const signOut = page({
  path: '/sign-out',
  title: 'Signed out',
  who: 'everybody',
  show: () => html`${heading('You have signed out')}${list([link('/', 'Sign in again')])}`,
  act: async () => ({ to: '/sign-out', end: true }),
})

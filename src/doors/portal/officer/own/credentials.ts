/** What somebody shows at the doors, and when it ends. */

import { credentialRecords } from '../../../../rooms/registration/life.ts'
import { html } from '../../frame/html.ts'
import { roleNames } from '../../frame/layout.ts'
import { page } from '../../frame/page.ts'
import { type Colour, heading, paragraph, tag } from '../../frame/pieces.ts'
import { facts, table } from '../../frame/tables.ts'
import { onDay } from '../../frame/words.ts'

const kinds: Readonly<Record<string, string>> = {
  PORTAL_ORG: 'Token for the Portal, Organisation Certificates',
  PORTAL_DEVICE: 'Token for the Portal, Device Certificates',
  ADHOC_WS: 'Certificate for the Ad Hoc Device CSR web service',
  BATCH_WS: 'Certificate for the Batched Device CSR web service',
  FILE_SIGN: 'Certificate for signing files',
  REPO_PORTAL: 'User name and password for the Repository Portal',
  REPO_API_KEY: 'API key for the Repository web service',
  REPO_SFTP: 'SSH key for the Repository files',
  RA_STAFF: 'Token of the Registration Authority',
}

const colours: Readonly<Record<string, Colour>> = {
  active: 'green',
  locked: 'yellow',
  revoked: 'red',
  expired: 'orange',
}

export const credentialsPage = page({
  path: '/account/credentials',
  title: 'Your credentials',
  says: 'See what you show at the doors, and when it ends.',
  who: ['ARO', 'SRO', 'RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
  section: 'account',
  async show({ door, visitor }) {
    const [first] = visitor!.callers
    const people = new Set(visitor!.callers.map(one => one.person))
    // Officers of an organisation see what its systems show too; personal ones of others they do not.
    const all = (await credentialRecords(door.store, first!.credential.party)).filter(one =>
      one.person === undefined ? visitor!.party !== undefined : people.has(one.person),
    )
    return html`${heading('Your credentials')}
${facts([
  ['You are known as', [...people].join(', ')],
  ['In the office of', visitor!.roles.map(one => roleNames[one] ?? one).join(', ')],
  ['Signed in with', visitor!.callers.map(one => one.credential.systemName).join(', ')],
])}
${table(
  'Credentials',
  ['Name', 'What it is', 'Whose', 'State', 'Ends'],
  all.map(one => [
    one.systemName,
    kinds[one.kind] ?? one.kind,
    one.person === undefined ? 'a system of your organisation' : 'yours',
    tag(one.state, colours[one.state] ?? 'grey'),
    one.endedAt ? `ended ${onDay(one.endedAt)}` : one.expiresAt ? onDay(one.expiresAt) : 'no end set',
  ]),
  'No credential is on record.',
)}
${paragraph('If a token is lost, or somebody may know its PIN, tell the Service Desk at once.')}`
  },
})

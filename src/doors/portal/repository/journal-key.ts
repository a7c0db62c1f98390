/** The public key of the journal, for whoever checks a proof. */

import { verifierKeyText } from '../../../ground/journal/note.ts'
import { page } from '../frame/page.ts'

export const journalKey = page({
  path: '/repository/journal.vkey',
  title: 'The journal’s key',
  who: 'signed in',
  section: 'repository',
  show: ({ door }) => ({
    name: 'journal.vkey',
    type: 'text/plain; charset=utf-8',
    octets: door.journalKeys.map(key => `${verifierKeyText(key)}\n`).join(''),
  }),
})

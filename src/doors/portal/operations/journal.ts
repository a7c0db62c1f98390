/** The journal: its size, its last checkpoint, its witnesses, and how a stranger checks it. */

import { journalFigures } from '../../../ground/journal/figures.ts'
import { verifierKeyText } from '../../../ground/journal/note.ts'
import { html, type Part } from '../frame/html.ts'
import { page } from '../frame/page.ts'
import { code, heading, link, paragraph, subheading, tag, warning } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { atTime, count, figure, grouped, size } from '../frame/words.ts'
import { span } from '../registration/urgency.ts'
import { central } from './who.ts'

/** Integration follows within seconds; what waits for minutes is an alarm. */
const lateMs = 120_000

export const journal = page({
  path: '/operations/journal',
  title: 'Journal',
  who: central,
  section: 'operations',
  says: 'its size, its last checkpoint, its witnesses',
  async show({ door, at }) {
    const figures = await journalFigures(door.store)
    const { checkpoint, witnesses, pending } = figures
    const age = checkpoint && at.getTime() - checkpoint.at.getTime()
    const late = pending > 0 && (age === undefined || age > lateMs)
    return html`${heading('Journal', 'Operations')}${late ? warning(`${count(pending, 'entry waits', 'entries wait')} for a checkpoint: whoever integrates them has stopped`) : ''}${facts(
      [
        ['Entries signed for', figure(figures.size)],
        ['Entries that wait', html`${figure(pending)} ${late ? tag('Late', 'red') : tag('In order', 'green')}`],
        ['Size in the store', size(figures.octets)],
        ['Last checkpoint', checkpoint ? `${atTime(checkpoint.at)}, ${span(age!)} ago` : 'none yet'],
        ['Root of the tree', checkpoint && code(grouped(checkpoint.root.toString('hex')))],
        ['Public key', door.journalKeys.map(key => html`${code(verifierKeyText(key))}<br>`)],
      ],
    )}${checkpoint ? code(checkpoint.note, 'The last checkpoint, as it is signed') : ''}${table(
      'Witnesses',
      ['Witness', { name: 'Signed up to entry', numeric: true }, { name: 'Behind by', numeric: true }, 'When'],
      witnesses.map((one): Part[] => [
        one.name,
        figure(one.size),
        figure(figures.size - one.size),
        `${atTime(one.at)}, ${span(at.getTime() - one.at.getTime())} ago`,
      ]),
      'No witness has signed a checkpoint.',
    )}${subheading('Check it without us')}${paragraph('Anybody can ', link('/journal/check', 'check a certificate’s inclusion'), ' here without signing in, and check the proof with nothing but the journal’s public key: ', code('smki journal check-proof'), '.')}`
  },
})

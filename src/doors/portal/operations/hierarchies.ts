/** The hierarchies as a picture, and as a table: authority, key, module, validity, stock of Issuing DCAs. */

import { hierarchies as hierarchiesOf } from '../../../policy/hierarchies.ts'
import { type AuthorityRecord, type AuthorityState, authorities } from '../../../rooms/authority/register.ts'
import { stockLevel } from '../../../rooms/authority/stock.ts'
import { custodyRecords } from '../../../rooms/recovery/custodians.ts'
import type { PortalWorld } from '../door.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { page } from '../frame/page.ts'
import { type Colour, code, heading, subheading, tag, warning } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { figure, onDay } from '../frame/words.ts'
import { central } from './who.ts'

const states: Readonly<Record<AuthorityState, { says: string; colour: Colour }>> = {
  offline: { says: 'Off line', colour: 'grey' },
  stock: { says: 'In stock', colour: 'blue' },
  current: { says: 'In use', colour: 'green' },
  exhausted: { says: 'Exhausted', colour: 'yellow' },
  'used-up': { says: 'Used up', colour: 'grey' },
}

const pkiNames: Readonly<Record<string, string>> = {
  'smki-organisation': 'SMKI, Organisation Certificates',
  'smki-device': 'SMKI, Device Certificates',
  iki: 'Infrastructure Key Infrastructure',
  dccki: 'DCC Key Infrastructure',
  's1spki-foc': 'S1SPKI, FOC',
  's1spki-moc': 'S1SPKI, MOC',
  'test-tls': 'TLS of a test environment',
}

export const hierarchies = page({
  path: '/operations/hierarchies',
  title: 'Hierarchies',
  who: central,
  section: 'operations',
  says: 'authorities with their keys, modules and validity, and the stock of Issuing DCAs',
  async show({ door, at }) {
    const all = await authorities(door.store)
    const groups = [...Map.groupBy(all, one => one.pki)]
    return html`${heading('Hierarchies', 'Operations')}${await stock(door)}${await custody(door)}${groups.map(
      ([pki, of]) =>
        html`${subheading(pkiNames[pki] ?? pki, `pki-${pki}`)}${picture(pkiNames[pki] ?? pki, of)}${table(
          `Authorities, ${pkiNames[pki] ?? pki}`,
          ['Authority', 'State', 'Key', 'Lives in', 'Valid', { name: 'Certificates allotted', numeric: true }],
          of.map((one): Part[] => [
            html`${one.name}<br>${one.part}`,
            html`${tag(states[one.state].says, states[one.state].colour)}${until(one) < at.getTime() ? html` ${tag('Expired', 'red')}` : ''}`,
            html`${one.certificate.publicKey.kind}, ${code(one.keyLabel)}`,
            moduleOf(door, one),
            `${onDay(new Date(one.certificate.notBefore.ms))} to ${onDay(new Date(until(one)))}`,
            one.pki === 'smki-device' && one.level === 'issuing' ? figure(one.allotted) : '–',
          ]),
          '',
        )}`,
    )}${all.length === 0 ? 'No authority is registered.' : ''}`
  },
})

const until = (one: AuthorityRecord): number => one.certificate.notAfter.ms

/** As it is configured; what the module really is, its ceremony's transcript says. */
function moduleOf({ settings }: PortalWorld, { store }: AuthorityRecord): string {
  const { kind, rootToken, issuingToken, certificate } = settings.keyStore
  if (kind === 'software') return `software key store, ${store}`
  return `PKCS #11 module, token ${store === 'root' ? rootToken : issuingToken}${certificate === '' ? '' : `: ${certificate}`}`
}

async function stock({ store, settings }: PortalWorld): Promise<Html> {
  const limit = hierarchiesOf(settings)['smki-device'].issuing.keyUse!
  const level = await stockLevel(store, limit)
  return html`${subheading('Stock of Issuing DCAs', 'stock')}${level.left === 0 ? warning('No Issuing DCA is left: a ceremony is needed before the next Device Certificate') : level.inStock === 0 ? warning('No Issuing DCA is in stock behind the one in use: plan a ceremony') : ''}${facts(
    [
      [
        'In use',
        level.current ? `${level.current.name}, with ${figure(level.current.left)} certificates left` : 'none',
      ],
      ['In stock', figure(level.inStock)],
      ['Before a ceremony is needed', `${figure(level.left)} Device Certificates`],
      [
        'A key is used for',
        `${figure(limit.certificates)} certificates or ${limit.months} months, whichever ends first`,
      ],
      [
        'Exhausted, key to be destroyed',
        level.exhausted.length > 0 && level.exhausted.map(one => one.name).join(', '),
      ],
    ],
  )}`
}

/** Keys of recovery: what is on record of their Key Custodians. Which store is which, the operator's `smki status` says. */
async function custody({ store }: PortalWorld): Promise<Html> {
  const kept = await custodyRecords(store)
  return html`${table(
    'Keys that Key Custodians keep',
    ['Key', 'Kept in', { name: 'Needed', numeric: true }, { name: 'Custodians', numeric: true }, 'Shared'],
    kept.flatMap(({ thing, store: where, quorum, since }): Part[][] =>
      quorum
        ? [
            [
              `${thing.slice(0, 1).toUpperCase()}${thing.slice(1)}`,
              thing === 'symmetric key' ? 'their shares alone' : code(where ?? ''),
              figure(quorum.needed),
              figure(quorum.holders.length),
              onDay(since),
            ],
          ]
        : [],
    ),
    'The keys of recovery are not shared among Key Custodians yet.',
  )}`
}

const box = { width: 250, height: 78, gap: 22 }
/** A picture of fifty keys helps nobody: the table has them all. */
const mostDrawn = 6

/** Roots above, what they have issued below them; the words of the boxes stand in the table as well. */
function picture(name: string, of: readonly AuthorityRecord[]): Html | undefined {
  const roots = of.filter(one => one.level === 'root')
  const issuing = of.filter(one => one.level === 'issuing')
  if (roots.length === 0) return undefined
  // What is in use first, then the stock.
  const order: readonly AuthorityState[] = ['current', 'stock', 'offline', 'exhausted', 'used-up']
  const drawn = issuing
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || a.id - b.id)
    .slice(0, mostDrawn)
  const columns = Math.max(roots.length, drawn.length, 1)
  const width = columns * (box.width + box.gap)
  const height = drawn.length === 0 ? box.height + 20 : box.height * 2 + 70
  const x = (i: number, count: number) => (width / count) * (i + 0.5)
  const below = box.height + 50
  const lines = drawn.map(
    (_, i) =>
      html`<path d="M ${x(0, roots.length)} ${box.height + 10} V ${below - 15} H ${x(i, drawn.length)} V ${below}" fill="none" stroke="#1f4e5f" stroke-width="2"/>`,
  )
  const more = issuing.length - drawn.length
  const says = `${name}: ${roots.map(one => one.name).join(', ')} above ${drawn.map(one => `${one.name}, ${states[one.state].says.toLowerCase()}`).join('; ')}${more > 0 ? `; and ${more} more` : ''}`
  return html`<div class="portal-scroll" tabindex="0" role="region" aria-label="Picture of ${name}"><svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${says}" font-family="sans-serif" font-size="14">${lines}${roots.map((one, i) => boxOf(one, x(i, roots.length), 10))}${drawn.map((one, i) => boxOf(one, x(i, drawn.length), below))}</svg></div>${more > 0 ? html`<p class="govuk-body">${figure(more)} more stand in the table.</p>` : ''}`
}

function boxOf(one: AuthorityRecord, centre: number, top: number): Html {
  const left = centre - box.width / 2
  const inUse = one.state === 'current'
  const text = (line: number, says: string, bold = false) =>
    html`<text x="${centre.toFixed(1)}" y="${top + 20 + line * 19}" text-anchor="middle" fill="#0b0c0c"${bold ? html` font-weight="bold"` : ''}>${says.length > 34 ? `${says.slice(0, 33)}…` : says}</text>`
  return html`<rect x="${left.toFixed(1)}" y="${top}" width="${box.width}" height="${box.height - 8}" fill="#ffffff" stroke="#1f4e5f" stroke-width="${inUse ? 4 : 2}"${one.state === 'stock' ? html` stroke-dasharray="6 3"` : ''}/>${text(0, one.name, true)}${text(1, `${one.part}, ${states[one.state].says.toLowerCase()}`)}${text(2, `until ${onDay(new Date(until(one)))}`)}`
}

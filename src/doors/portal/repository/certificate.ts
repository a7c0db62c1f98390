/** One certificate: in plain words first, then every field, its chain, its states, the linter's findings and its place in the journal. */

import { fromHex, toHexUpper } from '../../../ground/bytes.ts'
import { Refusal } from '../../../ground/refusal.ts'
import { readCertificate } from '../../../ground/x509/certificate.ts'
import { reasonCodes } from '../../../ground/x509/extensions.ts'
import { showName } from '../../../ground/x509/name.ts'
import { toPem } from '../../../ground/x509/pem.ts'
import { lintCertificate } from '../../../policy/lint/lint.ts'
import { type AuthorityRecord, authorities } from '../../../rooms/authority/register.ts'
import { findBySerials, type Lodged } from '../../../rooms/repository/find.ts'
import { historyOf } from '../../../rooms/repository/history.ts'
import { inclusionOf } from '../../../rooms/repository/inclusion.ts'
import { type Html, html } from '../frame/html.ts'
import { page, type Visit } from '../frame/page.ts'
import { buttonLink, code, heading, inset, link, paragraph, subheading, tag, warning } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { atTime, count, eui64, figure, grouped, onDay } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { addressOf, inWords, kindOf, statusMeans, statusTag } from './described.ts'
import { extensionsInWords } from './extensions.ts'

const repository = { who: 'signed in', section: 'repository' } as const

/** 9999-12-31T23:59:59Z stands for no end at all (RFC 5280 4.1.2.5). */
const noEnd = Date.UTC(9999, 11, 31, 23, 59, 59)

export const certificatePage = page({
  ...repository,
  path: '/repository/certificates/:authority/:serial',
  title: 'Certificate',
  async show(visit) {
    const { door } = visit
    const one = await asked(visit)
    const [all, history] = await Promise.all([authorities(door.store), historyOf(door.store, one)])
    const it = readCertificate(one.der)
    const issuer = all.find(authority => authority.id === one.authority)
    const until = it.notAfter.ms >= noEnd ? 'without end' : `until ${onDay(new Date(it.notAfter.ms))}`
    const here = addressOf(one)
    const title = `${kindOf(one)} ${toHexUpper(one.serial).slice(0, 8)}…`
    const signer = issuer && { publicKey: issuer.certificate.publicKey, name: issuer.certificate.subject }
    const findings = lintCertificate(it, signer ? { issuer: signer } : {})
    return {
      title,
      body: html`${heading(kindOf(one), 'Certificate in the Repository')}
<p class="govuk-body-l">${statusTag(one.status)} ${inWords(one)}.</p>
${paragraph(statusMeans(one.status), ` It was issued by ${issuer?.part ?? 'an authority that is not in the register'} on ${onDay(one.issuedAt)}, and is valid ${until}.`)}
<div class="govuk-button-group">${buttonLink(`${here}/certificate.pem`, 'Download as PEM', true)}${buttonLink(`${here}/certificate.der`, 'Download as DER', true)}${buttonLink(`${here}/journal`, 'Check it in the journal')}</div>
${table(
  'States over time',
  ['When', 'What'],
  [
    [atTime(one.issuedAt), 'Issued and lodged in the Repository'],
    ...(history.replacedAt
      ? [[atTime(history.replacedAt), 'Another Certificate for the same Device and usage took its place']]
      : []),
    ...(history.withdrawnAt ? [[atTime(history.withdrawnAt), 'No longer in use']] : []),
    ...(history.revokedAt ? [[atTime(history.revokedAt), `Revoked: ${reasonInWords(history.reason)}`]] : []),
    ...(history.listedAt ? [[atTime(history.listedAt), `Stands on list number ${history.listNumber}`]] : []),
    ...(one.status === 'E' ? [[atTime(new Date(it.notAfter.ms)), 'Expired']] : []),
  ],
  '',
)}
${subheading('Chain')}
${chain(one, all, one.authority)}
${subheading('Every field')}
${facts([
  ['Version', String(it.version)],
  [
    'Serial number',
    html`${code(grouped(toHexUpper(one.serial)))}<br>decimal ${code(BigInt(`0x${toHexUpper(one.serial)}`).toString())}`,
  ],
  ['Issuer', showName(it.issuer)],
  ['Subject', it.subject.rdns.length === 0 ? 'empty: the alternative name says who it is' : showName(it.subject)],
  ['EUI-64', one.eui64 === undefined ? 'none' : code(eui64(one.eui64))],
  ['Valid from', atTime(new Date(it.notBefore.ms))],
  ['Valid until', it.notAfter.ms >= noEnd ? 'no end (9999-12-31)' : atTime(new Date(it.notAfter.ms))],
  ['Public key', html`${it.publicKey.kind}<br>${code(grouped(toHexUpper(it.publicKey.key).slice(0, 560)))}`],
  ...extensionsInWords(it),
  ['Signature', code(grouped(toHexUpper(it.signature)))],
])}
${
  findings.length === 0
    ? html`${subheading('What the linter found')}${paragraph('Nothing: every rule of its kind holds.')}`
    : table(
        'What the linter found',
        ['Severity', 'Rule', 'What stands there', 'Where it is written'],
        findings.map(({ severity, says, found, clause }) => [
          tag(severity, severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : 'grey'),
          says,
          found,
          clause,
        ]),
        '',
      )
}
${paragraph(link('/repository/certificates', 'Search again'))}`,
    }
  },
})

function reasonInWords(reason = 0): string {
  return (reasonCodes[reason] ?? 'no reason is given').replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
}

/** From the root down to it, each under what signed it. */
function chain(one: Lodged, all: readonly AuthorityRecord[], issuer: number): Html {
  const above: AuthorityRecord[] = []
  let next = all.find(authority => authority.id === issuer)
  // A root's own certificate is under itself.
  if (next && Buffer.from(next.certificate.der).equals(one.der)) next = above_(next, all)
  for (; next && !above.includes(next) && above.length < 5; next = above_(next, all)) above.unshift(next)
  const item = (authority: AuthorityRecord) =>
    html`<li><strong>${authority.part}</strong><br>${showName(authority.certificate.subject)}<br>valid until ${onDay(new Date(authority.certificate.notAfter.ms))}</li>`
  return html`<ol class="portal-chain" aria-label="From the root to this Certificate">${above.map(item)}<li aria-current="true"><strong>This Certificate</strong><br>${inWords(one)}</li></ol>`
}

/** Who signed its certificate; undefined for a root. */
function above_(one: AuthorityRecord, all: readonly AuthorityRecord[]): AuthorityRecord | undefined {
  if (one.level === 'root') return undefined
  return all.find(
    other =>
      other.level === 'root' &&
      other.pki === one.pki &&
      showName(other.certificate.subject) === showName(one.certificate.issuer),
  )
}

export const certificateJournal = page({
  ...repository,
  path: '/repository/certificates/:authority/:serial/journal',
  title: 'This Certificate in the journal',
  async show(visit) {
    const { door } = visit
    const one = await asked(visit)
    const here = addressOf(one)
    const top = html`${heading('This Certificate in the journal', inWords(one))}`
    try {
      const { position, checkpoint, act } = await inclusionOf(door.store, door.journalKeys, one)
      return html`${top}
${inset(html`<p class="govuk-body"><strong>Checked: the journal holds this Certificate.</strong></p><p class="govuk-body">Its issue stands at position ${figure(position)} of the journal, in a tree of ${count(checkpoint.size, 'entry', 'entries')} that the journal’s key has signed. We have computed every hash on the way from the Certificate to that signature just now.</p>`)}
${facts([
  ['Entry', html`“${act.act}”, written ${atTime(act.at)}`],
  ['Position', figure(position)],
  ['Entries in the tree', figure(checkpoint.size)],
  ['Root of the tree', code(grouped(toHexUpper(checkpoint.root)))],
  ['Signed by the journal', door.journalKeys.map(one => one.name).join(', ')],
])}
${paragraph('You need not believe this page. The proof below can be checked by anybody who has the Certificate and the journal’s public key, without us: “smki journal check-proof”.')}
<div class="govuk-button-group">${buttonLink(`${here}/proof.txt`, 'Download the proof', true)}${buttonLink(`${here}/certificate.pem`, 'Download the Certificate', true)}${buttonLink('/repository/journal.vkey', 'Download the journal’s key', true)}</div>
${paragraph(link(here, 'Back to the Certificate'))}`
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause
      return html`${top}${warning(`${cause.message} (${cause.code})`)}${paragraph(link(here, 'Back to the Certificate'))}`
    }
  },
})

export const certificateProof = page({
  ...repository,
  path: '/repository/certificates/:authority/:serial/proof.txt',
  title: 'Proof',
  async show(visit) {
    const one = await asked(visit)
    const { proof } = await inclusionOf(visit.door.store, visit.door.journalKeys, one)
    return { name: `${toHexUpper(one.serial)}-proof.txt`, type: 'text/plain; charset=utf-8', octets: proof }
  },
})

export const certificatePem = page({
  ...repository,
  path: '/repository/certificates/:authority/:serial/certificate.pem',
  title: 'PEM',
  async show(visit) {
    const { serial, der } = await asked(visit)
    return { name: `${toHexUpper(serial)}.pem`, type: 'application/x-pem-file', octets: toPem('CERTIFICATE', der) }
  },
})

export const certificateDer = page({
  ...repository,
  path: '/repository/certificates/:authority/:serial/certificate.der',
  title: 'DER',
  async show(visit) {
    const { serial, der } = await asked(visit)
    return { name: `${toHexUpper(serial)}.crt`, type: 'application/pkix-cert', octets: der }
  },
})

/** @throws Refusal NOTHING_THERE */
async function asked({ door, params, at }: Visit): Promise<Lodged> {
  const { authority = '', serial = '' } = params
  if (!/^\d{1,5}$/.test(authority) || !/^[0-9a-fA-F]{32}$/.test(serial)) throw refuse('NOTHING_THERE')
  const found = await findBySerials(door.store, [fromHex(serial)], at)
  const one = found.find(lodged => lodged.authority === Number(authority))
  if (!one) throw refuse('NOTHING_THERE', 'the Repository holds no such Certificate')
  return one
}

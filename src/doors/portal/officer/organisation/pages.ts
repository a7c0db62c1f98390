/** Organisation CSRs of an ARO: what was submitted, one of them with its Certificate, and accepting or rejecting it. */

import { toHex, toHexUpper } from '../../../../ground/bytes.ts'
import { readCertificate } from '../../../../ground/x509/certificate.ts'
import { showName } from '../../../../ground/x509/name.ts'
import { toPem } from '../../../../ground/x509/pem.ts'
import { readRequest } from '../../../../ground/x509/request.ts'
import {
  acceptOrganisation,
  downloadOrganisation,
  rejectOrganisation,
} from '../../../../rooms/issuance/acceptance.ts'
import { comparedOf } from '../../../../rooms/issuance/organisation-compared.ts'
import { type Submission, submissionOf, submissionsOf } from '../../../../rooms/issuance/organisation-csr.ts'
import { familyOf } from '../../../../rooms/issuance/refusals.ts'
import { revokeRejected } from '../../../../rooms/revocation/reject.ts'
import { textarea } from '../../frame/fields.ts'
import { type Html, html } from '../../frame/html.ts'
import { Faulty, page, type Visit } from '../../frame/page.ts'
import {
  buttonLink,
  buttons,
  type Colour,
  code,
  form,
  heading,
  inset,
  link,
  list,
  live,
  paragraph,
  subheading,
  tag,
  warning,
} from '../../frame/pieces.ts'
import { facts, table } from '../../frame/tables.ts'
import { callerFor, officerAs } from '../../frame/visitor.ts'
import { atTime, eui64, grouped, onDay } from '../../frame/words.ts'
import { refuse } from '../../refusals.ts'
import { addressOf, roleInWords } from '../../repository/described.ts'

export const officer = { who: ['ARO', 'SRO'], part: 'PORTAL_ORG', section: 'officer' } as const

const states: Readonly<Record<Submission['state'], readonly [words: string, colour: Colour, means: string]>> = {
  refused: ['Refused', 'red', 'Correct the request and submit it again. You do not need a new Key Pair.'],
  held: ['Held', 'yellow', 'The Registration Authority must look at it first. You need do nothing.'],
  approved: ['Being issued', 'blue', 'It was approved, and the Certificate is being issued.'],
  issued: ['Issued', 'green', 'The Certificate was issued and lodged in the Repository.'],
}

export const ruleOf = ({ settings }: Visit['door']) => ({
  rejectionDays: settings.issuing.rejectionDays,
  organisationNameCharacters: settings.certificates.organisationNameCharacters,
})

const stateTag = (state: Submission['state']) => tag(states[state][0], states[state][1])
const usage = (one: Submission) => (one.asks?.usage === 'keyAgreement' ? 'key agreement' : 'digital signatures')

export const organisationList = page({
  ...officer,
  path: '/officer/organisation',
  title: 'Your Organisation CSRs and Certificates',
  says: 'See your requests, collect Certificates, compare them, and accept or reject them.',
  async show({ door, visitor, at }) {
    const { party } = callerFor(visitor!, 'PORTAL_ORG').credential
    const all = await submissionsOf(door.store, party, ruleOf(door), at)
    return html`${heading('Your Organisation CSRs and Certificates')}
${buttonLink('/officer/organisation/new', 'Submit an Organisation CSR')}
${table(
  'Requests, newest first',
  ['Number', 'Received', 'EUI-64', 'Role', 'For', 'State', 'Your answer'],
  all.map(one => [
    link(`/officer/organisation/${one.id}`, String(one.id)),
    atTime(one.receivedAt),
    one.asks ? code(eui64(one.asks.eui64)) : 'not readable',
    one.asks ? roleInWords(one.asks.role) : 'not readable',
    one.asks ? usage(one) : 'not readable',
    stateTag(one.state),
    one.acceptance === undefined ? 'none needed' : one.acceptance === 'open' ? 'waiting for you' : one.acceptance,
  ]),
  'You have not submitted an Organisation CSR yet.',
)}`
  },
})

export const organisationCsr = page({
  ...officer,
  path: '/officer/organisation/:submission',
  title: 'Organisation CSR',
  async show(visit) {
    const one = await own(visit)
    const title = `Organisation CSR ${one.id}`
    return {
      title,
      body: html`${heading(title)}
${live(visit, one.state !== 'approved', html`<p class="govuk-body">${stateTag(one.state)} ${states[one.state][2]}</p>${one.refusal && warning(html`${familyOf(one.refusal.code)}: ${one.refusal.says} (${one.refusal.code})`)}`)}
${facts([
  ['Received', atTime(one.receivedAt)],
  ['EUI-64', one.asks && code(eui64(one.asks.eui64))],
  ['Role', one.asks && roleInWords(one.asks.role)],
  ['For', one.asks && usage(one)],
  ['Common name', one.asks?.commonName],
  ['SHA-256 of the request', code(one.sha256)],
  ['Answered', one.answeredAt && atTime(one.answeredAt)],
  [
    'Your answer',
    one.acceptance &&
      (one.acceptance === 'open'
        ? `none yet; you may reject it until ${onDay(one.rejectableUntil!)}`
        : one.acceptance),
  ],
  [
    'Certificate',
    one.certificate &&
      link(addressOf(one.certificate), html`in the Repository as ${toHexUpper(one.certificate.serial)}`),
  ],
])}
${one.certificate ? await compared(visit, one) : ''}
${paragraph(link('/officer/organisation', 'All your Organisation CSRs'))}`,
    }
  },
  async act(visit, sent) {
    const { door, visitor } = visit
    const { party, id } = await own(visit)
    const by = officerAs(visitor, 'ARO', 'SRO')
    const does = sent.text('do')
    const words = sent.text('words')
    if (does === 'download') {
      const { der } = await downloadOrganisation(door, ruleOf(door), by, { party, id })
      return { name: `organisation-${id}.crt`, type: 'application/x-pem-file', octets: toPem('CERTIFICATE', der) }
    }
    if (does === 'accept') {
      await acceptOrganisation(door, ruleOf(door), by, { party, id })
      return { to: `/officer/organisation/${id}`, says: 'You have accepted the Certificate.' }
    }
    if (does !== 'reject')
      throw new Faulty([{ says: 'Choose whether to download, accept or reject the Certificate.' }])
    if (words === '') throw new Faulty([{ field: 'words', says: 'Enter what is not as you asked for.' }])
    await rejectOrganisation(
      door,
      ruleOf(door),
      by,
      { party, id },
      { words },
      (acting, { authority, serial, party: of }) =>
        revokeRejected(acting, door, { authority, serial: toHex(serial) }, of),
    )
    return {
      to: `/officer/organisation/${id}`,
      says: 'You have rejected the Certificate. It is revoked by that, and the Registration Authority investigates.',
    }
  },
})

/** L11.5: side by side what was asked and what was issued; what differs is said first. */
async function compared(visit: Visit, one: Submission): Promise<Html> {
  const { csr, certificate, inconsistencies } = await comparedOf(visit.door.store, one, visit.at)
  const [asked, got] = [readRequest(csr), readCertificate(certificate)]
  const key = (octets: Uint8Array) => code(grouped(toHexUpper(octets)))
  return html`${subheading('Compare the Certificate with your request')}
${inconsistencies.length === 0 ? inset('We have compared them: the Certificate is what was asked for. Compare them yourself too: you must reject a Certificate that differs at once.') : warning(html`They differ: ${list(inconsistencies)}`)}
${table(
  'Side by side',
  ['Field', 'You asked for', 'The Certificate has'],
  [
    ['Subject', showName(asked.subject), showName(got.subject)],
    ['Public key', key(asked.publicKey.key), key(got.publicKey.key)],
  ],
  '',
)}
${form(visit, buttons({ text: 'Download the Certificate', kind: 'secondary', does: 'download' }))}
${
  one.acceptance !== 'open'
    ? ''
    : form(
        visit,
        html`${subheading('Accept or reject')}${paragraph(`If you say nothing until ${onDay(one.rejectableUntil!)}, the Certificate counts as accepted.`)}${textarea(visit, { name: 'words', label: 'If you reject it: what is not as you asked for?', hint: 'Name no person: this stands in the journal.', rows: 3 })}${buttons({ text: 'Accept the Certificate', does: 'accept' }, { text: 'Reject and revoke it', kind: 'warning', does: 'reject' })}`,
      )
}`
}

/** Of his own Party: what is another's is not there for him. @throws Refusal SUBMISSION_UNKNOWN, NOTHING_THERE */
function own({ door, visitor, params, at }: Visit): Promise<Submission> {
  if (!/^[1-9]\d{0,17}$/.test(params.submission ?? '')) throw refuse('NOTHING_THERE')
  const { party } = callerFor(visitor!, 'PORTAL_ORG').credential
  return submissionOf(door.store, { party, id: BigInt(params.submission!) }, ruleOf(door), at)
}

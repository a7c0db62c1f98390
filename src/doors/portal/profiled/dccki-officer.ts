/** An ARO of a DCCKI Subscriber: its requests, a new one, and the hosts behind its DCC Gateway Connection (dccki.md 3, 4). */

import { toPem } from '../../../ground/x509/pem.ts'
import { hierarchies } from '../../../policy/hierarchies.ts'
import { submitDccki } from '../../../rooms/issuance/dccki-submit.ts'
import { issuedDer } from '../../../rooms/issuance/organisation-issue.ts'
import { type ProfiledRequest, requestOf, requests } from '../../../rooms/issuance/profiled-request.ts'
import { connectionOf, requestConnection } from '../../../rooms/registration/dccki-connection.ts'
import { aroPolicies } from '../../../rooms/registration/eligible.ts'
import { suspended, suspensionOf } from '../../../rooms/revocation/suspended.ts'
import { csrIn } from '../frame/csr-field.ts'
import { input, textarea } from '../frame/fields.ts'
import { html, type Part } from '../frame/html.ts'
import { type Fault, Faulty, page, type Visit } from '../frame/page.ts'
import { buttonLink, buttons, form as formHtml, heading, inset, link, list, paragraph } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { described, hasIssuer, issueNow, stateTag } from './described.ts'

const officer = { who: ['ARO', 'SRO'], section: 'officer' } as const

export const dcckiList = page({
  ...officer,
  path: '/officer/dccki',
  title: 'Your DCCKI requests and Certificates',
  says: 'Ask for DCCKI Certificates, and name the hosts behind your DCC Gateway Connection.',
  async show({ door, visitor, at }) {
    const party = visitor!.party!
    const [all, connection, hasDccki, policies] = await Promise.all([
      requests(door.store, { pki: 'dccki', party }),
      connectionOf(door.store, party),
      hasIssuer(door, 'dccki'),
      aroPolicies(door.store, visitor!.callers[0]!.person, party, at),
    ])
    const may = hasDccki && policies.includes('dccki')
    const why = hasDccki
      ? 'You are not authorised for the DCCKI: your organisation’s Senior Responsible Officer nominates for it.'
      : 'There is no DCCKI in this environment.'
    return html`${heading('Your DCCKI requests and Certificates')}
${may ? html`<div class="govuk-button-group">${buttonLink('/officer/dccki/new', 'Submit a DCCKI CSR')}${buttonLink('/officer/dccki/connection', 'Change the connection', true)}</div>` : inset(why)}
${facts([
  ['DCC Gateway Connection', connection ? connection.gateway : 'none on record'],
  ['Hosts behind it', connection && list(connection.hosts)],
])}
${table(
  'Requests, newest first',
  ['Number', 'Received', 'For', 'Name', 'State'],
  all.map((one): Part[] => [
    link(`/officer/dccki/${one.id}`, String(one.id)),
    atTime(one.receivedAt),
    one.asks?.profile ?? 'not readable',
    one.asks?.subject.commonName ?? '–',
    stateTag(one.state),
  ]),
  'Your organisation has asked for no DCCKI Certificate.',
)}`
  },
})

export const dcckiNew = page({
  ...officer,
  who: ['ARO'],
  path: '/officer/dccki/new',
  title: 'Submit a DCCKI CSR',
  show: visit => html`${heading('Submit a DCCKI CSR')}
${formHtml(
  visit,
  html`${textarea(visit, {
    name: 'csr',
    label: 'Certificate Signing Request',
    hint: 'Paste the PKCS#10 request in base64, with its boundary lines or without. Never paste a private key.',
    rows: 12,
    code: true,
  })}${buttons({ text: 'Submit request' })}`,
)}
${paragraph('The same request sent twice is one request.')}`,
  async act({ door, visitor }, sent) {
    const csr = csrIn(sent)
    const { person, party } = officerAs(visitor, 'ARO')
    const { dccki } = door.settings
    const submitting = { profiles: hierarchies(door.settings).dccki.endEntities, rules: dccki }
    const one = await submitDccki(
      door,
      submitting,
      { aro: person, party: party! },
      csr,
      async (client, what, at) => {
        const found = await suspensionOf(client, what, at)
        return found && suspended(found)
      },
    )
    await issueNow(door, one)
    return { to: `/officer/dccki/${one.id}`, says: `Your request was received as number ${one.id}.` }
  },
})

export const dcckiOne = page({
  ...officer,
  path: '/officer/dccki/:request',
  title: 'DCCKI request',
  async show(visit) {
    const one = await own(visit)
    const title = `DCCKI request ${one.id}`
    const download =
      one.state === 'issued'
        ? formHtml(visit, buttons({ text: 'Download the Certificate', kind: 'secondary', does: 'download' }))
        : ''
    return {
      title,
      body: html`${heading(title)}${described(one)}${download}${paragraph(link('/officer/dccki', 'All your DCCKI requests'))}`,
    }
  },
  async act(visit) {
    const { certificate, id } = await own(visit)
    if (!certificate) throw refuse('NOTHING_THERE', 'no Certificate was issued for that request')
    const der = await issuedDer(visit.door.store, certificate, visit.at)
    return { name: `dccki-${id}.crt`, type: 'application/x-pem-file', octets: toPem('CERTIFICATE', der) }
  },
})

export const dcckiConnection = page({
  ...officer,
  path: '/officer/dccki/connection',
  title: 'Change your DCC Gateway Connection',
  async show(visit) {
    const now = await connectionOf(visit.door.store, visit.visitor!.party!)
    return html`${heading('Change your DCC Gateway Connection')}
${paragraph('What you send takes the place of what is on record once the Registration Authority has verified and approved it.')}
${formHtml(
  visit,
  html`${input(visit, { name: 'gateway', label: 'Connection', hint: 'As the DCC knows it', value: now?.gateway ?? '' })}${textarea(visit, { name: 'hosts', label: 'Every host behind it', hint: 'One a line, in lower case and whole, without wildcards', rows: 6, value: now?.hosts.join('\n') ?? '', code: true })}${buttons({ text: 'Send it to the Registration Authority' })}`,
)}`
  },
  async act({ door, visitor }, form) {
    const by = officerAs(visitor, 'ARO', 'SRO')
    const gateway = form.text('gateway')
    const hosts = form.text('hosts').split(/\s+/).filter(Boolean)
    const faults: Fault[] = []
    if (gateway === '') faults.push({ field: 'gateway', says: 'Enter the connection' })
    if (hosts.length === 0) faults.push({ field: 'hosts', says: 'Enter the hosts, one a line' })
    if (faults.length > 0) throw new Faulty(faults)
    const { task } = await requestConnection(door, by, by.party!, { gateway, hosts }, {})
    return { to: '/officer/dccki', says: `It was received as task ${task} of the Registration Authority.` }
  },
})

/** Of his own Party: what is another's is not there for him. @throws Refusal NOTHING_THERE, REQUEST_UNKNOWN */
async function own({ door, visitor, params }: Visit): Promise<ProfiledRequest> {
  if (!/^[1-9]\d{0,17}$/.test(params.request ?? '')) throw refuse('NOTHING_THERE')
  const found = await requestOf(door.store, BigInt(params.request!))
  if (found.pki !== 'dccki' || found.party !== visitor!.party) throw refuse('NOTHING_THERE')
  return found
}

/** CSRs of SMETS1 Service Providers: entered by the Registration Authority, decided by its Manager, the Certificate handed over. */

import { toPem } from '../../../ground/x509/pem.ts'
import { type S1spki, s1spkiPolicy, s1spkis } from '../../../policy/s1spki/policy.ts'
import { issuedDer } from '../../../rooms/issuance/organisation-issue.ts'
import { decideRequest } from '../../../rooms/issuance/profiled-decide.ts'
import { type ProfiledRequest, requestOf, requests } from '../../../rooms/issuance/profiled-request.ts'
import { submitS1spki } from '../../../rooms/issuance/s1spki-submit.ts'
import { suspended, suspensionOf } from '../../../rooms/revocation/suspended.ts'
import { csrIn } from '../frame/csr-field.ts'
import { radios, textarea } from '../frame/fields.ts'
import { html, type Part } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import { buttonLink, buttons, form as formHtml, heading, inset, link, paragraph } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { givenFields, readGiven } from '../registration/given.ts'
import { central } from '../registration/who.ts'
import { decideForm, decisionIn } from './decide.ts'
import { described, hasIssuer, issueNow, stateTag } from './described.ts'

const titles: Readonly<Record<S1spki, string>> = {
  's1spki-foc': 'S1SPKI FOC',
  's1spki-moc': 'S1SPKI MOC',
}

export const s1spkiList = page({
  path: '/registration/s1spki',
  title: 'S1SPKI requests',
  who: central,
  section: 'registration',
  says: 'CSRs of SMETS1 Service Providers, and the Certificates that come of them',
  async show({ door, visitor }) {
    const all = await Promise.all(
      s1spkis.map(async pki => ({
        pki,
        has: await hasIssuer(door, pki),
        found: await requests(door.store, { pki }),
      })),
    )
    const { procedures } = s1spkiPolicy(door.settings, s1spkis[0])
    const may = procedures.request.some(as => visitor?.roles.includes(as)) && all.some(one => one.has)
    return html`${heading('S1SPKI requests', 'Registration Authority')}${may ? buttonLink('/registration/s1spki/new', 'Enter a CSR') : ''}${all.map(
      ({ pki, has, found }) =>
        has || found.length > 0
          ? table(
              `${titles[pki]}, newest first`,
              ['Request', 'For', 'Name', 'Received', 'State'],
              found.map((one): Part[] => [
                link(`/registration/s1spki/${one.id}`, `Request ${one.id}`),
                one.asks?.profile ?? 'not readable',
                one.asks?.subject.commonName ?? '–',
                atTime(one.receivedAt),
                stateTag(one.state),
              ]),
              `No Certificate of ${titles[pki]} was asked for.`,
            )
          : inset(`There is no ${titles[pki]} in this environment.`),
    )}`
  },
})

export const s1spkiNew = page({
  path: '/registration/s1spki/new',
  title: 'Enter a CSR of an S1SP',
  who: ['RA_PERSONNEL', 'RA_MANAGER'],
  section: 'registration',
  show(visit) {
    const { procedures } = s1spkiPolicy(visit.door.settings, s1spkis[0])
    return html`${heading('Enter a CSR of an S1SP', 'S1SPKI requests')}${paragraph('Somebody else approves it. What the S1SP sent is named as evidence, and stays where it is filed.')}${formHtml(
      visit,
      html`${radios(visit, { name: 'pki', label: 'Of which S1SPKI', choices: s1spkis.map(value => ({ value, text: titles[value] })), small: true })}${textarea(
        visit,
        {
          name: 'csr',
          label: 'Certificate Signing Request',
          hint: 'Paste the PKCS#10 request in base64, with its boundary lines or without. Never paste a private key.',
          rows: 10,
          code: true,
        },
      )}${givenFields(visit, procedures.evidence)}${buttons({ text: 'Enter it' })}`,
    )}`
  },
  async act({ door, visitor }, form) {
    const pki = s1spkis.find(one => one === form.text('pki'))
    if (!pki) throw new Faulty([{ field: 'pki', says: 'Choose which S1SPKI it is for' }])
    const csr = csrIn(form)
    const policy = s1spkiPolicy(door.settings, pki)
    const by = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER')
    const given = readGiven(form, policy.procedures.evidence)
    const one = await submitS1spki(door, policy, by, csr, given, async (client, what, at) => {
      const found = await suspensionOf(client, what, at)
      return found && suspended(found)
    })
    const says = one.state === 'refused' ? 'is refused.' : 'waits for its approval.'
    return { to: `/registration/s1spki/${one.id}`, says: `Request ${one.id} is on record, and ${says}` }
  },
})

export const s1spkiRequest = page({
  path: '/registration/s1spki/:request',
  title: 'S1SPKI request',
  who: central,
  section: 'registration',
  async show(visit) {
    const { one, pki } = await asked(visit)
    const title = `S1SPKI request ${one.id}`
    const { approve } = s1spkiPolicy(visit.door.settings, pki).procedures
    const download =
      one.state === 'issued'
        ? formHtml(visit, buttons({ text: 'Download the Certificate', kind: 'secondary', does: 'download' }))
        : ''
    const back = paragraph(link('/registration/s1spki', 'All S1SPKI requests'))
    const body = html`${heading(title, titles[pki])}${described(one)}${download}${decideForm(visit, one, approve)}${back}`
    return { title, body }
  },
  async act(visit, form) {
    const { door, visitor, path, at } = visit
    const { one, pki } = await asked(visit)
    if (form.text('do') === 'download') {
      if (!one.certificate) throw refuse('NOTHING_THERE', 'no Certificate was issued for that request')
      const der = await issuedDer(door.store, one.certificate, at)
      return { name: `s1spki-${one.id}.crt`, type: 'application/x-pem-file', octets: toPem('CERTIFICATE', der) }
    }
    const decision = decisionIn(form, one)
    const { approve } = s1spkiPolicy(door.settings, pki).procedures
    const decided = await decideRequest(door, () => approve, officerAs(visitor, ...approve), one.id, decision)
    const answer = await issueNow(door, decided)
    if (!decision.approve) return { to: path, says: 'The request is refused.' }
    const says = answer && 'text' in answer ? `${answer.text}.` : 'The Certificate is issued.'
    return { to: path, says: `The request is approved. ${says}` }
  },
})

/** @throws Refusal NOTHING_THERE, REQUEST_UNKNOWN */
async function asked({ door, params }: Visit): Promise<{ one: ProfiledRequest; pki: S1spki }> {
  if (!/^[1-9]\d{0,17}$/.test(params.request ?? '')) throw refuse('NOTHING_THERE')
  const one = await requestOf(door.store, BigInt(params.request!))
  const pki = s1spkis.find(of => of === one.pki)
  if (!pki) throw refuse('NOTHING_THERE')
  return { one, pki }
}

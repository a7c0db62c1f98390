/** An Organisation CSR that is held: what it asks for beside what would be signed, and the Manager's decision. */

import { profileNamed } from '../../../policy/hierarchies.ts'
import { ouOf, roleName } from '../../../policy/roles.ts'
import { periodOf } from '../../../rooms/authority/plan.ts'
import { issuingNow } from '../../../rooms/authority/register.ts'
import { heldSubmissions, type Submission } from '../../../rooms/issuance/organisation-csr.ts'
import { decideHeld } from '../../../rooms/issuance/organisation-held.ts'
import { askOrganisation } from '../../../rooms/issuance/signing.ts'
import { hidden } from '../frame/fields.ts'
import { html } from '../frame/html.ts'
import { page, type Visit } from '../frame/page.ts'
import { buttons, code, form as formHtml, heading, inset, paragraph } from '../frame/pieces.ts'
import { facts } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime, eui64, grouped, onDay } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import type { Row } from './both.ts'
import { sideBySide } from './both.ts'
import { givenFields, readGiven } from './given.ts'
import { namesOf } from './names.ts'
import { central } from './who.ts'

export const held = page({
  path: '/registration/held/:submission',
  title: 'Held CSR',
  who: central,
  section: 'registration',
  async show(visit) {
    const one = await asked(visit)
    const { door, visitor } = visit
    const names = await namesOf(door.store)
    const body = html`${heading(`CSR ${one.id}`, 'Anomalies')}${facts([
      ['Party', names.link(one.party)],
      ['Submitted by', one.person],
      ['Received', atTime(one.receivedAt)],
      ['Held because', one.refusal && `${one.refusal.says} (${one.refusal.code})`],
    ])}${sideBySide('What the CSR asks for, and what would be signed', ['Asked for', 'Would be signed'], askedRows(one), await signedRows(visit, one))}${inset(html`SHA-256 of the CSR: ${code(one.sha256)}`)}${
      visitor?.roles.includes('RA_MANAGER')
        ? formHtml(
            visit,
            html`${hidden('sha256', one.sha256)}${givenFields(visit, [], 'What you found out, and why you decide so')}${buttons({ text: 'Let it be issued', does: 'approve' }, { text: 'Refuse it', does: 'refuse', kind: 'warning' })}`,
          )
        : paragraph('An SMKI Registration Authority Manager decides of it.')
    }`
    return { title: `CSR ${one.id}`, body }
  },
  async act(visit, form) {
    const { door, visitor } = visit
    const one = await asked(visit)
    if (form.text('sha256') !== one.sha256) throw refuse('FORM_STALE')
    const approve = form.text('do') === 'approve'
    const by = officerAs(visitor, 'RA_MANAGER')
    const rule = { rejectionDays: door.settings.issuing.rejectionDays }
    await decideHeld(door, rule, by, one.id, { approve, ...readGiven(form, [], true) })
    const to = '/registration/anomalies'
    if (!approve) return { to, says: `CSR ${one.id} is refused.` }
    // It is on record: if the signer does not answer now, it is issued later all the same.
    const answer = await askOrganisation(door.signers[Number(one.id) % door.signers.length]!, one.id)
    return {
      to,
      says:
        'certificate' in answer
          ? `CSR ${one.id} is approved, and its Certificate is issued.`
          : `CSR ${one.id} is approved: ${answer.text}.`,
    }
  },
})

/** @throws Refusal NOTHING_THERE, also for one that was decided meanwhile */
async function asked({ door, params, at }: Visit): Promise<Submission> {
  const all = await heldSubmissions(door.store, { rejectionDays: door.settings.issuing.rejectionDays }, at)
  const one = all.find(({ id }) => String(id) === params.submission)
  if (!one) throw refuse('NOTHING_THERE', 'no CSR of that number is held: it may have been decided a moment ago')
  return one
}

function askedRows({ asks }: Submission): Row[] {
  if (!asks) return []
  return [
    { name: 'EUI-64', value: eui64(asks.eui64) },
    { name: 'Remote Party Role', value: `${ouOf(asks.role)} ${roleName(asks.role)}` },
    { name: 'Key usage', value: asks.usage },
    { name: 'Name (CN)', value: asks.commonName ?? 'none' },
    { name: 'Key identifier', value: grouped(asks.keyId) },
  ]
}

async function signedRows({ door, at }: Visit, one: Submission): Promise<Row[]> {
  const issuer = await issuingNow(door.store, 'smki-organisation', at)
  const profile = profileNamed(door.settings, 'Organisation Certificate')
  const { notBefore, notAfter } = periodOf(profile, at)
  return [
    ...askedRows(one),
    { name: 'Issuer', value: issuer?.name ?? 'no Issuing OCA is in use' },
    { name: 'Profile', value: `${profile.name}, ${profile.clause}` },
    { name: 'Valid, if it were issued now', value: `${onDay(notBefore)} to ${onDay(notAfter)}` },
  ]
}

/** An emergency suspension is begun, on a direction of the SMKI PMA (L2.14). */

import {
  type Interface,
  interfaceNames,
  interfaces,
  type SuspendedThing,
  type SuspensionGround,
  suspendedThings,
  suspensionGrounds,
} from '../../../policy/revocation/suspension.ts'
import { authorities } from '../../../rooms/authority/register.ts'
import { type SuspendedScope, suspend } from '../../../rooms/revocation/suspension.ts'
import { input, radios, select } from '../frame/fields.ts'
import type { Form } from '../frame/form.ts'
import { html } from '../frame/html.ts'
import { type Fault, Faulty, page } from '../frame/page.ts'
import { buttons, form as formHtml, heading, warning } from '../frame/pieces.ts'
import { officerAs } from '../frame/visitor.ts'
import { givenFields, readGiven } from '../registration/given.ts'
import { namesOf, numberIn } from '../registration/names.ts'

const scopes = [
  { value: 'service', text: 'The whole service' },
  { value: 'interface', text: 'One interface' },
  { value: 'authority', text: 'One authority' },
  { value: 'party', text: 'One Party' },
  { value: 'certificates', text: 'Some certificates' },
] as const

export const suspension = page({
  path: '/governance/suspensions/new',
  title: 'Suspend',
  who: ['RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
  section: 'governance',
  async show(visit) {
    const { store } = visit.door
    const [names, known] = await Promise.all([namesOf(store), authorities(store)])
    return html`${heading('Suspend', 'Suspensions')}${warning('It takes effect at once, on the direction of the SMKI PMA.')}${formHtml(
      visit,
      html`${input(visit, { name: 'decision', label: 'Direction of the SMKI PMA', hint: 'Its reference: it is to suspend, and names what is suspended', width: 20 })}${radios(visit, { name: 'scope', label: 'What is suspended', choices: scopes, small: true })}${select(
        visit,
        {
          name: 'interface',
          label: 'Which interface, if one',
          choices: interfaceNames.map(value => ({ value, text: interfaces[value] })),
        },
      )}${select(visit, { name: 'authority', label: 'Which authority, if one', choices: known.map(one => ({ value: String(one.id), text: `${one.name} (${one.part})` })) })}${select(
        visit,
        {
          name: 'party',
          label: 'Which Party, if one',
          choices: names.all.map(one => ({ value: String(one.id), text: one.tradingName })),
        },
      )}${input(visit, { name: 'certificates', label: 'Which certificates, if some', hint: 'Number of the authority, a colon, the serial number; several with spaces between', code: true })}${radios(
        visit,
        {
          name: 'stops',
          label: 'What stops',
          choices: suspendedThings.map(value => ({
            value,
            text:
              value === 'services'
                ? 'SMKI Services'
                : value === 'certificates'
                  ? 'The use of Certificates'
                  : 'Both',
          })),
          small: true,
        },
      )}${radios(visit, { name: 'ground', label: 'What is in immediate danger of material compromise', choices: suspensionGrounds.map(value => ({ value, text: value })), small: true })}${givenFields(visit, [])}${buttons({ text: 'Suspend now', kind: 'warning' })}`,
    )}`
  },
  async act({ door, visitor }, form) {
    const faults: Fault[] = []
    const decision = form.text('decision')
    if (decision === '') faults.push({ field: 'decision', says: 'Enter the direction' })
    const of = scopeIn(form, faults)
    const stops = suspendedThings.find(one => one === form.text('stops'))
    if (!stops) faults.push({ field: 'stops', says: 'Choose what stops' })
    const ground = suspensionGrounds.find(one => one === form.text('ground'))
    if (!ground) faults.push({ field: 'ground', says: 'Choose what is in danger' })
    if (faults.length > 0) throw new Faulty(faults)
    const by = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER')
    const asked = { decision, of: of!, stops: stops as SuspendedThing, ground: ground as SuspensionGround }
    const { id } = await suspend(door, by, asked, readGiven(form, []))
    return { to: '/governance/suspensions', says: `Suspension ${id} is in force. Record who was informed.` }
  },
})

function scopeIn(form: Form, faults: Fault[]): SuspendedScope | undefined {
  const scope = scopes.find(one => one.value === form.text('scope'))?.value
  switch (scope) {
    case 'service':
      return { scope }
    case 'interface':
      return { scope, interface: interfaceNames.find(one => one === form.text('interface')) as Interface }
    case 'authority':
    case 'party': {
      const id = numberIn(form.text(scope))
      if (id === undefined) faults.push({ field: scope, says: 'Choose which' })
      return scope === 'party' ? { scope, party: id ?? 0 } : { scope, authority: id ?? 0 }
    }
    case 'certificates': {
      const all = form
        .text('certificates')
        .split(/\s+/)
        .map(one => /^([1-9]\d{0,4}):([0-9a-fA-F]{32})$/.exec(one))
      if (all.some(one => one === null))
        faults.push({
          field: 'certificates',
          says: 'Enter each certificate as authority, colon, serial number of 32 digits',
        })
      return {
        scope,
        certificates: all.flatMap(one =>
          one ? [{ authority: Number(one[1]), serial: one[2]!.toLowerCase() }] : [],
        ),
      }
    }
    default:
      faults.push({ field: 'scope', says: 'Choose what is suspended' })
      return undefined
  }
}

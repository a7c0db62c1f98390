/** Of a task what was asked, and beside it what would be recorded or signed: each kind as it can be compared best. */

import type { JsonValue } from '../../../ground/journal/entry.ts'
import { profileNamed } from '../../../policy/hierarchies.ts'
import { reasonCodes } from '../../../policy/revocation/grounds.ts'
import { ouOf } from '../../../policy/roles.ts'
import { authorities, issuingNow } from '../../../rooms/authority/register.ts'
import { formOf, organisationOf } from '../../../rooms/registration/party.ts'
import type { Task } from '../../../rooms/registration/task.ts'
import type { PortalWorld } from '../door.ts'
import { count } from '../frame/words.ts'
import { type Row, rowsOf } from './both.ts'

type Subject = Readonly<Record<string, JsonValue>>

export interface Compared {
  readonly heads: readonly [asked: string, recorded: string]
  readonly left: readonly Row[]
  readonly right: readonly Row[]
  /** Whether one line's two values are the same thing, before and after. */
  readonly alike: boolean
  /** What follows when it is approved. */
  readonly follows: string
}

/** @param subject what every step is taken on, whole (`lookAt`) */
export async function compared(door: PortalWorld, task: Task, subject: Subject): Promise<Compared> {
  if (task.kind === 'organisation form') return form(door, subject)
  if (task.kind.startsWith('revocation of ')) return revocation(door, subject)
  if (task.kind === 'credential' || task.kind === 'RA credential') return credential(door, subject)
  const left = (task.steps[0]?.evidence ?? []).map(({ kind, reference }) => ({
    name: `Evidence: ${kind}`,
    value: reference,
  }))
  return {
    heads: ['Asked on this evidence', 'Would be recorded'],
    left,
    right: rowsOf(subject),
    alike: false,
    follows: 'It takes effect with the last approval, in one step with its journal entry.',
  }
}

async function form({ store }: PortalWorld, subject: Subject): Promise<Compared> {
  const { formInForce } = await organisationOf(store, Number(subject.party))
  const now = formInForce === undefined ? undefined : (await formOf(store, Number(subject.party), formInForce)).form
  return {
    heads: [
      now ? `In force now: version ${formInForce}` : 'In force now: nothing',
      `Asked for: version ${subject.version}`,
    ],
    left: rowsOf(now && inOrder(now as unknown as Subject)),
    right: rowsOf(inOrder(subject.form as Subject)),
    alike: true,
    follows:
      'This version is in force from the approval on, and the one before it is superseded. Certificates outside the new ranges are reported, not revoked.',
  }
}

/** In the order of the paper: the store keeps none. */
const fields = [
  'kind',
  'legalName',
  'tradingName',
  'identifier',
  'companyNumber',
  'address',
  'contactNumber',
  'userRoles',
  'shared',
  'declaration',
]

function inOrder(form: Subject): Subject {
  const roles = (form.userRoles as Subject[]).map(
    ({ userRole, first, last }) => ({ userRole, first, last }) as Subject,
  )
  const sorted = { ...form, userRoles: roles } as Subject
  const known = fields.filter(name => sorted[name] !== undefined)
  return Object.fromEntries(
    [...known, ...Object.keys(sorted).filter(name => !known.includes(name))].map(name => [name, sorted[name]!]),
  )
}

async function revocation({ store, schedules }: PortalWorld, subject: Subject): Promise<Compared> {
  const authority = (await authorities(store)).find(one => one.id === subject.issuer)
  const schedule = authority && schedules(authority)
  const reason = Object.entries(reasonCodes).find(([, code]) => code === subject.reason)?.[0] ?? ''
  return {
    heads: ['Asked for', 'Would stand on the list'],
    left: rowsOf(subject),
    right: [
      { name: 'List', value: schedule?.name ?? 'none' },
      { name: 'Serial', value: String(subject.serial) },
      { name: 'Reason', value: reason === 'unspecified' ? 'none is given' : `${reason} (${subject.reason})` },
      { name: 'Revoked at', value: 'the instant of the approval' },
      {
        name: 'List lodged',
        value: schedule ? `within ${count(schedule.afterRevocationHours, 'hour')} of it` : 'never',
      },
    ],
    alike: false,
    follows: 'The certificate is revoked with the last approval, and cannot be brought back.',
  }
}

async function credential({ store, settings, clock }: PortalWorld, subject: Subject): Promise<Compared> {
  const { tradingName } = await organisationOf(store, Number(subject.party))
  const isCertificate = typeof subject.role === 'number'
  const issuer = await issuingNow(store, 'iki', clock())
  const signed: Row[] = isCertificate
    ? [
        { name: 'Issuer', value: issuer?.name ?? 'none' },
        { name: 'Organisation (O)', value: tradingName },
        { name: 'Remote Party Role (OU)', value: ouOf(Number(subject.role)) },
        { name: 'Name (CN)', value: String(subject.systemName) },
        { name: 'SHA-256 of the public key', value: String(subject.key) },
        { name: 'SHA-256 of the CSR', value: String(subject.request) },
        { name: 'Profile', value: profileOf(settings, String(subject.kind)) },
      ]
    : [
        { name: 'Kind', value: String(subject.kind) },
        { name: 'Called', value: String(subject.systemName) },
        { name: 'SHA-256 of the key', value: String(subject.key ?? 'none is handed in') },
      ]
  return {
    heads: ['Asked for', isCertificate ? 'Would be signed' : 'Would be given'],
    left: rowsOf(subject),
    right: signed,
    alike: false,
    follows:
      'After the approval it is issued from exactly this request, and opens its interface once it is handed over.',
  }
}

function profileOf(settings: PortalWorld['settings'], kind: string): string {
  return profileNamed(settings, kind === 'FILE_SIGN' ? 'IKI File Signing Certificate' : 'IKI Client Certificate')
    .name
}

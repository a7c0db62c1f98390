/** A Registration Authority with its first people in office, on a real store, at a time that tests turn. */

import { createHash } from 'node:crypto'
import { type Act, readEntry } from '../../src/ground/journal/entry.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import type { Connection, Store } from '../../src/ground/store/store.ts'
import { testStore } from '../../src/ground/store/testing.ts'
import { parseSettings } from '../../src/main/home.ts'
import { systemChance } from '../../src/main/world.ts'
import type { CertificatePolicy, Office as OfficeName } from '../../src/policy/registration/offices.ts'
import type { Evidence, Hands, Officer } from '../../src/rooms/registration/act.ts'
import { applyAsSubscriber } from '../../src/rooms/registration/applications.ts'
import { makeFirstAppointments } from '../../src/rooms/registration/first.ts'
import type { OrganisationForm } from '../../src/rooms/registration/form.ts'
import { registrationKinds } from '../../src/rooms/registration/kinds.ts'
import { nominate } from '../../src/rooms/registration/nominations.ts'
import { apply } from '../../src/rooms/registration/organisation.ts'
import { enterPerson } from '../../src/rooms/registration/people.ts'
import { planOf, planSrept, recordResult, requestCompletion } from '../../src/rooms/registration/srept.ts'
import { taskOf } from '../../src/rooms/registration/task.ts'
import { approve, type Kinds, verify } from '../../src/rooms/registration/tasks.ts'

export const migrations = new URL('../../src/ground/store/migrations/', import.meta.url)

export const evidence = (...kinds: string[]): Evidence[] =>
  kinds.map(kind => ({ kind, reference: `file ${kind.replaceAll(' ', '-')}/1` }))

export interface Officers {
  readonly no: Officer
  readonly sro: Officer
  readonly aro: Officer
}

export interface Office {
  readonly hands: Hands
  readonly store: Store
  /** For other processes. */
  readonly connection: Connection
  readonly kinds: Kinds
  readonly operator: number
  /** Two Managers, two of the Personnel, two SMKI PMA Members. */
  readonly managers: readonly [Officer, Officer]
  readonly personnel: readonly [Officer, Officer]
  readonly pma: readonly [Officer, Officer]
  /** Lets time pass. */
  pass(ms: number): void
  /** Enters a person of that name. */
  person(name: string): Promise<string>
  /** Takes a task through verification and approval by the right people, with the evidence it asks for. */
  decide(task: { task: number; digest: string }): Promise<unknown>
  /** Only the verification. */
  check(task: { task: number; digest: string }): Promise<void>
  /** Nominated, verified, appointed. */
  appoint(
    by: Officer,
    person: string,
    office: OfficeName,
    party?: number,
    policies?: CertificatePolicy[],
  ): Promise<Officer>
  /** An organisation whose form is in force. */
  organisation(name: string, form?: Partial<OrganisationForm>): Promise<number>
  /** Its Nominating Officer, SRO and ARO, three people. */
  officers(party: number, policies?: CertificatePolicy[]): Promise<Officers>
  /** SREPT passed and completed for that interface. */
  srept(party: number, by: Officer): Promise<void>
  /** Authorised Subscriber under these policies. */
  subscriber(
    name: string,
    form?: Partial<OrganisationForm>,
    policies?: CertificatePolicy[],
  ): Promise<Officers & { party: number }>
  /** What the journal says, in order of writing. */
  journal(): Promise<Act[]>
  close(): Promise<void>
}

/** Ranges that no two callers share. */
let block = 0n
export function ranges(...userRoles: string[]): OrganisationForm['userRoles'] {
  return userRoles.map(userRole => {
    const first = 0x02a0_0000_0000_0000n + (block++ << 16n)
    return { userRole, first: hex(first), last: hex(first + 0xffffn) }
  })
}
export const hex = (value: bigint) => value.toString(16).padStart(16, '0')

export function formOf(name: string, changes: Partial<OrganisationForm> = {}): OrganisationForm {
  return {
    kind: 'party',
    legalName: `${name} Limited`,
    tradingName: name,
    identifier: `SEC-${name}`,
    companyNumber: '00000001',
    address: '1 Test Street, Testing',
    contactNumber: '+44 1632 960001',
    userRoles: ranges('IS'),
    declaration: { reference: `form ${name}/1`, signedOn: '2026-11-01' },
    ...changes,
  }
}

export const csr = (text: string) => ({
  sha256: createHash('sha256').update(`csr ${text}`).digest('hex'),
  publicKeySha256: createHash('sha256').update(`key ${text}`).digest('hex'),
})

/** Nobody in office yet. */
export async function emptyOffice(
  changes: Record<string, unknown> = {},
  opened = '2026-11-20T09:00:00.000Z',
): Promise<{
  hands: Hands
  connection: Connection
  pass(ms: number): void
  close(): Promise<void>
}> {
  const { registration } = parseSettings(
    JSON.stringify({ environment: 'office', kind: 'test', registration: { passwordLog2N: 14, ...changes } }),
    'the test',
  )
  const { store, connection, close } = await testStore({ migrations })
  let now = Date.parse(opened)
  const hands: Hands = { store, clock: () => new Date(now), chance: systemChance, rules: registration }
  return {
    hands,
    connection,
    pass: ms => {
      now += ms
    },
    close,
  }
}

export async function openOffice(changes: Record<string, unknown> = {}, opened?: string): Promise<Office> {
  const { hands, connection, pass, close } = await emptyOffice(changes, opened)
  const { store } = hands
  const firsts = ['RA_MANAGER', 'RA_MANAGER', 'RA_PERSONNEL', 'RA_PERSONNEL', 'PMA_MEMBER', 'PMA_MEMBER'] as const
  const { operator, people } = await makeFirstAppointments(hands, {
    operator: { name: 'dcc', tradingName: 'Test DCC' },
    people: firsts.map((office, i) => ({
      data: { name: `First ${i}` },
      office,
      evidence: evidence('identity', 'screening'),
    })),
    witnesses: ['w-1', 'w-2'],
    evidence: evidence('minutes', 'Panel decision'),
  })
  const officer = (i: number): Officer => ({ person: people[i]!, as: firsts[i]! })
  const kinds = registrationKinds(hands.rules)
  const managers = [officer(0), officer(1)] as const
  const personnel = [officer(2), officer(3)] as const
  const pma = [officer(4), officer(5)] as const

  const check: Office['check'] = async ({ task, digest }) => {
    const { kind } = await taskOf(store, task)
    await verify(hands, kinds, personnel[0], task, {
      digest,
      level: 3,
      words: 'seen and checked',
      evidence: evidence(...kinds[kind]!.procedure.verify.evidence),
    })
  }
  const office: Office = {
    hands,
    store,
    connection,
    kinds,
    operator,
    managers,
    personnel,
    pma,
    pass,
    person: name =>
      enterPerson(hands, personnel[0], { name, questions: [{ question: 'First school', answer: name }] }),
    check,
    async decide(opened) {
      await check(opened)
      const { kind } = await taskOf(store, opened.task)
      const { approve: rule } = kinds[kind]!.procedure
      const by = rule.by.includes('RA_MANAGER') ? managers[1] : pma[1]
      const { outcome } = await approve(hands, kinds, by, opened.task, {
        digest: opened.digest,
        words: 'approved',
        evidence: evidence(...rule.evidence),
      })
      return outcome
    },
    async appoint(by, person, name, party, policies) {
      const given = { evidence: evidence('signed form', 'Panel decision') }
      await office.decide(await nominate(hands, by, { person, office: name, party, policies }, given))
      return { person, as: name, ...(party !== undefined && { party }) }
    },
    async organisation(name, changesOfForm) {
      const submitted = await apply(hands, personnel[1], name, formOf(name, changesOfForm), { evidence: [] })
      await office.decide(submitted)
      return submitted.party
    },
    async officers(party, policies = ['smki-organisation', 'smki-device']) {
      const no = await office.appoint(personnel[1], await office.person('Nina'), 'NO', party)
      const sro = await office.appoint(no, await office.person('Sam'), 'SRO', party)
      const aro = await office.appoint(sro, await office.person('Ali'), 'ARO', party, policies)
      return { no, sro, aro }
    },
    async srept(party, by) {
      await planSrept(hands, by, party, ['PORTAL_ORG'])
      for (const { id } of (await planOf(store, party))!.scenarios) {
        await recordResult(hands, by, party, { scenario: id, passed: true, evidence: evidence('log') })
      }
      await office.decide(await requestCompletion(hands, by, party, {}))
    },
    async subscriber(name, changesOfForm, policies = ['smki-organisation', 'smki-device']) {
      const party = await office.organisation(name, changesOfForm)
      const officers = await office.officers(party, policies)
      await office.srept(party, officers.aro)
      for (const policy of policies) {
        await office.decide(
          await applyAsSubscriber(hands, officers.sro, party, policy, { evidence: evidence('signed form') }),
        )
      }
      return { ...officers, party }
    },
    journal: () => journalOf(store),
    close,
  }
  return office
}

/** Everything that the journal says, in order of writing. */
export async function journalOf(store: Store): Promise<Act[]> {
  const { rows } = await store.query<{ octets: Buffer }>('SELECT octets FROM journal_pending ORDER BY id')
  return rows.map(row => readEntry(row.octets))
}

/** For `assert.rejects`: that refusal and no other. */
export function refusal(code: string): (cause: unknown) => true {
  return cause => {
    if (!(cause instanceof Refusal)) throw cause
    if (cause.code !== code) throw new Error(`${cause.code}, not ${code}: ${cause.message}`, { cause })
    return true
  }
}

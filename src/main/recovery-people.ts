/** The people of a recovery drill: a Registration Authority, SMKI PMA Members, two suppliers, and Key Custodians. */

import type { Kept } from '../rooms/recovery/custodians.ts'
import type { RecoveryHands } from '../rooms/recovery/hands.ts'
import type { Actor, Evidence, Officer } from '../rooms/registration/act.ts'
import { makeFirstAppointments } from '../rooms/registration/first.ts'
import { registrationKinds } from '../rooms/registration/kinds.ts'
import { nominate } from '../rooms/registration/nominations.ts'
import { apply } from '../rooms/registration/organisation.ts'
import { enterPerson } from '../rooms/registration/people.ts'
import { taskOf, waitingFor } from '../rooms/registration/task.ts'
import { approve, type Kinds, verify } from '../rooms/registration/tasks.ts'

export const drilled: readonly Evidence[] = [{ kind: 'drill', reference: 'drill of the SMKI Recovery Procedure' }]

export interface Supplier {
  readonly party: number
  readonly sro: Officer
  readonly aro: Officer
  /** The first of its range, 16 hexadecimal digits. */
  readonly eui64: string
}

export interface People {
  readonly manager: Officer
  readonly otherManager: Officer
  readonly clerk: Officer
  readonly otherClerk: Officer
  readonly member: Officer
  readonly suppliers: readonly [Supplier, Supplier]
  readonly custodians: Readonly<Record<Kept, readonly string[]>>
  /** Takes a matter through the steps that are left, each by one for whom it waits. */
  decide(opened: { readonly task: number }, kinds?: Kinds): Promise<void>
}

const firsts = ['RA_MANAGER', 'RA_MANAGER', 'RA_PERSONNEL', 'RA_PERSONNEL', 'PMA_MEMBER', 'PMA_MEMBER'] as const

/** Appoints them all by the procedures. */
export async function makePeople(hands: RecoveryHands): Promise<People> {
  const { people: references } = await makeFirstAppointments(hands, {
    operator: { name: 'dcc', tradingName: 'Drill DCC' },
    people: firsts.map((office, i) => ({ data: { name: `Drill ${office} ${i + 1}` }, office, evidence: drilled })),
    witnesses: ['drill witness 1', 'drill witness 2'],
    evidence: drilled,
  })
  const officers = firsts.map((office, i): Officer => ({ person: references[i]!, as: office }))
  const [manager, otherManager, clerk, otherClerk, member] = officers as [
    Officer,
    Officer,
    Officer,
    Officer,
    Officer,
  ]
  const own = registrationKinds(hands.rules)

  async function decide({ task: id }: { readonly task: number }, kinds: Kinds = own): Promise<void> {
    for (;;) {
      const task = await taskOf(hands.store, id)
      if (task.state !== 'open') return
      const next = await whoIsNext(id, kinds)
      const { evidence } = kinds[task.kind]!.procedure[next.step]
      const given = {
        digest: task.digest,
        words: 'seen and checked',
        evidence: evidence.map((kind): Evidence => ({ kind, reference: drilled[0]!.reference })),
      }
      if (next.step === 'verify')
        await verify(hands, kinds, next.by, id, { ...given, level: hands.rules.identityLevel })
      else await approve(hands, kinds, next.by, id, given)
    }
  }

  async function whoIsNext(id: number, kinds: Kinds): Promise<{ by: Officer; step: 'verify' | 'approve' }> {
    // The Personnel first: who verifies does not approve, and few may approve.
    for (const by of [otherClerk, clerk, manager, otherManager, officers[4]!, officers[5]!]) {
      const waiting = await waitingFor(hands.store, kinds, by.person, hands.clock())
      const found = waiting.find(one => one.task.id === id)
      if (found && found.step !== 'request') return { by, step: found.step }
    }
    throw new Error(`task ${id} waits for nobody in the drill`)
  }

  async function supplier(name: string, first: bigint): Promise<Supplier> {
    const eui64 = first.toString(16).padStart(16, '0')
    const last = (first + 0xffffn).toString(16).padStart(16, '0')
    const submitted = await apply(
      hands,
      clerk,
      name,
      {
        kind: 'party',
        legalName: `${name} Limited`,
        tradingName: name,
        identifier: `DRILL-${name.toUpperCase()}`,
        companyNumber: '00000000',
        address: '1 Test Street, Testing TE5 7ST',
        contactNumber: '+44 1632 960001',
        userRoles: [{ userRole: 'IS', first: eui64, last }],
        declaration: { reference: 'drill', signedOn: hands.clock().toISOString().slice(0, 10) },
      },
      { evidence: [] },
    )
    await decide(submitted)
    const { party } = submitted
    const appoint = async (by: Actor, office: 'NO' | 'SRO' | 'ARO'): Promise<Officer> => {
      const person = await enterPerson(hands, clerk, { name: `${office} of ${name}` })
      const policies = office === 'ARO' ? (['smki-organisation'] as const) : undefined
      const nomination = { person, office, party, ...(policies && { policies: [...policies] }) }
      await decide(
        await nominate(hands, by, nomination, { evidence: [{ kind: 'signed form', reference: 'drill' }] }),
      )
      return { person, as: office, party }
    }
    const nominating = await appoint(clerk, 'NO')
    const sro = await appoint(nominating, 'SRO')
    return { party, sro, aro: await appoint(sro, 'ARO'), eui64 }
  }

  const some = (kept: string) =>
    Promise.all(
      Array.from({ length: hands.recovery.custodians.of }, (_, i) =>
        enterPerson(hands, clerk, { name: `Key Custodian ${i + 1}, ${kept}` }),
      ),
    )
  return {
    manager,
    otherManager,
    clerk,
    otherClerk,
    member,
    suppliers: [
      await supplier('supplier-a', 0x02d0_0000_0001_0000n),
      await supplier('supplier-b', 0x02d0_0000_0002_0000n),
    ],
    custodians: {
      'recovery key': await some('recovery key'),
      'contingency key': await some('contingency key'),
      'symmetric key': await some('symmetric key'),
    },
    decide,
  }
}

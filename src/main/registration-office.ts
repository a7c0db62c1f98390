/** The Registration Authority in a ceremony: its first people, and how a matter goes through their hands. */

import { hash } from 'node:crypto'
import type { Bytes } from '../ground/bytes.ts'
import type { JsonValue } from '../ground/journal/entry.ts'
import { Refusal } from '../ground/refusal.ts'
import { type Certificate, readCertificate } from '../ground/x509/certificate.ts'
import { readRequest } from '../ground/x509/request.ts'
import { admitIki } from '../rooms/issuance/admit-iki.ts'
import type { RoomAnswer, RoomQuestion } from '../rooms/issuance/signing.ts'
import type { Evidence, Hands, Officer } from '../rooms/registration/act.ts'
import { type CredentialRequest, handOver, requestCredential } from '../rooms/registration/credentials.ts'
import { type FirstAppointments, type FirstOfficer, makeFirstAppointments } from '../rooms/registration/first.ts'
import { registrationKinds } from '../rooms/registration/kinds.ts'
import { taskOf, waitingFor } from '../rooms/registration/task.ts'
import { approve, verify } from '../rooms/registration/tasks.ts'

/** The signer's rooms, in this process: `roomSigning` over the keys that are present. */
export type Sign = (question: RoomQuestion) => Promise<RoomAnswer>

export interface OfficerAtCeremony extends FirstOfficer {
  /** Short, for the transcript and for folders: `ra-manager-1`. */
  readonly name: string
  /** Of the IKI Certificate by which the operator door will know this person; none is given without. */
  readonly csr?: Bytes | undefined
}

export interface CeremonyPlan extends Omit<FirstAppointments, 'people'> {
  readonly people: readonly OfficerAtCeremony[]
}

export interface Office {
  readonly hands: Hands
  readonly operator: number
  /** In the order of the plan. */
  readonly people: readonly Officer[]
  /** What each of them holds, by the name in the plan. */
  readonly credentials: ReadonlyMap<string, Certificate>
  /** One who may record what others have signed. */
  readonly clerk: Officer
  /**
   * Takes a matter through every step that is left, each by one of these people for whom it waits, with references of
   * the kinds of evidence that its procedure asks for.
   * @returns what the approval had as its effect
   */
  decide(opened: { readonly task: number }, reference: string): Promise<JsonValue>
  /** Requested by that officer, decided, issued and handed over. @returns the certificate */
  give(by: Officer, request: CredentialRequest, csr: Bytes): Promise<Certificate>
}

/** @throws Refusal as `makeFirstAppointments` and the steps after it; CEREMONY_INCOMPLETE when a step waits for nobody */
export async function openOffice(hands: Hands, plan: CeremonyPlan, sign: Sign): Promise<Office> {
  const first = await makeFirstAppointments(hands, plan)
  const people = plan.people.map(({ office }, i): Officer => ({ person: first.people[i]!, as: office }))
  const kinds = registrationKinds(hands.rules)
  const clerk = people.find(({ as }) => as === 'RA_PERSONNEL')!
  const credentials = new Map<string, Certificate>()

  const office: Office = {
    hands,
    operator: first.operator,
    people,
    credentials,
    clerk,
    async decide({ task: id }, reference) {
      for (;;) {
        const task = await taskOf(hands.store, id)
        const { by, step } = await whoIsNext(id)
        const { evidence } = kinds[task.kind]!.procedure[step]
        const given = {
          digest: task.digest,
          words: 'seen and checked',
          evidence: evidence.map((kind): Evidence => ({ kind, reference })),
        }
        if (step === 'verify') await verify(hands, kinds, by, id, { ...given, level: hands.rules.identityLevel })
        else {
          const { task: after, outcome } = await approve(hands, kinds, by, id, given)
          if (after.state !== 'open') return outcome
        }
      }
    },
    async give(by, request, csr) {
      const asked = await requestCredential(hands, by, { ...request, csr: digestsOf(csr) })
      await office.decide(asked, `${plan.evidence[0]!.reference}, ${request.systemName}`)
      const certificate = certificateIn(await sign({ ask: 'iki', credential: asked.credential, csr }))
      const hander = people.find(one => one.as !== 'PMA_MEMBER' && one.person !== request.person) ?? clerk
      await handOver(hands, hander, asked.credential, {
        evidence: [{ kind: 'receipt', reference: plan.evidence[0]!.reference }],
      })
      return certificate
    },
  }

  async function whoIsNext(task: number): Promise<{ by: Officer; step: 'verify' | 'approve' }> {
    // The Personnel first: who verifies does not approve, and few may approve.
    for (const by of people.toSorted((a, b) => rank(a) - rank(b))) {
      const waiting = await waitingFor(hands.store, kinds, by.person, hands.clock())
      const found = waiting.find(one => one.task.id === task)
      if (found && found.step !== 'request') return { by, step: found.step }
    }
    throw new Error(`task ${task} waits for nobody who is at the ceremony`)
  }

  for (const [i, { name, csr }] of plan.people.entries()) {
    if (!csr) continue
    const by = people[i]!
    const { role, systemName } = admitIki(csr)
    const request = { kind: 'RA_STAFF', person: by.person, role, systemName } as const
    credentials.set(name, await office.give(by, request, csr))
  }
  return office
}

const rank = ({ as }: Officer) => ['RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'].indexOf(as)

/** Remote Party Role in the OU of a person's certificate: `other`. */
export const personsRole = 0x7f

/** @throws Refusal of whatever the signer said */
export function certificateIn(answer: RoomAnswer): Certificate {
  if ('code' in answer) throw new Refusal(answer.code, answer.text)
  return readCertificate(answer.certificate)
}

/** What a request for a credential is bound to. @throws Refusal MALFORMED for what is no CSR */
export function digestsOf(csr: Bytes): { sha256: string; publicKeySha256: string } {
  const { publicKey } = readRequest(csr)
  return { sha256: hash('sha256', csr, 'hex'), publicKeySha256: hash('sha256', publicKey.spki, 'hex') }
}

/** A drill of the SMKI Recovery Procedure from notification to report, with simulated time, people and Devices. */

import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { Chance } from '../ground/clock.ts'
import { showCell } from '../ground/gbcs/cell.ts'
import type { Store } from '../ground/store/store.ts'
import type { Certificate } from '../ground/x509/certificate.ts'
import type { KeyKind, ProcedureName } from '../policy/recovery/cases.ts'
import type { StepAction } from '../policy/recovery/steps.ts'
import type { Settings } from '../policy/settings.ts'
import { type Counts, closeRecovery } from '../rooms/recovery/campaign.ts'
import { heldAs } from '../rooms/recovery/cells.ts'
import { filesAfter, type OutgoingFile, recordedFiles } from '../rooms/recovery/exchange.ts'
import type { RecoveryHands } from '../rooms/recovery/hands.ts'
import {
  chooseProcedure,
  confirmCompromise,
  type Notification,
  notifyCompromise,
} from '../rooms/recovery/notify.ts'
import { type RecoveryReport, reportOf } from '../rooms/recovery/report.ts'
import { doneStep, dueStep } from '../rooms/recovery/steps.ts'
import type { Officer } from '../rooms/registration/act.ts'
import { drillFaults, type Faults, type Field, makeField } from './recovery-field.ts'
import { drilled, makePeople } from './recovery-people.ts'
import { cellsOfHolders, type DrillPki, makePki } from './recovery-pki.ts'
import { minutesOf, play } from './recovery-play.ts'
import { type Play, procedureIn } from './recovery-work.ts'

export interface DrillPlan {
  readonly procedure: ProcedureName
  /** In the inventory; those that the procedure concerns are fewer. */
  readonly devices: number
  readonly settings: Settings
  /** Of its own: migrated, and with nothing in it. */
  readonly store: Store
  /** For key stores, files and transcripts; it is there. */
  readonly folder: string
  readonly chance: Chance
  /** When the notification comes, on the simulated clock. */
  readonly begins: Date
  readonly faults?: Faults
  /** Changes the field before anything is sent: for tests that stop and break things. */
  readonly disturb?: (field: Field) => Field
  readonly tell?: (step: string, at: Date) => void
  readonly progress?: (counts: Counts, sent: number) => void
}

export interface Drilled {
  readonly report: RecoveryReport
  readonly play: Play
  /** Every file of the drill with its signature, as it stands on its record. */
  readonly files: readonly OutgoingFile[]
  /** Those above the certificate that signed them, the root first. */
  readonly chain: readonly Certificate[]
  close(): void
}

/** What is notified in each procedure. */
const compromised: Readonly<Record<ProcedureName, KeyKind>> = {
  method1: 'organisation',
  method2: 'organisation',
  method3: 'organisation',
  root: 'root',
  contingency: 'contingency',
  recovery: 'recovery',
  'issuing-oca': 'issuing',
}

/** Plays it. The caller closes what is left open. @throws Refusal when a step is refused: a drill is there to find that */
export async function drill(plan: DrillPlan): Promise<Drilled> {
  const of = await openDrill(plan)
  await begin(of, plan.tell)
  await playSteps(of, plan.tell)
  const report = await reportOf(plan.store, of.event)
  const recorded = await recordedFiles(plan.store, of.event)
  const files: OutgoingFile[] = []
  for (const one of recorded) {
    const [file] = await filesAfter(plan.store, of.event, { ...one, sequence: one.sequence - 1 })
    if (file) files.push(file)
  }
  const { chain } = await of.pki.fileSigning()
  return { report, play: of, files, chain, close: () => of.pki.close() }
}

/** People, keys, certificates and Devices, before anything is wrong. */
export async function openDrill(plan: DrillPlan): Promise<Play> {
  const { procedure, settings, store, chance } = plan
  let now = plan.begins.getTime() - 3_600_000
  const hands: RecoveryHands = {
    store,
    clock: () => new Date(now),
    chance,
    rules: settings.registration,
    recovery: settings.recovery,
  }
  const people = await makePeople(hands)
  const pki = await makePki(hands, settings, people, join(plan.folder, 'keys'))
  // Made now, so that its signatures are good for whoever verifies them on the day of the drill.
  await pki.fileSigning()
  const made = makeField(pki, hands.clock, plan.devices, plan.faults ?? drillFaults)
  const field = plan.disturb?.(made) ?? made
  now = plan.begins.getTime()
  return {
    hands,
    people,
    pki,
    field,
    procedure,
    event: `DRILL-${procedure.toUpperCase()}`,
    folder: plan.folder,
    pass: minutes => {
      now += minutes * 60_000
    },
    tell: plan.progress ?? (() => {}),
    tally: { sent: 0, stopped: 0 },
    fresh: new Map(),
    revoked: [],
  }
}

/** It is notified by whoever has found out, confirmed by somebody else, and given its procedure. */
export async function begin(of: Play, tell: DrillPlan['tell'] = () => {}): Promise<void> {
  const { hands, people, event, procedure } = of
  const { notification, by } = notified(of, hands.clock())
  await notifyCompromise(hands, by, notification, { evidence: drilled })
  tell('notify', hands.clock())
  of.pass(minutesOf['authenticate notifier'])
  await confirmCompromise(
    hands,
    people.clerk,
    event,
    { means: 'call back', confirmed: true },
    { evidence: drilled },
  )
  of.pass(minutesOf['choose procedure'])
  await chooseProcedure(hands, people.otherManager, event, procedure, { words: procedureIn(of).says })
}

/** Every step that is left, in the order that was laid down; up to one of them where it is named, and that one not. */
export async function playSteps(of: Play, tell: DrillPlan['tell'] = () => {}, until?: StepAction): Promise<void> {
  const { hands, people, event } = of
  for (let step = await dueStep(hands.store, event); step; step = await dueStep(hands.store, event)) {
    if (step.action === until) return
    const isDoneBefore = step.action === 'authenticate notifier' || step.action === 'choose procedure'
    if (!isDoneBefore) of.pass(minutesOf[step.action])
    if (step.action === 'report')
      await closeRecovery(hands, people.manager, event, 'the recovery was closed before it was reached')
    await play[step.action](of)
    await doneStep(hands, people.manager, event, step.action, { evidence: drilled })
    tell(step.action, hands.clock())
  }
}

/** Who tells of it, and what: a supplier of its own key, the DCC of its keys. */
export function notified(
  { people, pki, procedure, event }: Play,
  now: Date,
): { notification: Notification; by: Officer } {
  const keyKind = compromised[procedure]
  const spki = keyOf(pki, keyKind)
  const isSuppliers = keyKind === 'organisation'
  const supplier = people.suppliers[0]
  return {
    by: isSuppliers ? supplier.sro : people.manager,
    notification: {
      reference: event,
      keyKind,
      key: hash('sha256', spki, 'buffer'),
      keyIds: keyIdsOf(pki, keyKind),
      ...(isSuppliers && { party: supplier.party }),
      suspectedSince: new Date(now.getTime() - 86_400_000),
      asksFor: procedure,
    },
  }
}

function keyOf(pki: DrillPki, kind: KeyKind): Uint8Array {
  switch (kind) {
    case 'organisation':
      return pki.held.get('supplier-a {2,DS}')!.certificate.publicKey.spki
    case 'root':
      return pki.now.root.certificate.publicKey.spki
    case 'issuing':
      return pki.now.issuing.certificate.publicKey.spki
    case 'recovery':
      return pki.recoveryKeyOfDevices.publicKey
    default:
      return pki.contingency.publicKey
  }
}

/** The certificates that are Compromised by it, as Devices report them. */
function keyIdsOf(pki: DrillPki, kind: KeyKind): Buffer[] {
  const ids = (wanted: (name: string) => boolean) =>
    cellsOfHolders()
      .map(([name, cell]) => ({ name, held: pki.held.get(`${name} ${showCell(cell)}`)! }))
      .filter(({ name }) => wanted(name))
      .map(({ held }) => heldAs(held.certificate.der).keyId)
  switch (kind) {
    case 'organisation':
      return ids(name => name === 'supplier-a')
    case 'recovery':
      return ids(name => name === 'recovery')
    case 'issuing':
      return ids(() => true)
    default:
      return [heldAs(pki.now.root.certificate.der).keyId]
  }
}

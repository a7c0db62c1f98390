import { type Bytes, toHex } from '../ground/bytes.ts'
import { type Cell, showCell } from '../ground/gbcs/cell.ts'
import { unite } from '../ground/keystore/quorum.ts'
import { type ProcedureName, procedureOf, type RecoveryProcedure } from '../policy/recovery/cases.ts'
import { listSchedules } from '../policy/revocation/schedules.ts'
import type { AuthorityRecord } from '../rooms/authority/register.ts'
import { beginWave, countsOf, openIn, type Round, workRound } from '../rooms/recovery/campaign.ts'
import { quorumKept } from '../rooms/recovery/custodians.ts'
import type { Awake } from '../rooms/recovery/custody.ts'
import type { RecoveryHands } from '../rooms/recovery/hands.ts'
import { listWaiting } from '../rooms/recovery/intend.ts'
import { layDown, type NewReplacement } from '../rooms/recovery/replacements.ts'
import type { Signers } from '../rooms/recovery/signers.ts'
import { revocationKinds } from '../rooms/revocation/kinds.ts'
import { requestRevocation } from '../rooms/revocation/request.ts'
import { progressFiles } from './recovery-engine.ts'
import type { Field } from './recovery-field.ts'
import { drilled, type People } from './recovery-people.ts'
import {
  type Contingency,
  cellsOfHolders,
  type DrillPki,
  type Hierarchy,
  type HolderName,
  holders,
} from './recovery-pki.ts'

/** A drill under way. */
export interface Play {
  readonly hands: RecoveryHands
  readonly people: People
  readonly pki: DrillPki
  readonly field: Field
  readonly procedure: ProcedureName
  readonly event: string
  readonly folder: string
  /** Lets simulated time pass. */
  pass(minutes: number): void
  /** Called after each round of commands. */
  readonly tell: (counts: Awaited<ReturnType<typeof countsOf>>, sent: number) => void
  /** Commands and questions that left, as far as a round could say it; and rounds that were stopped. */
  readonly tally: { sent: number; stopped: number }
  /** Made on the way. */
  next?: Hierarchy
  nextContingency?: Contingency
  linked?: Bytes
  awake?: Awake | undefined
  readonly fresh: Map<string, Awaited<ReturnType<DrillPki['issue']>>>
  readonly revoked: { part: string; serial: string }[]
}

const rootCell: Cell = { role: 0, keyUsage: 'keyCertSign', cellUsage: 'management' }
const zeros = '0000000000000000'

/** The holders and cells whose certificates are issued anew. */
export function affected({ procedure }: Pick<Play, 'procedure'>): [HolderName, Cell][] {
  const all = cellsOfHolders()
  switch (procedure) {
    case 'method1':
    case 'method2':
    case 'method3':
      return all.filter(([name]) => name === 'supplier-a')
    case 'recovery':
      return all.filter(([name]) => name === 'recovery')
    case 'contingency':
      return []
    default:
      return all
  }
}

/** The procedure that is played, as it is set. */
export const procedureIn = ({ procedure, hands }: Pick<Play, 'procedure' | 'hands'>): RecoveryProcedure =>
  procedureOf(procedure, hands.recovery.curesRecovery)

/** The cells that a direction of the procedure names. */
export function cellsIn(of: Pick<Play, 'procedure' | 'hands'>): string[] {
  const cells = new Set(affected(of).map(([, cell]) => showCell(cell)))
  return procedureIn(of).dccKey === 'contingency' ? [showCell(rootCell), ...cells] : [...cells]
}

/** Lays down what a wave puts where. */
export async function layDownWave(of: Play, wave: number): Promise<void> {
  const { hands, people, pki, event, procedure } = of
  const now = of.next ?? pki.now
  const of1 = (name: HolderName, cell: Cell) => pki.held.get(`${name} ${showCell(cell)}`)!.certificate.der
  const fresh = (name: HolderName, cell: Cell) => of.fresh.get(`${name} ${showCell(cell)}`)!.certificate.der
  const placing = procedure === 'method2' && wave === 1
  const handing = procedure === 'method2' && wave === 2
  const replacements = affected(of).map(([name, cell]): NewReplacement => {
    const holder = holders[name].eui64
    const text = showCell(cell)
    const broker = { ...cell, role: 4, cellUsage: 'management' } as const
    if (placing) return { cell: text, holder, certificate: of1('broker', broker), goesTo: holders.broker.eui64 }
    if (handing) return { cell: text, holder: holders.broker.eui64, certificate: fresh(name, cell), goesTo: holder }
    return { cell: text, holder, certificate: fresh(name, cell) }
  })
  const isRootToo = cellsIn(of).includes(showCell(rootCell)) || procedure === 'contingency'
  const root = now.root.certificate.der
  if (isRootToo) replacements.push({ cell: showCell(rootCell), holder: zeros, certificate: root })
  const issuing = placing ? pki.now.issuing : now.issuing
  const path = procedure === 'contingency' ? [of.linked!] : [issuing.certificate.der]
  await layDown(hands, people.clerk, event, wave, replacements, {
    path,
    root: procedure === 'contingency' ? pki.now.root.certificate.der : root,
  })
}

/** A process that ended in the middle of a round. */
export class Stopped extends Error {}

/** Simulated time between two progress files. */
const progressMs = 3_600_000

/** Rounds of a minute each, until every Device is settled; a round that was stopped is begun anew. */
export async function sendAll(of: Play): Promise<void> {
  const { hands, people, pki, field, event } = of
  const { pace } = await beginWave(hands, people.manager, event)
  const signers = (): Signers => ({ parties: pki.parties, broker: pki.broker, awake: of.awake })
  let reported = hands.clock().getTime()
  const report = async () => {
    const { sign } = await pki.fileSigning()
    await progressFiles({ hands, event, sender: 'Drill DCC', sign })
    reported = hands.clock().getTime()
  }
  for (;;) {
    const round = await workRound(hands, event, signers(), field.carrier, pace).catch(cause => {
      if (!(cause instanceof Stopped)) throw cause
      of.tally.stopped++
      return { sent: 0, believed: 0, refused: {} } satisfies Round as Round
    })
    of.tally.sent += round.sent
    if (round.held) await listWaiting(hands, event, round.held.message)
    const counts = await countsOf(hands.store, event)
    of.tell(counts, of.tally.sent)
    if (openIn(counts) === 0) return report()
    if (hands.clock().getTime() - reported >= progressMs) await report()
    of.pass(1)
  }
}

/** Requested by a Manager, verified and approved by others. */
export async function revokeOne(
  { hands, people, pki, revoked }: Play,
  authority: AuthorityRecord,
  serial: Bytes,
  part: string,
  ground: 'key compromise' | 'CA compromise' | 'replaced',
): Promise<void> {
  const revoking = { ...hands, revocation: pki.settings.revocation, schedules: listSchedules(pki.settings) }
  const certificate = { authority: authority.id, serial: toHex(serial) }
  const opened = await requestRevocation(revoking, people.manager, { certificate, ground }, { evidence: drilled })
  await people.decide(opened, revocationKinds(revoking))
  revoked.push({ part, serial: toHex(serial) })
}

/** Opens the store of the contingency keys with shares, for making or destroying keys in it. */
export async function withContingencyStore(
  { hands, pki }: Play,
  work: (store: ReturnType<ReturnType<DrillPki['open']>>) => Promise<void>,
): Promise<void> {
  const quorum = await hands.store.transaction(client => quorumKept(client, 'contingency key'))
  const envelopes = pki.envelopes.get('contingency key')!.slice(0, quorum.threshold)
  const passphrase = await unite(quorum, envelopes)
  const store = pki.open('contingency key')(passphrase)
  passphrase.fill(0)
  pki.contingencyStore = store
  try {
    await work(store)
  } finally {
    store.close()
    pki.contingencyStore = undefined
  }
}

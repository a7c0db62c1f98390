/** The program that carries a recovery out: round after round, with a key awake or without, until every Device is settled. */

import { Refusal } from '../ground/refusal.ts'
import type { Store } from '../ground/store/store.ts'
import { type Counts, countsOf, openIn, type Round, workRound } from '../rooms/recovery/campaign.ts'
import type { Awake } from '../rooms/recovery/custody.ts'
import { eventOf, procedureIn } from '../rooms/recovery/event.ts'
import {
  type OutgoingFile,
  organisationProgress,
  otherProgress,
  type SignFile,
} from '../rooms/recovery/exchange.ts'
import type { RecoveryHands } from '../rooms/recovery/hands.ts'
import type { Carrier } from '../rooms/recovery/send.ts'
import type { Signers } from '../rooms/recovery/signers.ts'

export interface Engine {
  readonly hands: RecoveryHands
  readonly event: string
  readonly signers: Pick<Signers, 'parties' | 'broker'>
  readonly awake?: Awake | undefined
  readonly carrier: Carrier
  /** Milliseconds between rounds. */
  readonly every: number
  /** Milliseconds between progress files; one is made at the end in any case. */
  readonly progressEvery: number
  /** Stands in the header of our files. */
  readonly sender: string
  readonly sign: SignFile
  /** Is handed every progress file. */
  readonly put: (file: OutgoingFile) => void
  readonly tell: (counts: Counts, round: Round) => void
  /** Ends the work between two rounds. */
  readonly stopped: AbortSignal
}

/** Why the work ended. */
export type Ended =
  | { readonly because: 'settled' | 'stopped' | 'closed' }
  /** A person has to act: what is left are Devices that wait for a command which nobody may give just now. */
  | { readonly because: 'held'; readonly refusal: Refusal }

/**
 * Works until every Device is recovered and proven so, or listed; until it is stopped, or the event is closed; or until
 * nothing goes on without a person. The key that is awake is put to sleep by the caller, in every case.
 */
export async function runEngine(engine: Engine): Promise<Ended> {
  const { hands, event, carrier, every, stopped } = engine
  const signers: Signers = { ...engine.signers, awake: engine.awake }
  let reported = 0
  const report = async () => {
    for (const file of await progressFiles(engine)) engine.put(file)
    reported = hands.clock().getTime()
  }
  for (;;) {
    if (stopped.aborted) return { because: 'stopped' }
    const { state, pace } = await eventOf(hands.store, event)
    if (state === 'closed') return { because: 'closed' }
    const allowance = Math.max(1, Math.ceil((pace * every) / 60_000))
    const round = await roundOf(engine, signers, allowance)
    const counts = await countsOf(hands.store, event)
    engine.tell(counts, round)
    const isHeld = round.held !== undefined && openIn(counts) === counts.pending + counts.commanded
    if (openIn(counts) === 0 || isHeld) {
      // What came last is put on record by asking once more.
      await carrier.received()
      await report()
      return isHeld && round.held ? { because: 'held', refusal: round.held } : { because: 'settled' }
    }
    if (hands.clock().getTime() - reported >= engine.progressEvery) await report()
    await pause(every, stopped)
  }
}

/** A refusal of signing is no fault: what was written down waits, and what can go on without the key goes on. */
async function roundOf(engine: Engine, signers: Signers, allowance: number): Promise<Round> {
  try {
    return await workRound(engine.hands, engine.event, signers, engine.carrier, allowance)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return { believed: 0, refused: {}, sent: 0, held: cause }
  }
}

/** For the Subscriber, where it is about its key; for the SMKI PMA in any case. */
export async function progressFiles({
  hands,
  event,
  sender,
  sign,
}: Pick<Engine, 'hands' | 'event' | 'sender' | 'sign'>): Promise<OutgoingFile[]> {
  const of = await eventOf(hands.store, event)
  const files: OutgoingFile[] = []
  if (of.keyKind === 'organisation' && procedureIn(of))
    files.push(await organisationProgress(hands, event, sender, sign))
  return [...files, await otherProgress(hands, event, sender, sign)]
}

/** One at a time works on an event: what its carrier has taken is its own. @throws Refusal RECOVERY_RUNS */
export async function aloneOn<T>(store: Store, event: string, work: () => Promise<T>): Promise<T> {
  return store.transaction(async client => {
    const { rows } = await client.query<{ got: boolean }>(
      "SELECT pg_try_advisory_xact_lock(hashtext('opensmki recovery ' || $1)) AS got",
      [event],
    )
    if (!rows[0]!.got) throw new Refusal('RECOVERY_RUNS', `another program works on ${event}: stop it first`)
    return work()
  })
}

function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      stopped.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    stopped.addEventListener('abort', done)
  })
}

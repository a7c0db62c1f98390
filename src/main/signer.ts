/** A signer process: it has the issuing authorities' keys, and no listener that the world can reach. The first is the lead. */

import type { Logger } from 'pino'
import { Refusal } from '../ground/refusal.ts'
import { type Connection, openStore, type Store } from '../ground/store/store.ts'
import type { Settings } from '../policy/settings.ts'
import type { Hands } from '../rooms/authority/issue-one.ts'
import { portionsWait, recover } from '../rooms/issuance/portion.ts'
import { counting, marksIn, rememberStore } from './epoch.ts'
import { requireWhole } from './epoch-compare.ts'
import { epochLog, publishLogKey } from './epoch-log.ts'
import type { Home } from './home.ts'
import { inventoryOf } from './inventory.ts'
import { openKeyStore } from './key-stores.ts'
import { every } from './signer-every.ts'
import { startLead } from './signer-lead.ts'
import { bePresent, type Presence } from './signer-presence.ts'
import { startThreads, type Threads } from './signer-threads.ts'
import { systemChance, systemClock } from './world.ts'

export interface SignerStart {
  /** 1, the default, is the lead, of which there is one to a store. The others take portions and single requests only. */
  readonly number?: number
  readonly home: Home
  readonly settings: Settings
  readonly target: Connection | string
  /** A folder that only we can enter; the sockets of the threads lie there. */
  readonly run: string
  readonly passphrase: Uint8Array
  readonly log: Logger
  /** Is told when each of its tasks was done. */
  readonly done?: ((task: string, at: Date) => void) | undefined
}

export interface Signer {
  /** Where doors ask for single certificates. */
  readonly sockets: readonly string[]
  close(): Promise<void>
}

/** @throws Refusal SIGNER_RUNS when another lead works on this store; STORE_WENT_BACK; KEYSTORE_…; CLOCK_BEHIND */
export async function startSigner(start: SignerStart): Promise<Signer> {
  const { number = 1, home, settings, target, log } = start
  const store = await openStore(target, { max: number === 1 ? 4 : 2 })
  const hands: Hands = { store, clock: systemClock, chance: systemChance }
  const presence = await bePresent(target, number, systemClock)
  void presence.lost.then(why => {
    // Others take over what we have in hand, and may destroy keys that we still hold.
    log.fatal({ why }, 'this signer cannot say any more that it is there, and ends')
    process.exit(1)
  })
  const epoch = number === 1 ? await epochOf(home, settings, store) : undefined
  const opened = openKeyStore(home, settings, 'issuing', start.passphrase)
  const keys = epoch ? counting(opened, epoch.marks) : opened
  const { kind, certificate } = settings.keyStore
  log.info({ identity: keys.identity, kind, ...(certificate !== '' && { certificate }) }, 'the key store is open')
  const seen = await newest(store)
  if (seen && seen.getTime() - systemClock().getTime() > 1000) {
    throw new Refusal(
      'CLOCK_BEHIND',
      `the clock says ${systemClock().toISOString()}, but certificates were issued at ${seen.toISOString()}: set the clock right`,
    )
  }
  if (epoch) {
    const found = await recover(hands)
    if (found.portions + found.signings > 0) log.warn(found, 'work that was cut short is taken up again')
  }

  // Each thread reads it for itself; one that cannot be read is refused here, in words.
  inventoryOf(home.path, settings.registration.smiStatuses, () => {})
  const { id } = presence
  const threads = await startThreads({ ...start, number, home: home.path, seen, grant: keys.grant(), signer: id })
  const present = every(1000, () => reported(presence, threads, start.done), log)
  const working = epoch
    ? await startLead({ hands, settings, keys, threads, log, epoch, done: start.done })
    : takePortions(hands, threads, log, start.done)
  return {
    sockets: threads.sockets,
    async close() {
      // What they have in hand is taken up at the next start; nothing is signed any more.
      await threads.close()
      await working()
      await present()
      keys.close()
      await presence.close()
      await store.close()
    },
  }
}

/** What the lead alone keeps: the marks beside the keys, and the name of the journal's log. */
async function epochOf(home: Home, settings: Settings, store: Store) {
  const marks = marksIn(home.marks)
  const log = await epochLog(store, settings)
  await requireWhole(store, marks, log.name)
  await publishLogKey(home, log)
  await rememberStore(store, marks, log.epoch)
  return { marks, log }
}

async function newest(store: Store): Promise<Date | undefined> {
  const { rows } = await store.query<{ at: Date | null }>('SELECT at FROM signing ORDER BY id DESC LIMIT 1')
  return rows[0]?.at ?? undefined
}

/** Each second: we are there, and of keys that sign no more our threads give up what they hold. */
async function reported(presence: Presence, threads: Threads, done: SignerStart['done']): Promise<void> {
  const exhausted = await presence.report(threads.givenUp())
  if (exhausted) threads.retire(exhausted)
  done?.('presence', systemClock())
}

const busyMs = 25
const idleMs = 250
/** The next portions of a batch come by themselves; of a new batch the lead's first portions are taken meanwhile. */
const busyForMs = 5000

/** As the lead looks for work while there is some; more slowly when there was none for a while. */
function takePortions(hands: Hands, threads: Threads, log: Logger, done: SignerStart['done']): () => Promise<void> {
  let found = Number.NEGATIVE_INFINITY
  const rest = () => (performance.now() - found < busyForMs ? busyMs : idleMs)
  const look = async () => {
    if (await portionsWait(hands.store, hands.clock())) {
      found = performance.now()
      if (!threads.held()) threads.portions()
    }
    done?.('portions', hands.clock())
  }
  return every(rest, look, log)
}

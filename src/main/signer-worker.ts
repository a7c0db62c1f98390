/** One thread of the signer: takes portions of batches and groups of single requests, and issues them. */

import { parentPort, workerData } from 'node:worker_threads'
import type { SigningAnswer, SigningQuestion } from '../doors/device-csr/signing.ts'
import { serveChannel } from '../ground/channel.ts'
import { forwardClock } from '../ground/clock.ts'
import { attachKeyStore, type KeyStoreGrant } from '../ground/keystore/attach.ts'
import { Refusal } from '../ground/refusal.ts'
import { type Connection, openStore } from '../ground/store/store.ts'
import { hierarchies, profileNamed } from '../policy/hierarchies.ts'
import type { Settings } from '../policy/settings.ts'
import type { DeviceCode } from '../policy/smki-device/codes.ts'
import { type Arrived, asTheyCome } from '../rooms/issuance/as-they-come.ts'
import { parse } from '../rooms/issuance/batch.ts'
import { type Eligibility, eligibilityFor, eligibilityOfEach } from '../rooms/issuance/device-eligible.ts'
import { admitOrRefuseAside, deviceIssuing, issueDevices } from '../rooms/issuance/issue.ts'
import { issuingDcas } from '../rooms/issuance/issuing-dcas.ts'
import { issuePortion, PortionLost, releasePortion, takePortion } from '../rooms/issuance/portion.ts'
import { notNow, type RoomAnswer, type RoomQuestion } from '../rooms/issuance/signing.ts'
import { SigningLost } from '../rooms/repository/register.ts'
import { watchStops } from '../rooms/revocation/stops.ts'
import { inventoryOf } from './inventory.ts'
import { roomSigning } from './signer-rooms.ts'
import { stoppedBySuspension } from './stopped.ts'
import { systemChance, systemClock } from './world.ts'

export interface WorkerStart {
  /** Of the thread, beginning with the number of its process. */
  readonly name: string
  /** What the process is known by (issuance/signers.ts). */
  readonly signer: number
  readonly target: Connection | string
  readonly grant: KeyStoreGrant
  readonly settings: Settings
  readonly socket: string
  /** The home, where an inventory may lie. */
  readonly home: string
  /** The instant of the newest certificate: the clock must be past it. */
  readonly seen: Date | undefined
}

/** To the worker. */
export type Order =
  | { readonly order: 'portions' }
  | { readonly order: 'parse'; readonly batch: bigint }
  | { readonly order: 'retire'; readonly authority: number }
  | { readonly order: 'reload' }
  | { readonly order: 'answer'; readonly question: RoomQuestion }

/** From the worker. `held`: nothing can be issued for now, and why. */
export type Report =
  | { readonly report: 'ready' }
  | { readonly report: 'idle' }
  | { readonly report: 'parsed'; readonly batch: bigint; readonly state: string | undefined }
  | { readonly report: 'retired'; readonly authority: number }
  | { readonly report: 'held'; readonly why: string }
  | { readonly report: 'fault'; readonly fault: string }

const start = workerData as WorkerStart
const port = parentPort!
const tell = (report: Report) => port.postMessage(report)

const { issuing } = start.settings
const device = hierarchies(start.settings)['smki-device']
const store = await openStore(start.target, { max: 4 })
const keys = attachKeyStore(start.grant, systemChance, systemClock)
const clock = forwardClock(systemClock, 1000, start.seen)
const hands = { store, clock, chance: systemChance }
const stops = await watchStops(store, clock, fault => tell({ report: 'fault', fault }))
const authorities = issuingDcas(
  hands,
  keys,
  profileNamed(start.settings, 'Device Certificate'),
  device.issuing.keyUse!,
  64,
  authority => stops.stopped({ authority }),
)
const devices = deviceIssuing(hands, authorities, start.signer)
const rooms = roomSigning(
  { ...hands, rules: start.settings.registration },
  keys,
  start.settings,
  stoppedBySuspension,
)
const inventory = inventoryOf(start.home, start.settings.registration.smiStatuses, fault =>
  tell({ report: 'fault', fault }),
)
const eligibilityOf = (party: number, by?: 'ADHOC_WS') =>
  eligibilityFor(store, start.settings.registration, inventory, party, by)
const retiring: (() => void)[] = []
let busy = 0

/** Everything that signs goes through here, so that a key can be given up when nothing uses it. */
async function signing<T>(work: () => Promise<T>): Promise<T> {
  busy++
  try {
    return await work()
  } finally {
    busy--
    if (busy === 0) for (const retire of retiring.splice(0)) retire()
  }
}

// ---- batches: two portions at a time, so that one is signed while the other waits for the store

const lanes = 2
const pauseMs = 500
let running = 0

async function portions(lane: number): Promise<void> {
  const worker = `${start.name}/${lane}`
  try {
    for (;;) {
      const portion = await takePortion(hands, worker)
      if (!portion) break
      try {
        const rules = { threshold: issuing.deviceThreshold, knownDevicesOnly: false }
        // What is stopped for everybody waits; a Party that is stopped is told so for each request.
        const forAll = stops.stopped({ interface: 'BATCH_WS' })
        if (forAll) throw forAll
        const stopped = stops.stopped({ interface: 'BATCH_WS', party: portion.party })
        await signing(() => issuePortion(devices, portion, worker, rules, stopped, eligibilityOf(portion.party)))
      } catch (cause) {
        if (cause instanceof PortionLost || cause instanceof SigningLost) continue
        // The portion goes back, and is tried again by whoever comes first; nothing of it was issued.
        await releasePortion(store, portion, worker, { counts: !isHold(cause) })
        tell(troubled(cause))
        if (isHold(cause)) break
        // Whatever is wrong may be right in a moment; tries without a pause would all meet the same trouble.
        await new Promise(resolve => setTimeout(resolve, pauseMs))
      }
    }
  } catch (cause) {
    tell(troubled(cause))
  } finally {
    running--
    if (running === 0) tell({ report: 'idle' })
  }
}

const holds = ['NO_ISSUING_DCA', 'MODULE_UNAVAILABLE', 'WF:SUSP']

/** No fault of the request: the stock is used up, the module is away, a direction stops it, or the clock is wrong. */
function isHold(cause: unknown): boolean {
  return (cause instanceof Refusal && holds.includes(cause.code)) || (cause as Error).name === 'ClockWentBack'
}

function isSuspension(cause: unknown): SigningAnswer | undefined {
  return cause instanceof Refusal && cause.code === 'WF:SUSP' ? { code: 'WF:SUSP', text: cause.message } : undefined
}

function troubled(cause: unknown): Report {
  return isHold(cause)
    ? { report: 'held', why: (cause as Error).message }
    : { report: 'fault', fault: describe(cause) }
}

// ---- single requests

/** Read when it comes, and proven to be its signer's beside this thread, while the groups before it are issued. */
interface Read {
  readonly question: SigningQuestion
  readonly admitted: Awaited<ReturnType<typeof admitOrRefuseAside>>
}
type Waiting = Arrived<Read, SigningAnswer>

const together = asTheyCome<Read, SigningAnswer>(group => signing(() => issueGroup(group)))
const ask = async (question: SigningQuestion) =>
  together({ question, admitted: await admitOrRefuseAside(question.csr) })

async function issueGroup(group: readonly Waiting[]): Promise<void> {
  try {
    const outcomes = await issueDevices(devices, {
      requests: group.map(({ question: { question } }) => question.csr),
      admitted: n => group[n]!.question.admitted,
      ineligible: n => {
        const { party, eligible } = group[n]!.question.question
        return stops.stopped({ interface: 'ADHOC_WS', party }) ?? (eligible ? undefined : notEligible)
      },
      eligibility: issuing.eligibilityOnAdHoc ? adHocEligibility(group) : undefined,
      rules: { threshold: issuing.deviceThreshold, knownDevicesOnly: true },
      says: {
        channel: 'ADHOC_WS',
        transactions: group.map(({ question: { question } }) => `${question.transaction} ${question.party}`),
      },
    })
    group.forEach(({ answer }, i) => {
      const outcome = outcomes[i]!
      answer(
        'refusal' in outcome
          ? { code: outcome.refusal.code, text: outcome.refusal.message }
          : { certificate: outcome.der },
      )
    })
  } catch (cause) {
    tell(troubled(cause))
    const text = 'The certification authority could not sign; please try again'
    for (const { answer } of group) answer(isSuspension(cause) ?? { code: 'CA:FF1', text })
  }
}

/** L3.16 for each request by its own Party, where SVC-A03 is on. */
function adHocEligibility(group: readonly Waiting[]): Eligibility {
  const each = eligibilityOfEach(
    group.map(({ question: { question } }) => question.party),
    party => eligibilityOf(party, 'ADHOC_WS'),
  )
  return async deviceIds => (await each(deviceIds)).map(reason => reason && notEligible)
}

/** SVC-A04: INELIGIBLE is no status of the Ad Hoc service. */
const notEligible = new Refusal<DeviceCode>(
  'CA:EE2',
  'the requester is not an Eligible Subscriber; the Registration Authority must act first',
)

// ---- Organisation and IKI Certificates

async function askRooms(question: RoomQuestion): Promise<RoomAnswer> {
  try {
    return await signing(() => rooms(question))
  } catch (cause) {
    tell(troubled(cause))
    return notNow
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
}

// ---- orders

port.on('message', async (order: Order) => {
  if (order.order === 'portions') {
    for (; running < lanes; running++) void portions(running)
  } else if (order.order === 'parse') {
    try {
      const state = await parse(hands, order.batch)
      tell({ report: 'parsed', batch: order.batch, state })
    } catch (cause) {
      tell({ report: 'parsed', batch: order.batch, state: undefined })
      tell({ report: 'fault', fault: describe(cause) })
    }
  } else if (order.order === 'answer') {
    await askRooms(order.question)
  } else if (order.order === 'reload') {
    keys.reload()
  } else {
    const retire = () => {
      authorities.forget(order.authority)
      tell({ report: 'retired', authority: order.authority })
    }
    if (busy === 0) retire()
    else retiring.push(retire)
  }
})

await serveChannel<SigningQuestion | RoomQuestion, SigningAnswer | RoomAnswer>(start.socket, question =>
  'ask' in question ? askRooms(question) : ask(question),
)
tell({ report: 'ready' })

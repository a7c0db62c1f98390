/** The real issuing of Device Certificates, turn by turn with its journal and with the journal taken out of it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDeviceCsr } from '../simulator/device.ts'
import { entry } from '../src/ground/journal/entry.ts'
import { integrate, type Memory } from '../src/ground/journal/journal.ts'
import { leafHash, rootOf } from '../src/ground/journal/merkle.ts'
import { readPassphraseFile } from '../src/ground/keystore/passphrase.ts'
import { openSoftwareKeyStore } from '../src/ground/keystore/software.ts'
import type { Client, Statement, Store } from '../src/ground/store/store.ts'
import { journalKey, journalVerifier } from '../src/main/ceremony.ts'
import { homeAt } from '../src/main/home.ts'
import { init } from '../src/main/init.ts'
import { openHomeStore, systemChance, systemClock } from '../src/main/world.ts'
import { hierarchies, profileNamed } from '../src/policy/hierarchies.ts'
import { asTheyCome } from '../src/rooms/issuance/as-they-come.ts'
import { type DeviceIssuing, deviceIssuing, issueDevices } from '../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../src/rooms/issuance/issuing-dcas.ts'
import type { Context } from './bench.ts'
import { type Watch, watch } from './processes.ts'

export interface Compared extends Record<string, number> {
  readonly withoutPerSecond: number
  readonly withPerSecond: number
  readonly longerPercent: number
  readonly moreCpuPercent: number
}

/** Without bounds on a key: it is the journal that is measured. */
const rules = { threshold: 1000, knownDevicesOnly: false }

/** Requests that are written down, signed and kept together, as `issuing.portion` has it by default. */
const group = 1000

/** Requests under way at a time, when they come singly. */
const together = 8

/**
 * Each round issues as many certificates with the journal as without, in turns of changing order. With it, the
 * integrator runs as it does in the signer, on the same thread, and ends within the time; without it, entries are
 * neither written nor integrated, and the time that computing them took is taken off.
 */
export async function issuingWithAndWithout(
  { folder, signal, say }: Context,
  { rounds, groups, singles }: { rounds: number; groups: number; singles: number },
): Promise<{ batch: Compared; single: Compared }> {
  say('holding the key ceremony of an environment')
  const home = homeAt(join(folder, 'home'))
  const total = 2 * (rounds + 1) * (groups * group + singles)
  const settings = await init(home, {
    environment: 'bench',
    kind: 'test',
    with: [],
    settings: { certificates: { issuingDcaStock: 2 + Math.ceil(total / 50_000) } },
    log2N: 10,
    witness: () => {},
  })
  const opened = await openHomeStore(home, { share: false, max: together + 4 })
  const passphrase = readPassphraseFile(home.issuingPassphrase)
  const keys = openSoftwareKeyStore({ path: home.issuingKeys, passphrase, chance: systemChance, allowWeak: true })
  const postmaster = Number(readFileSync(join(home.store, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
  const processes = watch({ bench: process.pid }, postmaster)
  try {
    const memory: Memory = {}
    const integrated = () =>
      integrate({
        store: opened.store,
        at: systemClock(),
        memory,
        ...journalVerifier(settings, keys),
        sign: octets => keys.sign(journalKey, octets),
      })
    const issuingOn = (store: Store) => {
      const hands = { store, clock: systemClock, chance: systemChance }
      const profile = profileNamed(settings, 'Device Certificate')
      const keyUse = hierarchies(settings)['smki-device'].issuing.keyUse!
      return deviceIssuing(hands, issuingDcas(hands, keys, profile, keyUse, group))
    }
    const sides = { with: issuingOn(opened.store), without: issuingOn(unjournalled(opened.store)) }
    const compare = async (what: string, count: number, work: Work) => {
      const turns: Turn[] = []
      // The first turn of each is not counted: statements are prepared, tables are new.
      for (let round = -1; round < rounds; round++) {
        signal.throwIfAborted()
        say(`${what}: round ${round + 1} of ${rounds}`)
        const order = round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)
        for (const side of order) {
          const requests = Array.from({ length: count }, nextCsr)
          groupsMade = 0
          const turn = await timed(processes, () =>
            underJournal(side === 'with', integrated, () => work(sides[side], requests)),
          )
          const size = work === inGroups ? group : Math.max(1, Math.round(count / groupsMade))
          const computing = side === 'without' ? computed(turn.found, size) : 0
          if (round >= 0)
            turns.push({ side, seconds: turn.seconds - computing, cpuSeconds: turn.cpuSeconds - computing, count })
        }
      }
      return compared(turns)
    }
    // Of single requests: as the signer's thread takes them.
    let groupsMade = 0
    const inGroups: Work = async (devices, requests) => {
      const found: Buffer[] = []
      for (let at = 0; at < requests.length; at += group) {
        const portion = requests.slice(at, at + group)
        // As a portion of a batch: its own rows go into the same transactions.
        found.push(...(await issued(devices, portion, { intending: async () => {}, keeping: async () => {} })))
      }
      return found
    }
    const singly: Work = async (devices, requests) => {
      const found: Buffer[] = []
      const rest = requests.values()
      const ask = asTheyCome<Buffer, Buffer | Error>(async group => {
        groupsMade++
        const requested = group.map(one => one.question)
        const ders = await issued(devices, requested, {}).catch((cause: Error) => cause)
        for (const [i, { answer }] of group.entries()) answer(ders instanceof Error ? ders : ders[i]!)
      })
      const worker = async () => {
        for (const request of rest) {
          const der = await ask(request)
          if (der instanceof Error) throw der
          found.push(der)
        }
      }
      await Promise.all(Array.from({ length: together }, worker))
      return found
    }
    return {
      batch: await compare('in groups', groups * group, inGroups),
      single: await compare('singly', singles, singly),
    }
  } finally {
    processes.stop()
    keys.close()
    await opened.close()
  }
}

type Work = (devices: DeviceIssuing, requests: readonly Buffer[]) => Promise<Buffer[]>

async function issued(devices: DeviceIssuing, requests: readonly Buffer[], more: object): Promise<Buffer[]> {
  const outcomes = await issueDevices(devices, { requests, rules, says: { party: 7, channel: 'bench' }, ...more })
  return outcomes.map(one => {
    if ('refusal' in one) throw one.refusal
    return one.der
  })
}

/** The integrator beside the work, four times a second as in the signer, and once more at its end. */
async function underJournal<T>(on: boolean, integrated: () => Promise<number>, work: () => Promise<T>): Promise<T> {
  if (!on) return work()
  let working = true
  let wake = () => {}
  const beside = (async () => {
    while (working) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, 250)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      await integrated()
    }
  })()
  const found = await work()
  working = false
  wake()
  await beside
  return found
}

/** What issuing computes for its entries: two roots and two texts a group. Seconds. */
function computed(found: readonly Buffer[], group: number): number {
  const began = performance.now()
  for (let at = 0; at < found.length; at += group) {
    const one = found.slice(at, at + group)
    for (const act of ['intend', 'issue']) {
      const root = Buffer.from(rootOf(one.map(leafHash))).toString('hex')
      entry(act, systemClock(), { party: 7, channel: 'bench', count: one.length, signing: String(at), root })
    }
  }
  return (performance.now() - began) / 1000
}

interface Turn {
  readonly side: 'with' | 'without'
  readonly seconds: number
  readonly cpuSeconds: number
  readonly count: number
}

async function timed<T>(processes: Watch, work: () => Promise<T>) {
  processes.mark()
  const began = performance.now()
  const found = await work()
  const seconds = (performance.now() - began) / 1000
  const spent = Object.values(processes.usage().cpuSeconds)
  return { found, seconds, cpuSeconds: spent.reduce((sum, one) => sum + one, 0) }
}

function compared(turns: readonly Turn[]): Compared {
  const of = (side: Turn['side']) => turns.filter(turn => turn.side === side)
  const [on, off] = [of('with'), of('without')]
  const sum = (all: readonly Turn[], what: 'seconds' | 'count') =>
    all.reduce((before, turn) => before + turn[what], 0)
  // Whatever else the machine does falls upon one turn or the other: the median over pairs forgets it.
  const more = (what: 'seconds' | 'cpuSeconds') => {
    const pairs = on.map((turn, at) => 100 * (turn[what] / off[at]![what] - 1)).sort((a, b) => a - b)
    return (pairs[Math.floor((pairs.length - 1) / 2)]! + pairs[Math.floor(pairs.length / 2)]!) / 2
  }
  return {
    withoutPerSecond: sum(off, 'count') / sum(off, 'seconds'),
    withPerSecond: sum(on, 'count') / sum(on, 'seconds'),
    longerPercent: more('seconds'),
    moreCpuPercent: more('cpuSeconds'),
  }
}

/** What issuing says to the journal in the statements of others. If it said it otherwise, this must follow. */
const spoken: Readonly<Record<string, readonly [string, string]>> = {
  intend_at_once: ['INSERT INTO journal_pending (octets) VALUES ($5)', 'SELECT $5::bytea'],
  keep_at_once: [
    'INSERT INTO journal_pending (octets) SELECT octets FROM kept, unnest($4::bytea[]) AS given (octets)',
    'SELECT $4::bytea[]',
  ],
}

/** A store that hears nothing of the journal: the same statements without its rows. */
function unjournalled(store: Store): Store {
  const mute = (statement: Statement): Statement => {
    if (typeof statement === 'string') return statement
    const change = spoken[statement.name ?? '']
    if (change === undefined) return statement
    const text = statement.text.replace(change[0], change[1])
    if (text === statement.text) throw new Error(`${statement.name} does not write to the journal as it did`)
    return { ...statement, name: `${statement.name} without the journal`, text }
  }
  return {
    ...store,
    query: (statement, values) => store.query(mute(statement), values),
    transaction: (work, options) => store.transaction(client => work(muted(client)), options),
  }
}

function muted(client: Client): Client {
  return new Proxy(client, {
    get(of, name) {
      const found = Reflect.get(of, name, of) as unknown
      if (name !== 'query') return typeof found === 'function' ? found.bind(of) : found
      return (...args: [Statement, ...unknown[]]) => {
        const [statement] = args
        const isAppend = typeof statement === 'object' && statement.name === 'journal append'
        return isAppend
          ? Promise.resolve({ rows: [{ id: 0n }] })
          : (of.query as (...all: unknown[]) => unknown)(...args)
      }
    },
  })
}

let devices = 1n
function nextCsr(): Buffer {
  const deviceId = (0x02e0_0000_0000_0000n + devices++).toString(16).padStart(16, '0')
  return makeDeviceCsr({ deviceId, usage: 'digitalSignature' }).csr
}

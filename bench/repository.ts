/** Retrievals a second from the Repository over TLS, beside what bare SELECTs and a bare TLS echo reach in the same run. */

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { makeDeviceCsr } from '../simulator/device.ts'
import { openSoftwareKeyStore } from '../src/ground/keystore/software.ts'
import { type Connection, openStore, type Store } from '../src/ground/store/store.ts'
import { type Home, homeAt } from '../src/main/home.ts'
import { init } from '../src/main/init.ts'
import { tlsFiles } from '../src/main/tls-ca.ts'
import { openHomeStore, systemChance, systemClock } from '../src/main/world.ts'
import { hierarchies, profileNamed } from '../src/policy/hierarchies.ts'
import type { Settings } from '../src/policy/settings.ts'
import { issueDevices } from '../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../src/rooms/issuance/issuing-dcas.ts'
import { bySerial } from '../src/rooms/repository/by-serial.ts'
import { howMany } from '../src/rooms/repository/find.ts'
import { bench, type Context, rounded, shown } from './bench.ts'
import { startChild } from './child.ts'
import type { DoorOrder, DoorPorts, DoorUsage } from './repository-door.ts'
import { isAnswered, isEchoed, type Rate, roundTrips } from './round-trips.ts'
import { type Drawn, draw, questions } from './sample.ts'

type RepositoryFigures = Readonly<Record<string, number>>

export const repository = bench({
  says: 'retrievals a second from the Repository over TLS, beside bare SELECTs and a bare TLS echo',
  options: { home: '', count: 10_000, certificates: 2000 },
  quick: { count: 1000, certificates: 200 },
  promises: [
    {
      says: 'retrievals from the Repository, 32 connections',
      unit: '/s',
      atLeast: 5000,
      figure: (one: RepositoryFigures) => one.retrievalsPerSecond32,
      beside: one => `bare TLS echo ${shown(one.echoesPerSecond32!)}/s, SELECTs ${shown(one.selectsPerSecond!)}/s`,
    },
  ],
  run: run,
  table: (figures: RepositoryFigures) =>
    Object.entries(figures).map(([name, figure]) => [name, shown(figure, figure < 100 ? 3 : 0)]),
})

interface Sizes {
  /** An environment that has certificates; by default one is made. */
  readonly home: string
  /** Retrievals with each number of connections, SELECTs, and echoes. */
  readonly count: number
  /** Of an environment that is made: two for each Device. */
  readonly certificates: number
}

/**
 * The door runs in a process of its own, as it does in service; the store in its processes; the clients in this one.
 * @returns per second: `retrievalsPerSecond<connections>`, `echoesPerSecond<connections>`, `selectsPerSecond`; in
 * milliseconds: `p50Ms<connections>`, `p99Ms<connections>`; of the door: `peakMemoryMiB`, `cpuMicrosecondsEach`.
 */
async function run({ home: path, count, certificates }: Sizes, context: Context): Promise<RepositoryFigures> {
  const home = homeAt(path === '' ? join(context.folder, 'home') : resolve(path))
  const settings = path === '' ? await makeHome(home) : undefined
  const opened = await openHomeStore(home, { share: path !== '' })
  try {
    if (settings) await fill(home, settings, opened.store, certificates)
    const drawn = await draw(opened.store, Math.min(count, 20_000))
    const figures = {
      certificates: await howMany(opened.store),
      ...(await measured(home, opened.target, drawn, count, context)),
    }
    return { ...figures, selectsPerSecond: await selects(opened.target, drawn, count) }
  } finally {
    await opened.close()
  }
}

const connections = [1, 8, 32] as const

async function measured(
  home: Home,
  target: Connection | string,
  drawn: readonly Drawn[],
  count: number,
  { signal, say }: Context,
): Promise<Record<string, number>> {
  const figures: Record<string, number> = {}
  const door = startChild('repository-door.ts', signal)
  try {
    const ports = await door.ask<DoorPorts>({ do: 'open', home: home.path, target } satisfies DoorOrder)
    const usage = () => door.ask<DoorUsage>({ do: 'usage' } satisfies DoorOrder)
    const { retrievals } = questions(home, drawn)
    const common = { ca: readFileSync(tlsFiles(home).ca), messages: retrievals }
    const ask = (clients: number, many: number): Promise<Rate> =>
      roundTrips({ ...common, port: ports.repository, connections: clients, count: many, whole: isAnswered })
    await ask(8, Math.ceil(count / 10))
    const before = await usage()
    for (const clients of connections) {
      say(`retrievals with ${clients} connections`)
      const { perSecond, p50, p99 } = await ask(clients, count)
      figures[`retrievalsPerSecond${clients}`] = rounded(perSecond)
      figures[`p50Ms${clients}`] = rounded(p50, 2)
      figures[`p99Ms${clients}`] = rounded(p99, 2)
    }
    const after = await usage()
    figures.cpuMicrosecondsEach = rounded((after.cpu - before.cpu) / (count * connections.length), 1)
    figures.peakMemoryMiB = rounded(after.memory, 1)
    for (const clients of connections) {
      const echo = { ...common, port: ports.echo, connections: clients, count, whole: isEchoed }
      figures[`echoesPerSecond${clients}`] = rounded((await roundTrips(echo)).perSecond)
    }
    return figures
  } finally {
    await door.end()
  }
}

async function makeHome(home: Home): Promise<Settings> {
  const services = { repositoryPort: 0, plainRepositoryPort: null }
  return init(home, {
    environment: 'bench',
    kind: 'test',
    with: [],
    log2N: 10,
    settings: { services },
    witness: () => {},
  })
}

/** Issues certificates. */
async function fill(home: Home, settings: Settings, store: Store, certificates: number): Promise<void> {
  const hands = { store, clock: systemClock, chance: systemChance }
  const passphrase = readFileSync(home.issuingPassphrase)
  const keys = openSoftwareKeyStore({ path: home.issuingKeys, passphrase, chance: systemChance, allowWeak: true })
  const { keyUse } = hierarchies(settings)['smki-device'].issuing
  const dcas = issuingDcas(hands, keys, profileNamed(settings, 'Device Certificate'), keyUse!, certificates)
  const rules = { threshold: 100, knownDevicesOnly: false }
  for (let from = 0; from < certificates; from += 500) {
    const requests = Array.from({ length: Math.min(500, certificates - from) }, (_, i) => {
      const deviceId = (0x02a1_0000_0000_0000n + BigInt((from + i) >> 1)).toString(16).padStart(16, '0')
      return makeDeviceCsr({ deviceId, usage: i % 2 === 0 ? 'digitalSignature' : 'keyAgreement' }).csr
    })
    for (const outcome of await issueDevices({ ...hands, authorities: dcas }, { requests, rules, says: {} }))
      if ('refusal' in outcome) throw outcome.refusal
  }
  keys.close()
}

async function selects(target: Connection | string, drawn: readonly Drawn[], count: number): Promise<number> {
  const store = await openStore(target, { max: 1 })
  const began = performance.now()
  for (let i = 0; i < count; i++) {
    const values = [drawn[i % drawn.length]!.serial]
    await store.query({
      name: 'bare',
      text: `SELECT c.tbs FROM certificate c WHERE ${bySerial('$1::bytea')}`,
      values,
    })
  }
  const seconds = (performance.now() - began) / 1000
  await store.close()
  return rounded(count / seconds)
}

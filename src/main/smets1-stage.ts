/** A DCO, an S1SP and a field of meters as programs of their own: for the demonstration, the benchmark and the tests that kill. */

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { deviceIdOf, factoryKeys, titleOf } from '../../simulator/meter/factory.ts'
import { type MeterModel, meterModel } from '../../simulator/meter/model.ts'
import type { FieldOrder, FieldReport, MeterNote } from '../../simulator/meter/program.ts'
import { progress } from '../doors/cli/progress.ts'
import { toHex } from '../ground/bytes.ts'
import type { KeyPair } from '../ground/keystore/pair.ts'
import { Refusal } from '../ground/refusal.ts'
import { keyedClients } from '../policy/symmetric/keys.ts'
import { fingerprintOf } from '../rooms/symmetric/hsm-package.ts'
import { type HandedOver, writeInheritedFile } from '../rooms/symmetric/inherited.ts'
import type { DcoPeer } from '../rooms/symmetric/peers.ts'
import { keepAddresses, takeOn } from '../rooms/symmetric/s1sp/devices.ts'
import type { DcoHome } from './dco-home.ts'
import { admitS1sp, initDco } from './dco-init.ts'
import { initS1sp, joinDco, type OpenedS1sp, type S1spHome } from './s1sp.ts'
import { systemChance, systemClock } from './world.ts'

/** What is known of the three models, on both sides; meters differ from their model only by their troubles. */
export const models = [
  { name: 'plain-meter' },
  { name: 'master-key-meter', rotates: { ak: true, guek: true, broadcast: false, mk: true } },
  {
    name: 'strict-hub',
    keyTransfer: 'one-array',
    framing: 'general-glo',
    counters: { rule: 'strictly-next', first: 1, maxJump: 1_000_000 },
  },
] as const

/** So many of each hundred meters are of that model, with what is the matter with them. */
export interface Kind {
  readonly share: number
  readonly model: Parameters<typeof meterModel>
}

const ceremony = {
  present: ['card-holder-1', 'card-holder-2'],
  reason: 'demonstration',
  ticket: 'DEMO-1',
  agreement: 'DEMO-AGREEMENT',
}
const seed = 'smets1 demo'
const s1spName = 'demo-s1sp'

/** Devices in one file of inherited keys: each of their keys is an RSA operation of the DCO. */
const perFile = 100

/** Sets both up, each in its own home, and has each told of the other. */
export async function setUp(homes: { dco: DcoHome; s1sp: S1spHome }, holder: KeyPair): Promise<DcoPeer> {
  const symmetric = { models }
  const work = { againMinutes: 0.05, replySeconds: 5 }
  const title = '4f534d4b00000001'
  const s1sp = await initS1sp(homes.s1sp, { name: s1spName, kind: 'test', title, settings: { symmetric, work } })
  const holders = [{ name: 'meter-maker', publicKey: toHex(holder.publicKey) }]
  const settings = { symmetric, holders, door: { port: await freePort() } }
  const dco = await initDco(homes.dco, { name: 'demo-dco', kind: 'test', ceremony, settings })
  // People read the fingerprint to one another over another channel; here they are one and the same.
  const fingerprint = fingerprintOf(Buffer.from(s1sp.transportKey, 'hex'))
  await admitS1sp(homes.dco, s1sp, fingerprint, ceremony)
  joinDco(homes.s1sp, dco)
  return dco
}

/** One of our programs, as a process of its own, once it says that it works. */
export function program(args: readonly string[]): Promise<ChildProcess> {
  const smki = fileURLToPath(new URL('./smki.ts', import.meta.url))
  const child = spawn(process.execPath, [smki, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.stdout.once('data', () => {
      child.stdout.resume()
      resolve(child)
    })
    child.once('error', reject)
    child.once('exit', code => reject(new Error(`smki ${args[0]} ended with ${code} before it worked`)))
  })
}

/** What a field of so many meters is made of; what rounding leaves over is of the first kind. */
export function orderOf(count: number, kinds: readonly Kind[], memory: string): FieldOrder {
  const wanted = kinds.map(({ share, model }) => ({ model, count: Math.round((count * share) / 100) }))
  wanted[0]!.count += count - wanted.reduce((all, one) => all + one.count, 0)
  return { seed, meters: wanted.filter(one => one.count > 0), ports: 'own', memory }
}

/** Meters as a process of their own. With the order of their ports they listen where they did before. */
export async function field(order: FieldOrder): Promise<{ child: ChildProcess; notes: readonly MeterNote[] }> {
  const child = fork(new URL('../../simulator/meter/program.ts', import.meta.url), { stdio: 'inherit' })
  const report = await new Promise<FieldReport>((resolve, reject) => {
    child.once('message', message => resolve(message as FieldReport))
    child.once('exit', code => reject(new Error(`the field of meters ended with ${code}`)))
    child.send(order)
  })
  if (!('meters' in report)) throw new Error('the field of meters said something else')
  return { child, notes: report.meters }
}

/** Their maker hands the keys over, in files that only the DCO can open. */
export async function takeAllOn(
  { hands }: OpenedS1sp,
  notes: readonly MeterNote[],
  order: FieldOrder,
  dco: DcoPeer,
  holder: KeyPair,
): Promise<void> {
  const modelOf = order.meters.flatMap(({ model, count }) =>
    new Array<MeterModel>(count).fill(meterModel(...model)),
  )
  const bar = progress('the DCO takes over inherited keys', notes.length)
  for (let at = 0; at < notes.length; at += perFile) {
    const some = notes.slice(at, at + perFile)
    const devices = some.map(note => handedOver(note, modelOf[note.number]!))
    const head = {
      file: toHex(systemChance(16)),
      s1sp: s1spName,
      dco: dco.name,
      importKey: 'dco-import',
      at: systemClock().toISOString(),
    }
    const signer = { name: 'meter-maker', sign: (octets: Uint8Array) => holder.sign(octets) }
    const file = writeInheritedFile(head, devices, Buffer.from(dco.importKey, 'hex'), signer)
    const refused = (await takeOn(hands, file)).find(one => one.refused)?.refused
    if (refused) throw new Refusal(refused.code, refused.says)
    await keepAddresses(
      hands,
      new Map(some.map(({ deviceId, host, port, server }) => [deviceId, { host, port, server }])),
    )
    bar.at(at + some.length)
  }
  bar.end()
}

function handedOver({ number, model: name }: MeterNote, model: MeterModel): HandedOver {
  const keys = factoryKeys(seed, number, model)
  const ofClients = [...keys.clients.values()].flatMap(({ ak, guek }, i) => {
    const holder = keyedClients[i]!
    return [{ holder, type: 'AK', octets: ak } as const, { holder, type: 'GUEK', octets: guek } as const]
  })
  return {
    device: deviceIdOf(number),
    model: name,
    title: toHex(titleOf(number)),
    commissionedAt: null,
    keys: [...ofClients, { holder: 'device', type: 'MK', octets: keys.mk }],
  }
}

export async function finish(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await gone
  clearTimeout(timer)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

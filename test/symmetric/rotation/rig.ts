/** A DCO and an S1SP, each with a store, a key store and a journal of its own, and a field of simulated meters over TCP. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deviceIdOf, factoryKeys, titleOf } from '../../../simulator/meter/factory.ts'
import { startField } from '../../../simulator/meter/field.ts'
import { forgetfulKeeper, type Keeper } from '../../../simulator/meter/memory.ts'
import { Meter } from '../../../simulator/meter/meter.ts'
import { type MeterModel, meterModel, type Switches } from '../../../simulator/meter/model.ts'
import { toHex } from '../../../src/ground/bytes.ts'
import { createSoftwareKeyStore } from '../../../src/ground/keystore/software.ts'
import { softwareSymmetricModule } from '../../../src/ground/keystore/symmetric-software.ts'
import type { Store } from '../../../src/ground/store/store.ts'
import { testStore } from '../../../src/ground/store/testing.ts'
import { dcoSettingsSchema } from '../../../src/policy/symmetric/dco-settings.ts'
import type { KeyedClient } from '../../../src/policy/symmetric/keys.ts'
import { modelsOf } from '../../../src/policy/symmetric/settings.ts'
import { answerMessage } from '../../../src/rooms/symmetric/dco/answer.ts'
import { type Hands as DcoHands, dcoHands, importKey, signingKeys } from '../../../src/rooms/symmetric/dco/hands.ts'
import { makeDcoKey, makeSealKey, makeSharedKey } from '../../../src/rooms/symmetric/dco/hsm.ts'
import { nominate } from '../../../src/rooms/symmetric/dco/people.ts'
import { dcoMigrations } from '../../../src/rooms/symmetric/dco/tables.ts'
import { openAnswer, sealMessage } from '../../../src/rooms/symmetric/envelope.ts'
import { fingerprintOf } from '../../../src/rooms/symmetric/hsm-package.ts'
import { type HandedOver, writeInheritedFile } from '../../../src/rooms/symmetric/inherited.ts'
import type { DcoLine, Message, MessageType } from '../../../src/rooms/symmetric/messages.ts'
import { keepAddresses, takeOn } from '../../../src/rooms/symmetric/s1sp/devices.ts'
import type { S1spHands } from '../../../src/rooms/symmetric/s1sp/hands.ts'
import { type ImportParties, takeHsmKeys } from '../../../src/rooms/symmetric/s1sp/hsm-keys.ts'
import { tcpDial } from '../../../src/rooms/symmetric/s1sp/line.ts'
import { notebook } from '../../../src/rooms/symmetric/s1sp/notebook.ts'
import { keysOf } from '../../../src/rooms/symmetric/s1sp/records.ts'
import { s1spSettings } from '../../../src/rooms/symmetric/s1sp/settings.ts'
import { s1spMigrations } from '../../../src/rooms/symmetric/s1sp/tables.ts'
import type { Signer } from '../../../src/rooms/symmetric/signed.ts'

import { openPackageForTest } from './opened.ts'

const ceremony = { present: ['card-1', 'card-2'], reason: 'set up', ticket: 'T-1', agreement: 'PMA-1' }
const operator = { person: 'op-1', role: 'DCO operator', reason: 'set up', ticket: 'T-1' } as const

export type Symmetric = Record<string, unknown>

export type Rig = Awaited<ReturnType<typeof makeRig>>

/** Both sides, set up as their ceremonies do it. Time is the rig's: `at` moves it. */
export async function makeRig({
  symmetric = {},
  settings = {},
}: {
  symmetric?: Symmetric
  settings?: object
} = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'symmetric-'))
  let now = new Date('2026-11-20T09:00:00.000Z')
  const clock = () => now
  const chance = (length: number) => randomBytes(length)
  const weak = { passphrase: Buffer.from('a passphrase for tests'), chance, allowWeak: true, log2N: 10 }
  const stores = {
    dco: await testStore({ migrations: dcoMigrations }),
    s1sp: await testStore({
      migrations: s1spMigrations,
    }),
  }
  const keys = {
    dco: createSoftwareKeyStore({ path: join(folder, 'dco-keys'), name: 'dco', ...weak }),
    s1sp: createSoftwareKeyStore({ path: join(folder, 's1sp-keys'), name: 's1sp', ...weak }),
    maker: createSoftwareKeyStore({ path: join(folder, 'maker-keys'), name: 'maker', ...weak }),
  }
  const modules = {
    dco: softwareSymmetricModule(keys.dco, chance),
    s1sp: softwareSymmetricModule(keys.s1sp, chance),
  }
  for (const [use, label] of Object.entries(signingKeys))
    keys.dco.generate(label, use === 'journal' ? 'Ed25519' : 'P-256')
  const publicKeys = {
    s1sp: keys.s1sp.generate('messages', 'P-256'),
    maker: keys.maker.generate('files', 'P-256'),
  }
  const signers: Record<'s1sp' | 'maker', Signer> = {
    s1sp: { name: 's1sp', sign: octets => keys.s1sp.sign('messages', octets) },
    maker: { name: 'maker', sign: octets => keys.maker.sign('files', octets) },
  }
  const dcoSettings = dcoSettingsSchema.parse({
    name: 'dco',
    kind: 'test',
    symmetric,
    s1sps: [{ name: 's1sp', publicKey: toHex(publicKeys.s1sp), title: '4f534d4b00000001', certificates: [] }],
    holders: [{ name: 'maker', publicKey: toHex(publicKeys.maker) }],
  })
  const world = {
    store: stores.dco.store,
    clock,
    chance,
    module: modules.dco,
    keys: keys.dco,
    settings: dcoSettings,
  }
  await nominate(world, 'card-1', operator)
  await nominate(world, 'card-2', operator)
  await makeDcoKey(world, ceremony)
  await makeSealKey(world, ceremony)
  const importSpki = modules.dco.makeTransportKey(importKey)
  const transportKey = modules.s1sp.makeTransportKey('transport')
  const recipient = { name: 's1sp', transportKey, fingerprint: fingerprintOf(transportKey) }
  await makeSharedKey(world, ceremony, 's1sp', [recipient])

  const dcoMessages = { name: 'dco', publicKey: keys.dco.publicKey(signingKeys.messages) }
  let dco: DcoHands = dcoHands(world)
  /** A new program on the same store: what the one before held in memory is gone. */
  const restartDco = (store: Store = stores.dco.store) => {
    dco = dcoHands({ ...world, store })
  }
  const dcoLine: DcoLine = {
    async ask<T extends MessageType>(message: Message<T>) {
      const envelope = await answerMessage(dco, sealMessage(message as Message, signers.s1sp), 's1sp')
      return openAnswer(envelope, message, dcoMessages)
    },
  }
  const recordKey = keys.dco.publicKey(signingKeys.records)
  const s1spOver = (more: Partial<S1spHands> = {}): S1spHands => {
    const store = more.store ?? stores.s1sp.store
    return {
      store,
      clock,
      chance,
      dco: dcoLine,
      dial: tcpDial({ connectMs: 2000, replyMs: 300 }),
      models: modelsOf(dcoSettings.symmetric),
      symmetric: dcoSettings.symmetric,
      settings: s1spSettings.parse({ resends: 0, againMinutes: 0, atOnce: 4, ...settings }),
      notebook: notebook(store),
      recordKey,
      ...more,
    }
  }
  const hands = s1spOver()
  const parties: ImportParties = {
    module: modules.s1sp,
    transport: 'transport',
    self: signers.s1sp,
    sender: { name: 'dco', publicKey: keys.dco.publicKey(signingKeys.distribution) },
  }
  await takeHsmKeys(hands, parties)

  let numbers = 0
  const closing: (() => Promise<void>)[] = []

  /** Meters of one kind, taken on by the S1SP, with their addresses. Their keys are the maker's. */
  async function meters(
    kind: { model?: string; switches?: Partial<Switches>; more?: Partial<MeterModel>; withoutMk?: boolean },
    count = 1,
    { keeper = forgetfulKeeper, commissionedAt = null }: { keeper?: Keeper; commissionedAt?: Date | null } = {},
  ) {
    const { model: name = 'usual', switches = {}, more = {}, withoutMk = false } = kind
    const model = meterModel(name, switches, more)
    const made = Array.from({ length: count }, () => {
      const number = ++numbers
      const options = { number, model, title: titleOf(number), keeper, chance: randomBytes, clock }
      return new Meter({ ...options, keys: factoryKeys('rig', number, model) })
    })
    const field = await startField(made, { ports: 'own' })
    closing.push(field.close)
    const devices = made.map((meter): HandedOver => {
      const keys = factoryKeys('rig', meter.number, model)
      const ofClients = model.clients.flatMap(({ address }) => {
        const holder = clientAt(address)
        const { ak, guek } = keys.clients.get(address)!
        return [
          { holder, type: 'AK', octets: ak },
          { holder, type: 'GUEK', octets: guek },
        ] as const
      })
      return {
        device: deviceIdOf(meter.number),
        model: name,
        title: meter.title.toString('hex'),
        commissionedAt: commissionedAt?.toISOString() ?? null,
        keys: [...ofClients, ...(withoutMk ? [] : [{ holder: 'device', type: 'MK', octets: keys.mk } as const])],
      }
    })
    const head = { file: toHex(chance(16)), s1sp: 's1sp', dco: 'dco', importKey, at: now.toISOString() }
    const taken = await takeOn(hands, writeInheritedFile(head, devices, importSpki, signers.maker))
    const addresses = new Map(made.map((meter, i) => [deviceIdOf(meter.number), field.addresses[i]!]))
    await keepAddresses(hands, addresses)
    return { meters: made, ids: made.map(({ number }) => deviceIdOf(number)), taken, field }
  }

  return {
    folder,
    clock,
    at: (instant: Date | string) => {
      now = new Date(instant)
    },
    later: (ms: number) => {
      now = new Date(now.getTime() + ms)
    },
    stores,
    keys,
    modules,
    world,
    signers,
    importSpki,
    hands,
    s1spOver,
    parties,
    dcoLine,
    restartDco,
    dco: () => dco,
    meters,
    async close() {
      for (const each of closing) await each()
      modules.dco.close()
      modules.s1sp.close()
      for (const each of Object.values(keys)) each.close()
      await stores.dco.close()
      await stores.s1sp.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The name of the client at a usual address (dlms.md section 7). */
export function clientAt(address: number): KeyedClient {
  return (['data-collection', 'extended-data-collection', 'management', 'firmware'] as const)[address / 16 - 2]!
}
export const addressOf = (client: KeyedClient): number =>
  16 * (2 + ['data-collection', 'extended-data-collection', 'management', 'firmware'].indexOf(client))

/**
 * What the whole rotation is about: of each kind of key one generation is active on either side, it is the same one, and
 * it is what the meter holds.
 */
export async function requireAgreement(rig: Rig, meter: Meter): Promise<Map<string, number>> {
  const device = deviceIdOf(meter.number)
  const ours = (await keysOf(rig.stores.s1sp.store, device)).filter(({ stage }) => stage === 'active')
  const { rows: theirs } = await rig.stores.dco.store.query<{
    holder: string
    type: string
    generation: number
    record: string
  }>(
    `SELECT holder, type, generation, encode(record, 'hex') AS record FROM dco_key
     WHERE device = $1 AND stage = 'active'`,
    [Buffer.from(device, 'hex')],
  )
  const name = ({
    holder,
    type,
    generation,
    record,
  }: {
    holder: string
    type: string
    generation: number
    record: string
  }) => `${holder}/${type}/${generation}/${record}`
  assert.deepEqual(
    ours.map(({ id, ...key }) => name({ ...key, record: id })).sort(),
    theirs.map(name).sort(),
    'both sides have the same keys active',
  )
  assert.equal(ours.length, meter.model.clients.length * 2 + 1)
  const held = new Map<string, Buffer>()
  for (const { address } of meter.model.clients) {
    const { ak, guek } = meter.keysOf(address)
    held.set(`${clientAt(address)}/AK`, ak)
    held.set(`${clientAt(address)}/GUEK`, guek)
  }
  held.set('device/MK', meter.memory.mk)
  // Which key a record holds only the DCO's module can say, and it says so to nobody but a test.
  for (const key of ours) {
    assert.ok(
      openPackageForTest(rig, key.octets!).equals(held.get(`${key.holder}/${key.type}`)!),
      `${device}: the active ${key.holder}/${key.type} is what the meter holds`,
    )
  }
  return new Map(ours.map(({ holder, type, generation }) => [`${holder}/${type}`, generation]))
}

/** Keys that are on their way at the DCO, of one Device or of all: none, once all is resolved. */
export async function unresolvedAtDco(rig: Rig, device?: string): Promise<string[]> {
  const { rows } = await rig.stores.dco.store.query<{ name: string }>(
    `SELECT concat_ws(' ', stage, holder, type, generation) AS name FROM dco_key
     WHERE stage IN ('made', 'offered') AND ($1::bytea IS NULL OR device = $1)`,
    [device === undefined ? null : Buffer.from(device, 'hex')],
  )
  return rows.map(({ name }) => name)
}

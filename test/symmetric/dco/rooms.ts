/** A DCO with its real parts and without its programs, an S1SP that asks it, and simulated meters: for the tests of it. */

import { hash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deviceIdOf, factoryKeys, titleOf } from '../../../simulator/meter/factory.ts'
import { forgetfulKeeper, type MeterKeys } from '../../../simulator/meter/memory.ts'
import { Meter, type Session } from '../../../simulator/meter/meter.ts'
import { meterModel, type Switches } from '../../../simulator/meter/model.ts'
import { fromHex, toHex } from '../../../src/ground/bytes.ts'
import { type Act, readEntry } from '../../../src/ground/journal/entry.ts'
import type { KeyStore } from '../../../src/ground/keystore/keystore.ts'
import { makeKeyPair } from '../../../src/ground/keystore/pair.ts'
import { createSoftwareKeyStore } from '../../../src/ground/keystore/software.ts'
import type { SymmetricModule } from '../../../src/ground/keystore/symmetric.ts'
import { softwareSymmetricModule } from '../../../src/ground/keystore/symmetric-software.ts'
import type { Store } from '../../../src/ground/store/store.ts'
import { testStore } from '../../../src/ground/store/testing.ts'
import { systemChance } from '../../../src/main/world.ts'
import { type DcoSettings, dcoSettingsSchema } from '../../../src/policy/symmetric/dco-settings.ts'
import type { KeyedClient, KeyHolder, LastingType } from '../../../src/policy/symmetric/keys.ts'
import { answerMessage } from '../../../src/rooms/symmetric/dco/answer.ts'
import { dcoHands, type Hands, importKey, signingKeys } from '../../../src/rooms/symmetric/dco/hands.ts'
import { type Ceremony, makeSharedKey } from '../../../src/rooms/symmetric/dco/hsm.ts'
import { type DcoIdentity, setUp } from '../../../src/rooms/symmetric/dco/set-up.ts'
import { dcoMigrations } from '../../../src/rooms/symmetric/dco/tables.ts'
import { openAnswer, sealMessage } from '../../../src/rooms/symmetric/envelope.ts'
import { fingerprintOf, openHsmPackage, writeHsmReceipt } from '../../../src/rooms/symmetric/hsm-package.ts'
import { writeInheritedFile } from '../../../src/rooms/symmetric/inherited.ts'
import { type Instruction, signInstruction } from '../../../src/rooms/symmetric/instruction.ts'
import type { Content, Message, MessageType } from '../../../src/rooms/symmetric/messages.ts'
import { readRecord } from '../../../src/rooms/symmetric/record.ts'

export const ceremony: Ceremony = {
  present: ['card-1', 'card-2'],
  reason: 'the tests need it',
  ticket: 'T-1',
  agreement: 'PMA-2026-1',
}

export const clients: Readonly<Record<KeyedClient, number>> = {
  'data-collection': 32,
  'extended-data-collection': 48,
  management: 64,
  firmware: 80,
}

/** What the message says but for its id and time. */
export type Asked<T extends MessageType> = Omit<Message<T>, 'id' | 'at' | 'type'>

export interface Rooms {
  readonly store: Store
  readonly settings: DcoSettings
  readonly module: SymmetricModule
  readonly keys: KeyStore
  readonly hands: Hands
  readonly identity: DcoIdentity
  readonly title: Buffer
  /** The clock stands still until a test moves it. */
  now: Date
  /** Over another store, module or settings; as a program that starts anew. */
  restarted(changes?: { store?: Store; module?: SymmetricModule; settings?: Record<string, unknown> }): Hands
  ask<T extends MessageType>(
    type: T,
    body: Asked<T>,
    options?: { id?: string; hands?: Hands; by?: string },
  ): Promise<Content<T>>
  /** The envelope of a message, to send it more than once. */
  seal<T extends MessageType>(
    type: T,
    body: Asked<T>,
    options?: { id?: string; by?: string },
  ): { message: Message<T>; envelope: Buffer }
  instruct(what: Omit<Instruction, 'id' | 'validUntil'> & Partial<Instruction>, by?: string): string
  /** A meter of its own, whose keys the DCO has taken on. */
  takeOn(options?: {
    model?: string
    switches?: Partial<Switches>
    withoutMk?: boolean
    broadcast?: boolean
  }): Promise<TakenOn>
  acts(): Promise<Act[]>
  close(): Promise<void>
}

export interface TakenOn {
  readonly meter: Meter
  readonly device: string
  readonly keys: MeterKeys
  /** The newest record of each key: `management AK`, `device MK`. */
  readonly records: Map<string, string>
  record(holder: KeyHolder, type: LastingType): string
  /** The meter as the keys stand: an open association, ready for commands. */
  associate(client: KeyedClient, options?: { ak?: string; guek?: string; dedicated?: boolean }): Promise<Open>
  /** One APDU to the meter, on the connection of that association. */
  send(open: Pick<Open, 'session' | 'client'>, apdu: string): string
}

export interface Open {
  readonly client: KeyedClient
  readonly session: Session
  readonly keys: { readonly association: string; readonly ak: string; readonly guek: string; readonly dk?: string }
  readonly finished: Content<'finish-association'>
}

/** Of every S1SP and other organisation in the tests. */
const people = {
  's1sp-1': makeKeyPair('P-256'),
  's1sp-2': makeKeyPair('P-256'),
  holder: makeKeyPair('P-256'),
  countersigner: makeKeyPair('P-256'),
} as const
export type Person = keyof typeof people
export const personSigner = (name: Person) => ({ name, sign: (octets: Uint8Array) => people[name].sign(octets) })

/** One for the test process: RSA keys take a while to make. */
let numbers = 0

/** @param given keys of another kind; they stay the caller's to close */
export async function makeRooms(
  changes: Record<string, unknown> = {},
  given?: { readonly keys: KeyStore; readonly module: SymmetricModule },
): Promise<Rooms> {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-dco-'))
  const { store, close } = await testStore({ migrations: dcoMigrations })
  const make = (name: string) =>
    createSoftwareKeyStore({
      path: join(folder, name, 'keys'),
      name,
      passphrase: Buffer.from('a passphrase of the tests'),
      chance: systemChance,
      log2N: 10,
      allowWeak: true,
    })
  const organisation = (name: Person) => ({ name, publicKey: toHex(people[name].publicKey) })
  const base = {
    name: 'dco-1',
    kind: 'test',
    s1sps: [
      { ...organisation('s1sp-1'), title: '4f534d4b00000001' },
      { ...organisation('s1sp-2'), title: '4f534d4b00000002' },
    ],
    holders: [organisation('holder')],
    countersigners: [organisation('countersigner')],
  }
  const settings = dcoSettingsSchema.parse({ ...base, ...changes })
  const keys = given?.keys ?? make('dco')
  const module = given?.module ?? softwareSymmetricModule(keys, systemChance)
  const clock = () => rooms.now
  const world = (more: { store?: Store; module?: SymmetricModule; settings?: DcoSettings } = {}) =>
    dcoHands({ store, clock, chance: systemChance, module, keys, settings, ...more })
  let hands: Hands
  const rooms: Rooms = {
    store,
    settings,
    module,
    keys,
    title: fromHex('4f534d4b00000001'),
    now: new Date('2026-11-20T09:00:00Z'),
    get hands() {
      return hands
    },
    get identity() {
      return identity
    },
    restarted: ({ settings: more, ...rest } = {}) =>
      world({ ...rest, ...(more && { settings: dcoSettingsSchema.parse({ ...base, ...changes, ...more }) }) }),
    seal(type, body, { id = toHex(randomBytes(16)), by = 's1sp-1' } = {}) {
      const message = { type, id, at: rooms.now.toISOString(), ...body } as unknown as Message<typeof type>
      return { message, envelope: sealMessage(message as Message, personSigner(by as Person)) }
    },
    async ask(type, body, { hands: over = hands, by = 's1sp-1', ...more } = {}) {
      const { message, envelope } = rooms.seal(type, body, { by, ...more })
      const answer = await answerMessage(over, envelope, by)
      return openAnswer(answer, message, { name: 'dco-1', publicKey: fromHex(identity.messages) })
    },
    instruct(what, by = 'countersigner') {
      const validUntil = new Date(rooms.now.getTime() + 86_400_000).toISOString()
      const whole = { id: toHex(randomBytes(8)), validUntil, ...what }
      return toHex(signInstruction(whole, { ...personSigner(by as Person), name: 'countersigner' }))
    },
    takeOn: options => takeOn(rooms, options),
    async acts() {
      const { rows } = await store.query<{ octets: Buffer }>('SELECT octets FROM journal_pending ORDER BY id')
      return rows.map(({ octets }) => readEntry(octets))
    },
    async close() {
      if (!given) {
        module.close()
        keys.close()
      }
      for (const each of s1sps) each.close()
      await close()
      rmSync(folder, { recursive: true })
    },
  }
  hands = world()
  const identity = await setUp(hands, ceremony)
  const s1sps = ['s1sp-1', 's1sp-2'].map(make)
  for (const [i, name] of (['s1sp-1', 's1sp-2'] as const).entries()) await share(rooms, name, s1sps[i]!)
  return rooms
}

/** The Shared Key with an S1SP, made, sent, imported and proven. @returns the S1SP's module */
export async function share(rooms: Rooms, s1sp: 's1sp-1' | 's1sp-2', keys: KeyStore): Promise<SymmetricModule> {
  const module = softwareSymmetricModule(keys, systemChance)
  const transport = keys.has('transport-key/t') ? module.transportKey('t') : module.makeTransportKey('t')
  await makeSharedKey(rooms.hands, ceremony, s1sp, [
    { name: s1sp, transportKey: transport, fingerprint: fingerprintOf(transport) },
  ])
  const { packages } = await rooms.ask('collect-hsm-keys', {}, { by: s1sp })
  for (const hex of packages) {
    const known = module.hsmKeys().map(({ label }) => label)
    const sender = { name: 'dco-1', publicKey: rooms.keys.publicKey(signingKeys.distribution) }
    const opened = openHsmPackage(fromHex(hex), { sender, recipient: s1sp, transportKey: transport, known })
    module.importHsmKey({ label: opened.hsmKey, role: 'Shared Key', transport: 't', wrapped: opened.wrapped })
    const proof = module.proveHsmKey(opened.hsmKey)
    const { hsmKey, generation } = opened
    const receipt = writeHsmReceipt(
      { hsmKey, generation, recipient: s1sp, package: hash('sha256', fromHex(hex)), at: rooms.now.toISOString() },
      personSigner(s1sp),
    )
    const body = { hsmKey, octets: toHex(proof.octets), hash: toHex(proof.hash), receipt: toHex(receipt) }
    await rooms.ask('prove-hsm-key', body, { by: s1sp })
  }
  return module
}

export function inheritedFile(
  rooms: Rooms,
  device: string,
  keys: MeterKeys,
  {
    model = 'usual',
    withoutMk = false,
    s1sp = 's1sp-1',
    by = 'holder' as Person,
    file = toHex(randomBytes(16)),
  } = {},
): Buffer {
  const of = (holder: KeyHolder, type: LastingType, octets: Buffer) => ({ holder, type, octets })
  const all = [
    ...Object.entries(clients).flatMap(([client, address]) => {
      const { ak, guek } = keys.clients.get(address)!
      return [of(client as KeyedClient, 'AK', ak), of(client as KeyedClient, 'GUEK', guek)]
    }),
    ...(withoutMk ? [] : [of('device', 'MK', keys.mk)]),
    ...(keys.gbek ? [of('management', 'GBEK', keys.gbek)] : []),
  ]
  const head = { file, s1sp, dco: 'dco-1', importKey, at: rooms.now.toISOString() }
  const commissionedAt = rooms.now.toISOString()
  const devices = [{ device, model, title: null, commissionedAt, keys: all }]
  return writeInheritedFile(head, devices, fromHex(rooms.identity.importKey), {
    ...personSigner(by),
    name: 'holder',
  })
}

async function takeOn(
  rooms: Rooms,
  { model = 'usual', switches = {}, withoutMk = false, broadcast = false }: Parameters<Rooms['takeOn']>[0] = {},
): Promise<TakenOn> {
  const number = ++numbers
  const device = deviceIdOf(number)
  const meterIs = meterModel(
    model,
    { firstCounter: 1, setupAccess: 'Management writes all', ...switches },
    {
      ...(model === 'strict-hub' && { framing: 'general-glo' as const }),
      holdsBroadcastKey: broadcast,
    },
  )
  const keys = factoryKeys('tests of the DCO', number, meterIs)
  const meter = new Meter({
    number,
    model: meterIs,
    title: titleOf(number),
    keys,
    keeper: forgetfulKeeper,
    chance: randomBytes,
    clock: () => rooms.now,
  })
  const file = inheritedFile(rooms, device, keys, { model, withoutMk })
  const { devices } = await rooms.ask('import-keys', { file: toHex(file) })
  if (devices[0]!.refused) throw new Error(devices[0]!.refused.code)
  const records = new Map(
    devices[0]!.records.map(hex => {
      const { holder, type } = readRecord(fromHex(hex)).record
      return [`${holder} ${type}`, hex]
    }),
  )
  const record = (holder: KeyHolder, type: LastingType) => records.get(`${holder} ${type}`)!
  const send = ({ session, client }: Pick<Open, 'session' | 'client'>, apdu: string): string => {
    const reply = meter.receive(session, clients[client], fromHex(apdu))
    if (!Buffer.isBuffer(reply)) throw new Error(`the meter: ${reply}`)
    return toHex(reply)
  }
  return {
    meter,
    device,
    keys,
    records,
    record,
    send,
    async associate(client, { ak = record(client, 'AK'), guek = record(client, 'GUEK'), dedicated = false } = {}) {
      const session: Session = new Map()
      const opened = await rooms.ask('open-association', { device, client, ak, guek, dedicated })
      const { association, dk } = opened
      const under = { association, ak, guek, ...(dk && { dk }) }
      const open = { session, client }
      const aare = send(open, opened.apdu)
      const { apdu } = await rooms.ask('answer-association', { ...under, apdu: aare })
      const finished = await rooms.ask('finish-association', { ...under, apdu: send(open, apdu) })
      return { client, session, keys: under, finished }
    },
  }
}

/** For `assert.rejects`: a Refusal of that code. */
export const refused = (code: string) => ({ name: 'Refusal', code })

/** A client for the tests of the meter, made of the DLMS layer that the programs use: the meter shares nothing with it. */

import { randomBytes } from 'node:crypto'
import { readActionResponse, writeActionRequest } from '../../src/ground/dlms/action.ts'
import { answerPass3, checkPass4, openAssociation, readAnswer } from '../../src/ground/dlms/associate.ts'
import { memoryLedger, sendingCounters, type TakenCounter } from '../../src/ground/dlms/counter.ts'
import { type Floor, newFloor } from '../../src/ground/dlms/floor.ts'
import { writeGetRequest } from '../../src/ground/dlms/get.ts'
import { type Outside, protect } from '../../src/ground/dlms/protect.ts'
import { remove } from '../../src/ground/dlms/remove.ts'
import { keyTransfer, type TransferType, wrapForTransfer } from '../../src/ground/dlms/setup.ts'
import { type Opened, softwareDlmsCipher } from '../../src/ground/keystore/dlms-cipher.ts'
import { factoryKeys, titleOf } from './factory.ts'
import { forgetfulKeeper, type Keeper } from './memory.ts'
import { Meter, type Reply, type Session } from './meter.ts'
import { meterModel, type Switches } from './model.ts'

export interface Pair {
  readonly guek: Buffer
  readonly ak: Buffer
}

export interface Standing {
  readonly pair: Pair
  readonly address: number
  readonly session: Session
  floor: Floor
}

/** A result that verified under the old keys or the new; or what came instead. */
export type Transferred = { readonly result: number; readonly under: 'old' | 'new' } | { readonly came: Reply }

export type Rig = ReturnType<typeof rig>

const ourTitle = Buffer.from('4f534d4b00000001', 'hex')
const usual = 32

export function rig(
  switches: Partial<Switches> = {},
  more: Parameters<typeof meterModel>[2] & { keeper?: Keeper; clock?: () => Date } = {},
) {
  const { keeper = forgetfulKeeper, clock = () => new Date(0), ...rest } = more
  const model = meterModel('tested', switches, rest)
  const keys = factoryKeys('test', 1, model)
  const meter = new Meter({ number: 1, model, title: titleOf(1), keys, keeper, chance: randomBytes, clock })
  const cipher = softwareDlmsCipher()
  /** The next counter under each GUEK: one ledger of our own, so that a test can set it. */
  const next = new Map<string, number>()

  const open = ({ guek, ak }: Pair) => ({
    cipher,
    key: cipher.hold('GUEK', guek.toString('hex'), guek),
    ak: cipher.hold('AK', ak.toString('hex'), ak),
  })
  const take = (key: Opened<'GUEK'>): Promise<TakenCounter> => {
    const value = next.get(key.id) ?? 1
    next.set(key.id, value + 1)
    return sendingCounters(memoryLedger(value)).take(key, ourTitle)
  }

  /** The association; or what stood in the way. */
  async function associate(pair: Pair, address = usual): Promise<Standing | { stopped: Reply | Error }> {
    const under = open(pair)
    const session: Session = new Map()
    const challenge = randomBytes(16)
    const opening = { title: ourTitle, challenge, peerTitle: meter.title, floor: newFloor() }
    const aarq = openAssociation(under, await take(under.key), { challenge, conformance: 0x221e5d, maxPdu: 0xffff })
    const aare = meter.receive(session, address, aarq)
    if (!Buffer.isBuffer(aare) || aare[0] === 0xd8) return { stopped: aare }
    try {
      const said = readAnswer(under, aare, opening)
      const counters = { inner: await take(under.key), outer: await take(under.key) }
      const pass4 = meter.receive(session, address, answerPass3(under, counters, said.challenge))
      if (!Buffer.isBuffer(pass4)) return { stopped: pass4 }
      const floor = checkPass4(under, pass4, { ...opening, floor: said.floor })
      return { pair, address, session, floor }
    } catch (cause) {
      return { stopped: cause as Error }
    }
  }

  /** Sends a plain APDU, protected; what came for it. */
  async function send(standing: Standing, text: Buffer, outside: Outside = {}): Promise<Reply> {
    const under = open(standing.pair)
    return meter.receive(standing.session, standing.address, protect(under, await take(under.key), text, outside))
  }

  function opened(pair: Pair, reply: Reply, floor: Floor): Buffer | undefined {
    if (!Buffer.isBuffer(reply)) return undefined
    try {
      return remove(open(pair), reply, { from: 'server', title: meter.title, floor }).text
    } catch {
      return undefined
    }
  }

  /** One authenticated reading of the clock; undefined when nothing came that holds. */
  async function read(standing: Standing): Promise<Buffer | undefined> {
    const member = { classId: 8, logicalName: '0.0.1.0.0.255', member: 2 }
    const text = writeGetRequest({ service: 'get-request', invoke: 0xc1, ...member })
    return opened(standing.pair, await send(standing, text), standing.floor)
  }

  async function transfer(
    standing: Standing,
    offered: Partial<Record<TransferType, Buffer>>,
    target = standing.address,
  ): Promise<Transferred> {
    const mk = cipher.hold('MK', 'the MK', meter.memory.mk)
    const held = Object.entries(offered).map(([type, octets]) => cipher.hold(type as 'AK', `new ${type}`, octets))
    const transferred = keyTransfer(`0.0.43.0.${target / 16}.255`, wrapForTransfer(cipher, mk, held))
    const came = await send(standing, writeActionRequest(transferred))
    const newPair = { guek: offered.GUEK ?? standing.pair.guek, ak: offered.AK ?? standing.pair.ak }
    const underOld = opened(standing.pair, came, standing.floor)
    const text = underOld ?? opened(newPair, came, newFloor())
    if (text === undefined) return { came }
    return { result: readActionResponse(text).result, under: underOld ? 'old' : 'new' }
  }

  /** Through the Public client; undefined when it says nothing. */
  function readCounter(address = usual): number | undefined {
    const session: Session = new Map()
    const aarq = '601da109060760857405080101be10040e01000000065f1f0400001e1dffff'
    const aare = meter.receive(session, 16, Buffer.from(aarq, 'hex'))
    const get = Buffer.from('c001c1000100002b0100ff0200', 'hex')
    get[9] = address / 16
    const got = meter.receive(session, 16, get)
    if (!Buffer.isBuffer(aare) || !Buffer.isBuffer(got) || got[3] !== 0) return undefined
    return got.readUInt32BE(5)
  }

  return {
    meter,
    first: (address = usual): Pair => keys.clients.get(address)!,
    associate,
    send,
    read,
    transfer,
    readCounter,
    startAt: (guek: Buffer, counter: number) => void next.set(guek.toString('hex'), counter),
    nextOf: (guek: Buffer) => next.get(guek.toString('hex')) ?? 1,
  }
}

/** For a test that goes on only with an association. */
export function stands(tried: Standing | { stopped: Reply | Error }): Standing {
  if ('stopped' in tried) throw new Error(`no association: ${tried.stopped}`, { cause: tried.stopped })
  return tried
}

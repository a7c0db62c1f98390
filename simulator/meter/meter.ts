/** A simulated meter: a DLMS server with its associations, counters and objects, as strict or awkward as its model. */

import {
  type Asked,
  acted,
  coveredTag,
  dedicatedKeyIn,
  exception,
  got,
  initiateResponse,
  NotTaken,
  notGot,
  octetString,
  readAarq,
  readAsked,
  readOctetString,
  readSecured,
  type Secured,
  unsigned32,
  wasSet,
  writeAare,
  writeSecured,
} from './apdu.ts'
import { answer, answered, cover, type KeyPair, uncover } from './cipher.ts'
import { bend, type Told } from './hostile.ts'
import {
  type ClientMemory,
  freshMemory,
  type Keeper,
  type MeterKeys,
  type MeterMemory,
  type Slot,
} from './memory.ts'
import type { MeterClient, MeterModel } from './model.ts'
import { transfer } from './transfer.ts'

export interface MeterOptions {
  /** What its memory is kept by. */
  readonly number: number
  readonly model: MeterModel
  /** Its system title, 8 octets. */
  readonly title: Buffer
  /** Those it was made with; what its keeper remembers goes before. */
  readonly keys: MeterKeys
  readonly keeper: Keeper
  readonly chance: (length: number) => Buffer
  readonly clock: () => Date
}

/** What the meter does with an APDU: it answers, says nothing, or closes the connection. */
export type Reply = Buffer | 'silence' | 'close'

/** One association, as long as its connection and the meter's power last. */
interface Association {
  readonly client: MeterClient
  readonly clientTitle: Buffer
  readonly ctoS: Buffer
  readonly stoC: Buffer
  slot: Slot
  ak: Buffer
  dk?: Slot
  open: boolean
  /** Before which power cut it was made. */
  readonly boot: number
}

/** The associations of one connection, by client address. */
export type Session = Map<number, Association | 'public'>

/** Of an ordinary meter, when it is asked for its clock. */
const clockObject = { classId: 8, logicalName: '0.0.1.0.0.255' } as const
const currentAssociation = '0.0.40.0.0.255'
/** How far apart the values are that a meter stores which forgets its counter. */
const storedEvery = 16

export class Meter {
  readonly model: MeterModel
  readonly title: Buffer
  readonly number: number
  readonly memory: MeterMemory
  readonly #options: MeterOptions
  readonly #told: Told = {}
  #boot = 0

  constructor(options: MeterOptions) {
    this.#options = options
    this.model = options.model
    this.title = options.title
    this.number = options.number
    const fresh = () => freshMemory(options.keys, options.model.switches.firstCounter)
    this.memory = options.keeper.load(options.number) ?? fresh()
  }

  /** Whether it can be reached now. */
  get reachable(): boolean {
    const { reachable } = this.model.switches
    if (reachable === 'always') return true
    if (reachable === 'never') return false
    const minute = this.#options.clock().getTime() / 60_000
    return (minute + this.number) % reachable.everyMinutes < reachable.forMinutes
  }

  /** The keys that hold for a client now, or from its next association on. */
  keysOf(address: number): KeyPair {
    const { slot, ak, next } = this.memory.clients.get(address)!
    return { guek: next?.slot?.guek ?? slot.guek, ak: next?.ak ?? ak }
  }

  /** One APDU that came from a client. */
  receive(session: Session, address: number, apdu: Buffer): Reply {
    try {
      const reply = this.#answer(session, address, apdu)
      return Buffer.isBuffer(reply) ? this.#bent(reply, apdu) : reply
    } catch (cause) {
      if (cause === cut) return 'close'
      if (cause instanceof Refused) return cause.reply
      if (!(cause instanceof NotTaken)) throw cause
      return exception(2)
    } finally {
      this.#keep()
    }
  }

  /** The power goes, and comes back: what was in memory that forgets is gone. */
  powerCut(): void {
    this.#boot++
    for (const client of this.memory.clients.values()) this.#settle(client)
    if (this.model.switches.crashMidway === 'forgets the counter') {
      for (const { slot } of this.memory.clients.values()) {
        slot.floor = Math.ceil((slot.floor + 1) / storedEvery) * storedEvery
        slot.sends = Math.ceil((slot.sends + 1) / storedEvery) * storedEvery
      }
    }
    this.#keep()
  }

  #answer(session: Session, address: number, apdu: Buffer): Reply {
    if (apdu.length > this.model.maxPdu) return exception(4)
    if (apdu[0] === 0x60) return this.#associate(session, address, apdu)
    if (apdu[0] === 0x62) {
      session.delete(address)
      return Buffer.from('6303800100', 'hex')
    }
    const association = session.get(address)
    if (association === 'public') return this.#publicly(apdu)
    if (association === undefined || association.boot !== this.#boot) return this.#countOnly(address, apdu)
    return this.#covered(association, apdu)
  }

  #associate(session: Session, address: number, apdu: Buffer): Reply {
    session.delete(address)
    const aarq = readAarq(apdu)
    if (address === this.model.publicAddress && aarq.context === 1) {
      session.set(address, 'public')
      const initiate = initiateResponse(this.model.maxPdu)
      return writeAare({ context: 1, accepted: true, diagnostic: 0, initiate })
    }
    const client = this.model.clients.find(one => one.address === address)
    const memory = this.memory.clients.get(address)
    const { title, challenge, mechanism, context } = aarq
    if (!client || !memory || context !== 3 || mechanism !== 5 || !title || !challenge) {
      return writeAare({ context, accepted: false, diagnostic: mechanism === 5 ? 1 : 11 })
    }
    this.#settle(memory)
    const { slot, ak } = memory
    const text = this.#uncovered({ slot, ak }, title, readSecured(aarq.initiate))
    memory.title = Buffer.from(title)
    const dk = dedicatedKeyIn(text)
    const association: Association = {
      client,
      clientTitle: Buffer.from(title),
      ctoS: Buffer.from(challenge),
      stoC: this.#options.chance(16),
      slot,
      ak,
      open: false,
      boot: this.#boot,
      ...(dk &&
        this.model.switches.dedicatedKey === 'uses' && { dk: { guek: Buffer.from(dk), floor: 0, sends: 0 } }),
    }
    session.set(address, association)
    return writeAare({
      context: 3,
      accepted: true,
      diagnostic: 14,
      title: this.title,
      challenge: association.stoC,
      initiate: this.#cover({ slot, ak }, initiateResponse(this.model.maxPdu), false, 'glo'),
    })
  }

  /**
   * No association stands, so nothing is acted upon. A meter that wants each counter to be the next counts it all the same
   * when it verifies: the client's title it knows from the last association (Security Setup, attribute 4).
   */
  #countOnly(address: number, apdu: Buffer): Reply {
    const client = this.memory.clients.get(address)
    if (this.model.switches.counterRule === 'strictly-next' && client?.title) {
      this.#uncovered({ slot: client.slot, ak: client.ak }, client.title, readSecured(apdu), true)
    }
    return exception(1)
  }

  #covered(association: Association, apdu: Buffer): Reply {
    const secured = readSecured(apdu)
    const dedicated = secured.tag === 0xdc || (secured.tag >= 0xd0 && secured.tag <= 0xd7)
    if (dedicated && !association.dk) return exception(2)
    if (secured.title && !secured.title.equals(association.clientTitle)) return exception(2)
    const slot = dedicated ? association.dk! : association.slot
    const under = { slot, ak: association.ak }
    const text = this.#uncovered(under, association.clientTitle, secured, !association.open)
    const general = secured.tag === 0xdb || secured.tag === 0xdc
    if (!general && secured.tag !== coveredTag(text[0]!, dedicated)) return exception(5)
    const framing = general ? 'general-glo' : 'glo'
    const asked = readAsked(text)
    if (!association.open) return this.#highLevel(association, asked, framing)
    if (isTransfer(asked)) return this.#transfer(association, asked, framing, dedicated)
    return this.#reply(under, this.#serve(association, asked), dedicated, framing)
  }

  /** Pass 3: nothing else is taken before it. */
  #highLevel(association: Association, asked: Asked, framing: Framing): Reply {
    const { slot, ak, client, clientTitle, stoC, ctoS } = association
    const here = asked.logicalName === currentAssociation || asked.logicalName === client.association
    if (asked.service !== 'action' || asked.classId !== 15 || asked.member !== 1 || !here) return exception(1)
    const keys = { guek: slot.guek, ak }
    const counter = answered(keys, clientTitle, stoC, readOctetString(asked.data))
    if (counter === undefined) return this.#reply({ slot, ak }, acted(asked.invoke, 3), false, framing)
    slot.floor = Math.max(slot.floor, counter + 1)
    association.open = true
    const inner = slot.sends
    if (this.model.switches.hlsCounter === 'two values') slot.sends++
    const ours = answer(keys, this.title, inner, ctoS)
    return this.#reply({ slot, ak }, acted(asked.invoke, 0, octetString(ours)), false, framing)
  }

  #transfer(association: Association, asked: Asked, framing: Framing, dedicated: boolean): Reply {
    const { switches } = this.model
    const before: Under = { slot: dedicated ? association.dk! : association.slot, ak: association.ak }
    const troubled = this.memory.transfers++ < switches.troubledTransfers
    const { result, taken } = transfer(this.model, this.memory, association.client, asked, troubled)
    this.#keep()
    const { target } = taken
    const own = target !== undefined && target === this.memory.clients.get(association.client.address)
    if (target && switches.newKeysHold !== 'next association') {
      this.#takeHold(target)
      if (own) Object.assign(association, { slot: target.slot, ak: target.ak })
    }
    if (troubled && taken.crashed) {
      this.powerCut()
      throw cut
    }
    if (troubled && switches.dropReply !== 'never' && typeof switches.dropReply === 'string') return 'close'
    const after: Under = own ? { slot: target.next?.slot ?? target.slot, ak: target.next?.ak ?? target.ak } : before
    const underNew = switches.replyUnder === 'new' || switches.newKeysHold === 'immediately'
    return this.#reply(underNew && !dedicated ? after : before, acted(asked.invoke, result), dedicated, framing)
  }

  /** Any other get, set or action, in an association that stands. */
  #serve({ client }: Association, { service, invoke, classId, logicalName, member }: Asked): Buffer {
    if (service === 'action') return acted(invoke, classId === 64 || classId === 15 ? 3 : 4)
    if (service === 'set') return wasSet(invoke, 3)
    if (classId === clockObject.classId && logicalName === clockObject.logicalName && member === 2) {
      return got(invoke, octetString(clockOctets(this.#options.clock())))
    }
    if (classId === 64 && logicalName === client.securitySetup && member === 2) {
      return got(invoke, Buffer.of(0x16, this.memory.policy))
    }
    if (classId === 64 && logicalName === client.securitySetup && member === 5) {
      return got(invoke, octetString(this.title))
    }
    return notGot(invoke, 4)
  }

  /** The Public client: it can read the frame counters, and nothing protects them. */
  #publicly(apdu: Buffer): Reply {
    const { service, invoke, classId, logicalName, member } = readAsked(apdu)
    const client = this.model.clients.find(one => one.frameCounter === logicalName)
    if (service !== 'get' || classId !== 1 || member !== 2 || !client) return notGot(invoke, 4)
    const last = Math.max(0, this.memory.clients.get(client.address)!.slot.floor - 1)
    switch (this.model.switches.publicCounter) {
      case 'true value':
        return got(invoke, unsigned32(last))
      case 'stale':
        return got(invoke, unsigned32(Math.max(0, last - 50)))
      case 'absurdly high':
        return got(invoke, unsigned32(0xfffffff0))
      case 'not readable':
        return notGot(invoke, 3)
    }
  }

  /** What waited for the next association. */
  #settle(client: ClientMemory): void {
    this.#takeHold(client)
    if (!client.resets) return
    // Its own counter goes on: under one key it would repeat its nonces.
    client.slot.floor = this.model.switches.firstCounter
    delete client.resets
  }

  /** New keys begin to hold, and with them, or without, the counters begin anew. */
  #takeHold(client: ClientMemory): void {
    const { next } = client
    const { counterAfterAk, counterAfterGuek, firstCounter } = this.model.switches
    if (next?.slot) {
      const { floor, sends } = client.slot
      client.slot = counterAfterGuek === 'kept' ? { ...next.slot, floor, sends } : next.slot
    }
    if (next?.ak) {
      client.ak = next.ak
      if (counterAfterAk === 'reset') client.slot.floor = firstCounter
    }
    delete client.next
  }

  /** What stands in it. @throws Refused when the meter does not take it */
  #uncovered({ slot, ak }: Under, title: Buffer, secured: Secured, pass3 = false): Buffer {
    const { protection, counterRule } = this.model.switches
    const taken = protectionsTaken[protection]
    if (!taken.includes(secured.control)) this.#refuse(5, slot)
    const gap = secured.counter - slot.floor
    // Of the two values of pass 3 the one inside comes first.
    const strict = counterRule === 'strictly-next' && gap > (pass3 ? 1 : 0)
    if (gap < 0 || strict) this.#refuse(6, slot)
    const text = uncover({ guek: slot.guek, ak }, title, secured.control, secured.counter, secured.body)
    if (text === undefined) return this.#refuse(5, slot)
    slot.floor = secured.counter + 1
    return text
  }

  #refuse(why: 5 | 6, slot: Slot): never {
    const { exceptionOn } = this.model.switches
    if (exceptionOn === 'silence' || exceptionOn === 'close') throw new Refused(exceptionOn)
    throw new Refused(exceptionOn === 'D8 06' || why === 6 ? exception(6, slot.floor) : exception(5))
  }

  #reply(under: Under, text: Buffer, dedicated: boolean, framing: Framing): Reply {
    const { dropReply } = this.model.switches
    const reply = this.#cover(under, text, dedicated, framing)
    this.memory.replies++
    const drops = typeof dropReply === 'object' && this.memory.replies % dropReply.every === 0
    return drops ? 'close' : reply
  }

  #cover({ slot, ak }: Under, text: Buffer, dedicated: boolean, framing: Framing): Buffer {
    const control = this.model.switches.protection === 'demands 10' ? 0x10 : 0x30
    const counter = slot.sends++
    const body = cover({ guek: slot.guek, ak }, this.title, control, counter, text)
    const general = framing === 'general-glo' && text[0]! >= 0x10
    const tag = general ? (dedicated ? 0xdc : 0xdb) : coveredTag(text[0]!, dedicated)
    return writeSecured({ tag, control, counter, body, ...(general && { title: this.title }) })
  }

  #bent(reply: Buffer, request: Buffer): Buffer {
    const { hostile, hostileReplies } = this.model.switches
    if (hostile === 'no' || this.memory.bent >= hostileReplies) return reply
    const bent = bend(hostile, reply, request, this.title, this.#told)
    if (bent !== reply) this.memory.bent++
    return bent
  }

  #keep(): void {
    this.#options.keeper.keep(this.number, this.memory)
  }
}

interface Under {
  readonly slot: Slot
  readonly ak: Buffer
}

type Framing = 'glo' | 'general-glo'

/** What the meter does with an APDU that it does not take. */
class Refused extends Error {
  readonly reply: Reply

  constructor(reply: Reply) {
    super('not taken')
    this.reply = reply
  }
}

/** The power went while the meter was at work. */
const cut = Symbol('power cut')

const protectionsTaken: Readonly<Record<MeterModel['switches']['protection'], readonly number[]>> = {
  '30 only': [0x30],
  'takes 10': [0x30, 0x10],
  'takes 20': [0x30, 0x20],
  'demands 10': [0x10],
}

function isTransfer({ service, classId, member }: Asked): boolean {
  return service === 'action' && classId === 64 && member === 2
}

/** Year, month, day, day of week, hour, minute, second, hundredths, deviation, status. */
function clockOctets(at: Date): Buffer {
  const out = Buffer.alloc(12)
  out.writeUInt16BE(at.getUTCFullYear())
  out.set([at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCDay() || 7], 2)
  out.set([at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds(), 0xff], 5)
  return out
}

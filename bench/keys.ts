/** SMETS1 symmetric keys: the DCO's cryptographic path beside bare AES, and whole rotations of meters over TCP and TLS. */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { memoryLedger, sendingCounters } from '../src/ground/dlms/counter.ts'
import { newFloor } from '../src/ground/dlms/floor.ts'
import { protect } from '../src/ground/dlms/protect.ts'
import { remove } from '../src/ground/dlms/remove.ts'
import { noSoftHsm, softHsm, testPin } from '../src/ground/keystore/pkcs11/testing.ts'
import { openPkcs11SymmetricModule } from '../src/ground/keystore/pkcs11-symmetric.ts'
import { createSoftwareKeyStore } from '../src/ground/keystore/software.ts'
import type { SymmetricModule } from '../src/ground/keystore/symmetric.ts'
import { softwareSymmetricModule } from '../src/ground/keystore/symmetric-software.ts'
import { demo, type Size } from '../src/main/commands/smets1.ts'
import type { Context } from './bench.ts'

export interface Rates {
  /** Commands a second: two seals checked, AK and GUEK opened, one APDU protected; and the same of replies. */
  readonly commandsPerSecond: number
  readonly repliesPerSecond: number
  readonly bareCommandsPerSecond: number
  readonly bareRepliesPerSecond: number
  readonly ratioOfCommands: number
  readonly ratioOfReplies: number
}

export type KeysFigures = {
  /** By kind of module; SoftHSM2 only where it is installed, and the bare AES is the platform's in either case. */
  readonly symmetric: Readonly<Record<string, Rates>>
  /** Null when no meters were asked for. */
  readonly rotation: {
    readonly meters: number
    readonly metersPerSecond: number
    /** At that rate, for five million meters. */
    readonly daysForFiveMillion: number
    readonly perMeter: { readonly s1sp: Size; readonly dco: Size }
  } | null
}

/**
 * @param options.count commands and replies of each kind
 * @param options.meters with four clients, AK and GUEK each, to be rotated end to end; each key a transfer of its own
 */
export async function run(
  { count, meters }: { count: number; meters: number },
  { folder, signal, say }: Context,
): Promise<KeysFigures> {
  say('the DCO’s cryptographic path, beside bare AES')
  const symmetric: Record<string, Rates> = { software: await inSoftware(folder, count) }
  // A token of software, through the interface of a module: it shows what the interface costs, and no module's speed.
  if (!noSoftHsm) symmetric.softhsm2 = await inToken(Math.ceil(count / 5))
  say(`${meters} meters`)
  const rotation = meters > 1 ? await rotate(meters, folder, signal, say) : null
  return { symmetric, rotation }
}

async function inSoftware(folder: string, count: number): Promise<Rates> {
  const path = join(folder, 'keys')
  const weak = { chance: randomBytes, log2N: 10, allowWeak: true }
  const keys = createSoftwareKeyStore({ path, name: 'bench', passphrase: Buffer.from('bench'), ...weak })
  const rates = await cryptography(softwareSymmetricModule(keys, randomBytes), count)
  keys.close()
  return rates
}

async function inToken(count: number): Promise<Rates> {
  const hsm = softHsm()
  try {
    hsm.token('bench')
    const opening = { library: hsm.library, token: 'bench', pin: Buffer.from(testPin), chance: randomBytes }
    const module = openPkcs11SymmetricModule({ ...opening, clock: () => new Date() })
    const rates = await cryptography(module, count)
    module.close()
    return rates
  } finally {
    hsm.remove()
  }
}

async function rotate(meters: number, folder: string, signal: AbortSignal, say: (text: string) => void) {
  const kinds = [{ share: 100, model: ['plain-meter'] as [string] }]
  const story = await demo(join(folder, 'smets1'), meters, say, { kinds, signal })
  const rotated = story.models.reduce((sum, { rotated }) => sum + rotated, 0)
  if (rotated !== meters) throw new Error(`${rotated} of ${meters} meters were rotated`)
  const { seconds, growth } = story
  const metersPerSecond = meters / seconds.rotating
  const each = ({ store, journal, entries }: Size): Size => ({
    store: Math.round(store / meters),
    journal: Math.round(journal / meters),
    entries: Math.round(entries / meters),
  })
  return {
    meters,
    metersPerSecond: Number(metersPerSecond.toFixed(2)),
    daysForFiveMillion: Number((5e6 / metersPerSecond / 86_400).toFixed(1)),
    perMeter: { s1sp: each(growth.s1sp), dco: each(growth.dco) },
  }
}

/** A get-request, and a reply of the same size. */
const plain = Buffer.from('c001c100080000010000ff0200', 'hex')
const title = Buffer.from('4f534d4b00000001', 'hex')
/** As long as the canonical encoding of a key record. */
const recordLength = 330
const rounds = 7

async function cryptography(module: SymmetricModule, count: number): Promise<Rates> {
  module.makeHsmKey('dco', 'DCO Key')
  module.makeHsmKey('shared', 'Shared Key')
  module.makeHsmKey('seal', 'seal')
  const made = { ak: module.makeKey('AK', 'ak', 'dco'), guek: module.makeKey('GUEK', 'guek', 'shared') }
  const bodies = [randomBytes(recordLength), randomBytes(recordLength)]
  const seals = bodies.map(body => module.sealRecord('seal', body))
  const counters = sendingCounters(memoryLedger(), { block: 32 })
  const { cipher } = module

  /** What the DCO does with the records of every message, and then with the APDU. */
  const opened = <T>(work: (keys: Parameters<typeof protect>[0]) => T): T => {
    for (const [i, body] of bodies.entries())
      if (!module.checkSeal('seal', body, seals[i]!)) throw new Error('a seal')
    const ak = module.openPackage('AK', 'ak', made.ak.packaged)
    const key = module.openPackage('GUEK', 'guek', made.guek.packaged)
    try {
      return work({ cipher, key, ak })
    } finally {
      ak.close()
      key.close()
    }
  }
  const apdus: Buffer[] = []
  const commands = async (): Promise<void> => {
    apdus.length = 0
    for (let i = 0; i < count; i++) {
      const counter = await counters.take(made.guek.key, title)
      apdus.push(opened(keys => protect(keys, counter, plain)))
    }
  }
  const replies = async (): Promise<void> => {
    let floor = newFloor()
    for (const apdu of apdus) floor = opened(keys => remove(keys, apdu, { from: 'client', title, floor })).floor
  }

  const bare = bareAes(bodies)
  const seconds = {
    commands: [] as number[],
    replies: [] as number[],
    bareCommands: [] as number[],
    bareReplies: [] as number[],
  }
  for (let round = 0; round <= rounds; round++) {
    const taken = {
      commands: await timed(commands),
      replies: await timed(replies),
      bareCommands: await timed(() => bare.commands(count)),
      bareReplies: await timed(() => bare.replies(count)),
    }
    // The first warms up.
    if (round > 0)
      for (const [name, value] of Object.entries(taken)) seconds[name as keyof typeof seconds].push(value)
  }
  const rate = (name: keyof typeof seconds) => count / median(seconds[name])
  const ratio = (ours: number, theirs: number) => Number((ours / theirs).toFixed(3))
  return {
    commandsPerSecond: Math.round(rate('commands')),
    repliesPerSecond: Math.round(rate('replies')),
    bareCommandsPerSecond: Math.round(rate('bareCommands')),
    bareRepliesPerSecond: Math.round(rate('bareReplies')),
    ratioOfCommands: ratio(rate('commands'), rate('bareCommands')),
    ratioOfReplies: ratio(rate('replies'), rate('bareReplies')),
  }
}

/** The same primitives on as many octets, with everything prepared: two CMACs, two blocks, one GCM. */
function bareAes(bodies: readonly Buffer[]) {
  const [sealKey, dcoKey, sharedKey, guek, ak] = Array.from({ length: 5 }, () => randomBytes(16))
  const zero = Buffer.alloc(16)
  const [packagedAk, packagedGuek] = [randomBytes(16), randomBytes(16)]
  const associated = Buffer.concat([Buffer.of(0x30), ak!])
  const iv = Buffer.concat([title, Buffer.alloc(4)])
  const withTag = { authTagLength: 12 } as const
  let counter = 0
  let ciphertext: Buffer = Buffer.alloc(0)
  let tag: Buffer = Buffer.alloc(0)
  const records = () => {
    // A CMAC is one block for its subkeys, and a chain.
    for (const body of bodies) {
      createCipheriv('aes-128-ecb', sealKey!, null).setAutoPadding(false).update(zero)
      const mac = createCipheriv('aes-128-cbc', sealKey!, zero).setAutoPadding(false)
      mac.update(body.subarray(0, body.length - (body.length % 16)))
      mac.final()
    }
    createDecipheriv('aes-128-ecb', dcoKey!, null).setAutoPadding(false).update(packagedAk!)
    createDecipheriv('aes-128-ecb', sharedKey!, null).setAutoPadding(false).update(packagedGuek!)
  }
  const seal = () => {
    const cipher = createCipheriv('aes-128-gcm', guek!, iv, withTag)
    cipher.setAAD(associated)
    ciphertext = cipher.update(plain)
    cipher.final()
    tag = cipher.getAuthTag()
  }
  return {
    commands(count: number) {
      for (let i = 0; i < count; i++) {
        records()
        iv.writeUInt32BE(counter++, 8)
        seal()
      }
    },
    replies(count: number) {
      seal()
      for (let i = 0; i < count; i++) {
        records()
        const decipher = createDecipheriv('aes-128-gcm', guek!, iv, withTag)
        decipher.setAAD(associated)
        decipher.setAuthTag(tag)
        decipher.update(ciphertext)
        decipher.final()
      }
    },
  }
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const start = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - start) / 1e9
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

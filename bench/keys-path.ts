/** The DCO's cryptographic path: seals checked, keys opened, one APDU protected or taken in; beside the bare primitives. */

import { randomBytes } from 'node:crypto'
import { memoryLedger, sendingCounters } from '../src/ground/dlms/counter.ts'
import { newFloor } from '../src/ground/dlms/floor.ts'
import { protect } from '../src/ground/dlms/protect.ts'
import { remove } from '../src/ground/dlms/remove.ts'
import type { SymmetricModule } from '../src/ground/keystore/symmetric.ts'
import type { Bare, Material } from './keys-bare.ts'

export interface Rates {
  /** Commands a second: two seals checked, AK and GUEK opened, one APDU protected; and the same of replies. */
  readonly commandsPerSecond: number
  readonly repliesPerSecond: number
  readonly bareCommandsPerSecond: number
  readonly bareRepliesPerSecond: number
  /** By processor time, the runtime's own threads counted in: a machine that does other things too takes from both alike. */
  readonly ratioOfCommands: number
  readonly ratioOfReplies: number
}

/** A get-request, and a reply of the same size. */
const plain = Buffer.from('c001c100080000010000ff0200', 'hex')
const title = Buffer.from('4f534d4b00000001', 'hex')
/** As long as the canonical encoding of a key record. */
const recordLength = 330
const rounds = 21

/**
 * The path of a module that is still empty, beside each of the references.
 * @param references are made once the module has its HSM Keys
 */
export async function cryptography<Name extends string>(
  module: SymmetricModule,
  count: number,
  references: Readonly<Record<Name, (material: Material) => Bare>>,
): Promise<Readonly<Record<Name, Rates>>> {
  const bodies = [randomBytes(recordLength), randomBytes(recordLength)]
  const path = pathOf(module, bodies)
  const found = {} as Record<Name, Rates>
  for (const name of Object.keys(references) as Name[]) {
    const bare = references[name]({ bodies, plain, title })
    found[name] = await beside(path, bare, Math.ceil(count / 5))
    bare.close?.()
  }
  return found
}

interface Path {
  commands(count: number): Promise<void>
  /** As many as there were commands. */
  replies(): void
}

function pathOf(module: SymmetricModule, bodies: readonly Buffer[]): Path {
  module.makeHsmKey('dco', 'DCO Key')
  module.makeHsmKey('shared', 'Shared Key')
  module.makeHsmKey('seal', 'seal')
  const made = { ak: module.makeKey('AK', 'ak', 'dco'), guek: module.makeKey('GUEK', 'guek', 'shared') }
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
  let apdus: Buffer[] = []
  return {
    async commands(count) {
      apdus = []
      for (let i = 0; i < count; i++) {
        const counter = await counters.take(made.guek.key, title)
        apdus.push(opened(keys => protect(keys, counter, plain)))
      }
    },
    replies() {
      let floor = newFloor()
      for (const apdu of apdus) floor = opened(keys => remove(keys, apdu, { from: 'client', title, floor })).floor
    },
  }
}

/** Ours and the bare by turns, in small pieces: what else the machine does then falls upon both. */
async function beside(path: Path, bare: Bare, count: number): Promise<Rates> {
  const taken: Record<'commands' | 'replies' | 'bareCommands' | 'bareReplies', Spent>[] = []
  for (let round = -1; round < rounds; round++) {
    const spent = {
      commands: await timed(() => path.commands(count)),
      bareCommands: await timed(() => bare.commands(count)),
      replies: await timed(() => path.replies()),
      bareReplies: await timed(() => bare.replies(count)),
    }
    // The first warms up.
    if (round >= 0) taken.push(spent)
  }
  const rate = (name: keyof (typeof taken)[number]) =>
    Math.round(count / median(taken.map(each => each[name].seconds)))
  const ratio = (ours: 'commands' | 'replies', theirs: 'bareCommands' | 'bareReplies') =>
    Number(median(taken.map(each => each[theirs].processor / each[ours].processor)).toFixed(3))
  return {
    commandsPerSecond: rate('commands'),
    repliesPerSecond: rate('replies'),
    bareCommandsPerSecond: rate('bareCommands'),
    bareRepliesPerSecond: rate('bareReplies'),
    ratioOfCommands: ratio('commands', 'bareCommands'),
    ratioOfReplies: ratio('replies', 'bareReplies'),
  }
}

interface Spent {
  readonly seconds: number
  readonly processor: number
}

async function timed(work: () => Promise<void> | void): Promise<Spent> {
  const [start, before] = [process.hrtime.bigint(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, processor: (user + system) / 1e6 }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

/** What a meter remembers through a power cut: keys and counters of each client, the Master Key; kept in one file. */

import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'

/** A GUEK, with the counters that belong to it. */
export interface Slot {
  guek: Buffer
  /** The lowest invocation counter that is taken. */
  floor: number
  /** The counter of the next APDU that is sent. */
  sends: number
}

export interface ClientMemory {
  slot: Slot
  ak: Buffer
  /** New keys that hold from the next association on. */
  next?: { slot?: Slot; ak?: Buffer }
  /** The counters begin anew at the next association. */
  resets?: boolean
  /** The client's system title, as its last association had it. */
  title?: Buffer
}

export interface MeterMemory {
  mk: Buffer
  gbek?: Buffer
  /** By the address of the client. */
  readonly clients: Map<number, ClientMemory>
  policy: number
  /** How many transfers of keys, ciphered replies and bent replies there were: the switches count by them. */
  transfers: number
  replies: number
  bent: number
}

export interface Keeper {
  /** What was kept of that meter, if anything was. */
  load(meter: number): MeterMemory | undefined
  /** Kept when this returns: the death of the process takes nothing back. */
  keep(meter: number, memory: MeterMemory): void
  close(): void
}

/** For meters that need not outlive their process. */
export const forgetfulKeeper: Keeper = { load: () => undefined, keep: () => {}, close: () => {} }

/**
 * One file for many meters, a line for each change; what was written last counts. A line that the end of the process
 * cut short was never kept. Not forced to the disk: it is the process that the tests kill, not the machine.
 */
export function fileKeeper(path: string): Keeper {
  const lines = new Map<number, string>()
  for (const line of existsSync(path) ? readFileSync(path, 'latin1').split('\n') : []) {
    const number = Number(/^(\d+) .*\}$/.exec(line)?.[1] ?? Number.NaN)
    if (!Number.isNaN(number)) lines.set(number, line)
  }
  rewrite(path, [...lines.values()])
  const file = openSync(path, 'a', 0o600)
  return {
    load(meter) {
      const line = lines.get(meter)
      return line === undefined ? undefined : read(line.slice(line.indexOf(' ') + 1))
    },
    keep: (meter, memory) => void appendFileSync(file, `${meter} ${write(memory)}\n`, 'latin1'),
    close: () => closeSync(file),
  }
}

/** What is superseded goes, so that the file does not grow from run to run. */
function rewrite(path: string, lines: readonly string[]): void {
  const draft = `${path}.new`
  const file = openSync(draft, 'w', 0o600)
  if (lines.length > 0) writeSync(file, `${lines.join('\n')}\n`)
  fsyncSync(file)
  closeSync(file)
  renameSync(draft, path)
}

const octets = /^x[0-9a-f]*$/

function write(memory: MeterMemory): string {
  const plain = { ...memory, clients: [...memory.clients] }
  // A Buffer makes itself JSON before a replacer sees it, so it is looked for in its holder.
  return JSON.stringify(plain, function (this: Record<string, unknown>, name, value) {
    const held = this[name]
    return Buffer.isBuffer(held) ? `x${held.toString('hex')}` : value
  })
}

function read(text: string): MeterMemory {
  const plain = JSON.parse(text, (_, value) =>
    typeof value === 'string' && octets.test(value) ? Buffer.from(value.slice(1), 'hex') : value,
  ) as Omit<MeterMemory, 'clients'> & { clients: [number, ClientMemory][] }
  return { ...plain, clients: new Map(plain.clients) }
}

/** The keys that a meter leaves its maker with. */
export interface MeterKeys {
  readonly mk: Buffer
  readonly gbek?: Buffer
  /** By the address of the client. */
  readonly clients: ReadonlyMap<number, { readonly ak: Buffer; readonly guek: Buffer }>
}

export function freshMemory(keys: MeterKeys, first: number): MeterMemory {
  const clients = [...keys.clients].map(([address, { ak, guek }]): [number, ClientMemory] => [
    address,
    { slot: { guek, floor: first, sends: 0 }, ak },
  ])
  return {
    mk: keys.mk,
    ...(keys.gbek && { gbek: keys.gbek }),
    clients: new Map(clients),
    policy: 3,
    transfers: 0,
    replies: 0,
    bent: 0,
  }
}

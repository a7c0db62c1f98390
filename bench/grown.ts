/** What a grown store holds: which group of certificates is whose, from when, signed by which Issuing DCA. Decided once, kept in the home. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '../src/main/home.ts'

/** Numbers are taken from the store's own sequences in one piece, so that a run that broke off goes on where it was. */
export interface Grown {
  readonly certificates: number
  readonly groupSize: number
  readonly groupsOfBatch: number
  /** Milliseconds since 1970: the first group, and just after the last. */
  readonly from: number
  readonly until: number
  /** The first of each block. */
  readonly signing: string
  readonly batch: string
  readonly entry: string
  /** Numbers of Issuing DCAs, each for so many groups. */
  readonly dcas: readonly number[]
  readonly groupsOfDca: number
  /** Numbers of the Parties, which take turns by the batch. */
  readonly parties: readonly number[]
  /** What was dropped for the time of filling, as it has to be made again. */
  readonly indexes: readonly string[]
  readonly finished: boolean
}

/** Journal entries that may stand at one group: submit, approve, intend, issue, complete. */
export const entriesOfGroup = 5

export interface GroupPlan {
  readonly number: number
  readonly count: number
  readonly signing: bigint
  readonly entry: bigint
  readonly moment: Date
  readonly dca: number
  readonly party: number
  readonly batch: bigint
  readonly portion: number
  /** The number of its first Device; each has a certificate for digitalSignature and one for keyAgreement. */
  readonly firstDevice: number
  /** Of the first of a Device's two; a group that replaces certificates goes on counting. */
  readonly ordinal: number
}

/** Of ten groups the tenth replaces the certificates of the first: a tenth of all is no longer in use. */
const cycle = 10

export function groupsOf({ certificates, groupSize }: Pick<Grown, 'certificates' | 'groupSize'>): number {
  return Math.ceil(certificates / groupSize)
}

export function groupPlan(grown: Grown, number: number): GroupPlan {
  const { certificates, groupSize, groupsOfBatch, groupsOfDca, from, until } = grown
  const replaces = number % cycle === cycle - 1
  const batch = Math.floor(number / groupsOfBatch)
  const moment = from + Math.floor((number / groupsOf(grown)) * (until - from))
  return {
    number,
    count: Math.min(groupSize, certificates - number * groupSize),
    signing: BigInt(grown.signing) + BigInt(number),
    entry: BigInt(grown.entry) + BigInt(number * entriesOfGroup),
    moment: new Date(moment - (moment % 1000)),
    dca: grown.dcas[Math.floor(number / groupsOfDca)]!,
    party: grown.parties[batch % grown.parties.length]!,
    batch: BigInt(grown.batch) + BigInt(batch),
    portion: number % groupsOfBatch,
    firstDevice: ((replaces ? number - (cycle - 1) : number) * groupSize) / 2,
    ordinal: replaces ? 3 : 1,
  }
}

/** Beside those of the simulator and of the other benchmarks. */
const firstDeviceId = 0x02e0_0000_0000_0000n

export function eui64Of(device: number): Buffer {
  const octets = Buffer.alloc(8)
  octets.writeBigUInt64BE(firstDeviceId + BigInt(device))
  return octets
}

const fileOf = (home: Home) => join(home.path, 'grown.json')

export function readGrown(home: Home): Grown | undefined {
  return existsSync(fileOf(home)) ? JSON.parse(readFileSync(fileOf(home), 'utf8')) : undefined
}

export function writeGrown(home: Home, grown: Grown): void {
  writeFileSync(fileOf(home), `${JSON.stringify(grown, null, 2)}\n`, { mode: 0o600 })
}

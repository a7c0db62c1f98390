/** The signer's own counter: what it signed last, kept beside its keys, so that a store that went back is found out. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Bytes } from '../ground/bytes.ts'
import { toHex } from '../ground/bytes.ts'
import type { KeyStore } from '../ground/keystore/keystore.ts'
import { Refusal } from '../ground/refusal.ts'
import { sequences } from '../ground/store/epoch.ts'
import { type Mark, openMark } from '../ground/store/mark.ts'
import { type Position, positionOf } from '../ground/store/position.ts'
import type { Store } from '../ground/store/store.ts'
import { keyIdentifier } from '../ground/x509/key.ts'
import { numberedList } from '../ground/x509/list-number.ts'
import { authorities } from '../rooms/authority/register.ts'
import { journalKey } from './key-stores.ts'

/** The checkpoint that was signed last; it may not have been committed. */
export interface JournalMark {
  readonly log: string
  readonly size: number
  /** Base64, as the checkpoint has it. */
  readonly root: string
}

/** What the store was when it was looked at last, and numbers that it will not have reached before the next look. */
export interface StoreMark {
  readonly epoch: number
  /** Undefined where the server does not tell: then only what is missing for certain is found. */
  readonly position?: Position
  /** By sequence: what it gave and will give, decimal. */
  readonly sequences: Readonly<Record<string, string>>
  /** By Issuing DCA's key identifier: how many certificates it was and will be allotted. */
  readonly allotted: Readonly<Record<string, number>>
}

/** Somebody put the store back on purpose, and says so. */
export interface RestoredMark {
  /** The epoch that it was: a later one has begun when an operator has acknowledged it. */
  readonly epoch: number
  readonly at: string
  /** The moment that was asked for; null for the latest. */
  readonly to: string | null
}

export interface Marks {
  readonly journal: Mark<JournalMark>
  readonly store: Mark<StoreMark>
  readonly restored: Mark<RestoredMark>
  /** By issuer's key identifier, hexadecimal: the number of the list that was signed last, decimal. */
  list(issuerKey: string): Mark<string>
  lists(): ReadonlyMap<string, bigint>
}

/** The marks in a folder, which need not be there yet. Programs that write one mark take turns by what they hold in the store. */
export function marksIn(folder: string): Marks {
  const list = (issuerKey: string) => openMark<string>(join(folder, `list-${issuerKey}`), 100)
  return {
    journal: openMark(join(folder, 'journal'), 1000),
    store: openMark(join(folder, 'store'), 30_000),
    restored: openMark(join(folder, 'restored'), 1000),
    list,
    lists() {
      const keys = namesIn(folder).flatMap(name => /^list-([0-9a-f]+)$/.exec(name)?.[1] ?? [])
      return new Map(keys.map(key => [key, BigInt(list(key).read() ?? 0)]))
    },
  }
}

/**
 * The key store, remembering each list and each checkpoint of the journal before it is signed: one flush for each of
 * them, none for a certificate. What is remembered and not signed in the end, or signed and not kept, does no harm.
 */
export function counting<Keys extends KeyStore>(keys: Keys, marks: Marks): Keys {
  const sign: KeyStore['sign'] = (label, octets) => {
    remember(marks, label, octets)
    return keys.sign(label, octets)
  }
  return new Proxy(keys, {
    get(of, name) {
      if (name === 'sign') return sign
      const found = Reflect.get(of, name, of) as unknown
      return typeof found === 'function' ? found.bind(of) : found
    },
  })
}

function remember(marks: Marks, label: string, octets: Bytes): void {
  if (label === journalKey) {
    const [log, size, root] = Buffer.from(octets).toString().split('\n')
    if (root !== undefined && root !== '') marks.journal.write({ log: log!, size: Number(size), root })
    return
  }
  const list = numberedList(octets)
  if (!list) return
  const mark = marks.list(list.issuerKey)
  const last = BigInt(mark.read() ?? 0)
  if (list.number < last)
    throw new Refusal(
      'STORE_WENT_BACK',
      `list number ${last} was signed with this key before: ${list.number} is not`,
    )
  if (list.number > last) mark.write(String(list.number))
}

/** How far ahead numbers are reserved: more than are given between two looks, and a small part of what there is. */
const ahead = { sequence: 100_000n, part: 1000n, allotted: 5000 }

/** Looks at the store and remembers where it is; what was reserved before is written anew when half of it is used. */
export async function rememberStore(store: Store, marks: Marks, epoch: number): Promise<void> {
  const before = marks.store.read()
  const reserved = before?.epoch === epoch ? before : undefined
  const numbers: Record<string, string> = {}
  for (const { name, last, left } of await sequences(store)) {
    const step = min(ahead.sequence, left / ahead.part)
    const was = BigInt(reserved?.sequences[name] ?? 0)
    numbers[name] = String(was - last >= step / 2n ? was : last + step)
  }
  const allotted: Record<string, number> = {}
  for (const { keyId, given } of await dcas(store)) {
    const was = reserved?.allotted[keyId] ?? 0
    allotted[keyId] = given === 0 || was - given >= ahead.allotted / 2 ? was : given + ahead.allotted
  }
  const position = await positionOf(store).catch(() => undefined)
  marks.store.write({ epoch, ...(position && { position }), sequences: numbers, allotted })
}

/** Under load the store is looked at that often; when nothing happens any more, once, and no sooner after the last. */
const everyMs = { busy: 5000, idle: 1000 }

/** To be told after each turn of the integrator how many entries it placed. */
export function lookout(store: Store, marks: Marks, epoch: number): (grown: number) => Promise<void> {
  let grew = false
  let looked = Number.NEGATIVE_INFINITY
  return async grown => {
    grew ||= grown > 0
    const now = performance.now()
    if (!grew || now - looked < (grown > 0 ? everyMs.busy : everyMs.idle)) return
    await rememberStore(store, marks, epoch)
    grew = grown > 0
    looked = now
  }
}

async function dcas(store: Store): Promise<{ keyId: string; given: number }[]> {
  const known = (await authorities(store)).filter(one => one.pki === 'smki-device' && one.level === 'issuing')
  return known.map(one => ({
    keyId: toHex(keyIdentifier(one.certificate.publicKey.key)),
    given: one.allotted,
  }))
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
}

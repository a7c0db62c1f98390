/** Key stores that k of n people open together: passphrases shared, and put together again for one piece of work. */

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { view } from '../ground/bytes.ts'
import { entry } from '../ground/journal/entry.ts'
import { append } from '../ground/journal/journal.ts'
import type { OpenKeyStore } from '../ground/keystore/attach.ts'
import {
  digestOf,
  type Envelope,
  envelopeSchema,
  type Quorum,
  quorumSchema,
  share,
  unite,
  without,
} from '../ground/keystore/quorum.ts'
import { refusal } from '../ground/keystore/quorum-refusals.ts'
import { Refusal } from '../ground/refusal.ts'
import type { Hands } from '../rooms/authority/issue-one.ts'
import { type Home, privateFolder, writePrivate } from './home.ts'
import type { KeyStoreName } from './key-stores.ts'

export interface SharingPlan {
  readonly name: KeyStoreName
  readonly threshold: number
  /** References to the register of nominations. */
  readonly holders: readonly string[]
  /** A folder of nobody else; one file for each holder is written into it. */
  readonly out: string
}

/**
 * Gives the store a new passphrase that nobody knows, and each holder a share of it. The files are written, and looked
 * at, before the passphrase changes; until it has changed the old one opens the store, and the record of the new
 * sharing waits beside the one in force.
 * @returns the record, and the paths of the envelopes
 * @throws Refusal QUORUM_SIZE, QUORUM_HOLDER_TWICE, SHARE_EXISTS
 */
export async function shareKeyStore(
  hands: Hands,
  home: Home,
  store: OpenKeyStore,
  { name, threshold, holders, out }: SharingPlan,
): Promise<{ quorum: Quorum; files: readonly string[] }> {
  // 192 bits as text, which a token takes as a PIN and a person could type.
  const passphrase = Buffer.from(view(hands.chance(24)).toString('base64url'))
  try {
    const plan = { store: store.identity, threshold, holders }
    const { quorum, envelopes } = await share(passphrase, plan, hands.chance)
    const files = envelopes.map(one => join(privateFolder(out), `${name}-${one.index}-${one.holder}.json`))
    const taken = files.find(file => existsSync(file))
    if (taken !== undefined)
      throw new Refusal('SHARE_EXISTS', `${taken} is there already: give a folder that is empty`)
    const paths = pathsOf(home, name)
    rmSync(paths.next, { force: true })
    writePrivate(paths.next, text(quorum))
    envelopes.forEach((envelope, i) => {
      writePrivate(files[i]!, text(envelope))
    })
    await told(hands, 'quorum sharing begun', quorum, {})

    // What was written opens what will be set: read back, and put together once.
    const read = files.map(readEnvelope)
    const again = await unite(quorum, read.slice(0, threshold))
    const right = again.equals(passphrase)
    again.fill(0)
    if (!right) throw new Error('the shares that were written do not give the passphrase')

    store.changePassphrase(passphrase)
    renameSync(paths.next, paths.inForce)
    // The old passphrase opens nothing any more.
    rmSync(name === 'root' ? home.rootPassphrase : home.issuingPassphrase, { force: true })
    await told(hands, 'quorum shared', quorum, {})
    return { quorum, files }
  } finally {
    passphrase.fill(0)
  }
}

/**
 * The passphrase of a store, from the files of enough holders. Who brought them and what for stands in the journal, and
 * so does an attempt that is refused.
 * @throws Refusal QUORUM_…
 */
export async function uniteShares(
  hands: Hands,
  home: Home,
  name: KeyStoreName,
  files: readonly string[],
  purpose: string,
): Promise<Buffer> {
  const envelopes = files.map(readEnvelope)
  const quorum = quorumOf(home, name, envelopes[0]?.ceremony)
  const holders = envelopes.map(({ holder }) => holder)
  try {
    const passphrase = await unite(quorum, envelopes)
    await told(hands, 'quorum united', quorum, { holders, purpose })
    return passphrase
  } catch (cause) {
    if (cause instanceof Refusal)
      await told(hands, 'quorum refused', quorum, { holders, purpose, code: cause.code })
    throw cause
  }
}

/** A holder leaves: their share is refused from now on. @throws Refusal as `without` */
export async function leaveQuorum(hands: Hands, home: Home, name: KeyStoreName, holder: string): Promise<Quorum> {
  const left = without(quorumOf(home, name), holder, hands.clock())
  const { inForce } = pathsOf(home, name)
  const draft = `${inForce}.new`
  writeFileSync(draft, text(left), { mode: 0o600 })
  renameSync(draft, inForce)
  await told(hands, 'quorum holder left', left, { holder })
  return left
}

/** The record in force; of a sharing that was stopped before its end, the record that waits. @throws Refusal */
export function quorumOf(home: Home, name: KeyStoreName, ceremony?: string): Quorum {
  const { inForce, next } = pathsOf(home, name)
  const known = [inForce, next].filter(path => existsSync(path)).map(path => read(path, quorumSchema.parse))
  const quorum = known.find(one => one.ceremony === ceremony) ?? known[0]
  if (!quorum) throw refusal('QUORUM_MISSING', name)
  return quorum
}

/** @throws Refusal QUORUM_UNREADABLE */
export function readEnvelope(path: string): Envelope {
  return read(path, envelopeSchema.parse)
}

function pathsOf(home: Home, name: KeyStoreName) {
  const folder = privateFolder(join(home.path, 'quorum'))
  return { inForce: join(folder, `${name}.json`), next: join(folder, `${name}.next.json`) }
}

function read<T>(path: string, parse: (value: unknown) => T): T {
  if (!existsSync(path)) throw refusal('QUORUM_UNREADABLE', path)
  try {
    return parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    // Not the cause: it may quote what stands in the file, and that may be a share.
    throw refusal('QUORUM_UNREADABLE', path)
  }
}

const text = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

/** Holders stand by reference; nothing of a share is said. */
async function told(
  hands: Hands,
  act: string,
  quorum: Quorum,
  more: Readonly<Record<string, string | readonly string[]>>,
): Promise<void> {
  const { ceremony, store, threshold } = quorum
  const body = {
    ceremony,
    keyStore: store,
    threshold,
    holders: quorum.holders.filter(one => one.left === undefined).map(({ holder }) => holder),
    record: digestOf(quorum),
    ...more,
  }
  await hands.store.transaction(client => append(client, entry(act, hands.clock(), body)))
}

/** The stores of what Key Custodians keep: made by a ceremony, shared, opened for making; their keys act by `wake` alone. */

import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Bytes, view } from '../ground/bytes.ts'
import type { OpenKeyStore } from '../ground/keystore/attach.ts'
import { type Envelope, type Quorum, unite } from '../ground/keystore/quorum.ts'
import { Refusal } from '../ground/refusal.ts'
import type { Store } from '../ground/store/store.ts'
import type { Settings } from '../policy/settings.ts'
import { custodyRecords, handOverShares, type Kept } from '../rooms/recovery/custodians.ts'
import { uniteForMaking } from '../rooms/recovery/custody.ts'
import type { RecoveryHands } from '../rooms/recovery/hands.ts'
import type { Officer } from '../rooms/registration/act.ts'
import { custodyLabels, newestNumber } from './ceremony.ts'
import { type Home, privateFolder, writePrivate } from './home.ts'
import { type CustodyName, custodyNames, openKeyStore, passphraseFile } from './key-stores.ts'
import { passphraseOf } from './passphrases.ts'
import { readEnvelope } from './quorum.ts'

/** What the rooms call it. */
export const keptAs: Readonly<Record<CustodyName, Kept>> = {
  contingency: 'contingency key',
  symmetric: 'symmetric key',
  recovery: 'recovery key',
}

const known = z.strictObject({ contingency: z.string(), symmetric: z.string(), recovery: z.string() })

/** Makes the three, and writes down which stores they are: identities, which open nothing. */
export function makeCustody(
  home: Home,
  make: (name: CustodyName) => OpenKeyStore,
): Readonly<Record<CustodyName, OpenKeyStore>> {
  const stores = { contingency: make('contingency'), symmetric: make('symmetric'), recovery: make('recovery') }
  const identities = Object.fromEntries(custodyNames.map(name => [name, stores[name].identity]))
  writePrivate(join(privateFolder(home.custody), 'stores.json'), `${JSON.stringify(identities, null, 2)}\n`)
  return stores
}

/** The identities of the three stores; undefined in a home that was made when these keys lay in the root store. */
export function custodyStores(home: Home): Readonly<Record<CustodyName, string>> | undefined {
  const path = join(home.custody, 'stores.json')
  return existsSync(path) ? known.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined
}

/** @throws Refusal KEYS_NOT_APART, with what to do */
export function requireApart(home: Home): Readonly<Record<CustodyName, string>> {
  const stores = custodyStores(home)
  if (stores) return stores
  throw new Refusal(
    'KEYS_NOT_APART',
    'the Contingency Private Key of this environment lies in the root key store, which no key leaves: make stores for Key Custodians (smki recovery custodian prepare), share them, and replace the pair with its root (smki recovery make root, then the case contingency)',
  )
}

export interface CustodyShown {
  readonly thing: Kept
  /** The identity of its store, which is its place; undefined where it lies in the root store still. */
  readonly store: string | undefined
  /** How many of how many custodians open it; undefined while it opens by a passphrase. */
  readonly quorum: { readonly needed: number; readonly of: number; readonly since: Date } | undefined
}

/** Where each is kept and by how many; no secret, and no name. */
export async function custodyShown(home: Home, store: Pick<Store, 'query'>): Promise<CustodyShown[]> {
  const stores = custodyStores(home)
  const records = await custodyRecords(store)
  return custodyNames.map(name => {
    const record = records.find(one => one.thing === keptAs[name])
    const quorum = record?.quorum && {
      needed: record.quorum.needed,
      of: record.quorum.holders.length,
      since: record.since,
    }
    return { thing: keptAs[name], store: stores?.[name], quorum }
  })
}

/** How a store is opened: by the files of its shares, by a file with its passphrase, or as a person types it. */
export interface CustodyOpener {
  readonly share?: readonly string[] | undefined
  readonly passphraseFile?: string | undefined
}

export interface Custodial {
  readonly home: Home
  readonly settings: Settings
  readonly hands: RecoveryHands
}

/**
 * Opens a store to make, change or destroy what is in it.
 * @throws Refusal KEYS_NOT_APART, QUORUM_…, KEYSTORE_…, SHARES_NEEDED
 */
export async function openCustody(
  { home, settings, hands }: Custodial,
  by: Officer,
  name: CustodyName,
  opener: CustodyOpener,
  purpose: string,
): Promise<OpenKeyStore> {
  requireApart(home)
  const passphrase = opener.share
    ? await uniteForMaking(hands, by, keptAs[name], opener.share.map(readEnvelope), purpose)
    : await passphraseOf(name, opener.passphraseFile, passphraseFile(home, name))
  try {
    return openKeyStore(home, settings, name, passphrase)
  } finally {
    passphrase.fill(0)
  }
}

export interface CustodyPlan {
  readonly name: CustodyName
  /** References of people in the register. */
  readonly custodians: readonly string[]
  /** A folder of nobody else; one file for each custodian is written into it. */
  readonly out: string
  readonly opener: CustodyOpener
}

/**
 * Appoints Key Custodians. A key store gets a new passphrase that nobody knows; the Symmetric Key itself is shared, and
 * its store has it no more.
 * @returns the paths of the envelopes: they are handed over, and stay nowhere
 * @throws Refusal as `openCustody` and `handOverShares`; SHARE_EXISTS
 */
export async function shareCustody(
  custodial: Custodial,
  by: Officer,
  { name, custodians, out, opener }: CustodyPlan,
): Promise<{ readonly quorum: Quorum; readonly files: readonly string[] }> {
  const { home, hands } = custodial
  const stores = requireApart(home)
  const files: string[] = []
  const sharing = { thing: keptAs[name], store: stores[name], custodians }

  if (name === 'symmetric' && opener.share) {
    // It is in nobody's store: what was shared is put together, and shared anew.
    const secret = await uniteForMaking(hands, by, keptAs[name], opener.share.map(readEnvelope), 'sharing anew')
    try {
      const settle = async (envelopes: readonly Envelope[], quorum: Quorum) => {
        files.push(...(await written(out, name, envelopes, quorum, secret)))
      }
      return { quorum: await handOverShares(hands, by, { ...sharing, secret }, settle), files }
    } finally {
      secret.fill(0)
    }
  }

  const store = await openCustody(custodial, by, name, opener, 'sharing')
  const secret = name === 'symmetric' ? newestSecret(store) : newPassphrase(hands)
  try {
    const quorum = await handOverShares(hands, by, { ...sharing, secret }, async (envelopes, of) => {
      files.push(...(await written(out, name, envelopes, of, secret)))
      if (name === 'symmetric') for (const label of store.labels()) store.destroy(label)
      else {
        store.changePassphrase(secret)
        // What opened it before opens it no more.
        rmSync(passphraseFile(home, name), { force: true })
      }
    })
    return { quorum, files }
  } finally {
    secret.fill(0)
    store.close()
  }
}

/** 192 bits as text, which a token takes as a PIN and a person could type. */
const newPassphrase = ({ chance }: Pick<RecoveryHands, 'chance'>) =>
  Buffer.from(view(chance(24)).toString('base64url'))

/** @throws Refusal SHARES_NEEDED when it was shared before: then no store has it */
function newestSecret(store: OpenKeyStore): Buffer {
  const number = newestNumber(store.labels(), 'symmetric')
  if (number === 0)
    throw new Refusal(
      'SHARES_NEEDED',
      'the Symmetric Key is shared already: it is shared anew from its shares (--share)',
    )
  return store.withSecret(`${custodyLabels.symmetric}${number}`, octets => Buffer.from(octets))
}

/** Writes the envelopes, reads them back, and puts them together once, before anything depends on them. */
async function written(
  out: string,
  name: CustodyName,
  envelopes: readonly Envelope[],
  quorum: Quorum,
  secret: Bytes,
): Promise<string[]> {
  const files = envelopes.map(one => join(privateFolder(out), `${name}-${one.index}-${one.holder}.json`))
  const taken = files.find(file => existsSync(file))
  if (taken !== undefined)
    throw new Refusal('SHARE_EXISTS', `${taken} is there already: give a folder that is empty`)
  envelopes.forEach((envelope, i) => {
    writePrivate(files[i]!, `${JSON.stringify(envelope, null, 2)}\n`)
  })
  const again = await unite(quorum, files.map(readEnvelope).slice(0, quorum.threshold))
  const isRight = again.equals(secret)
  again.fill(0)
  if (!isRight) throw new Error('the shares that were written do not give the secret')
  return files
}

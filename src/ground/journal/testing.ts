/** What the tests of this folder share: the reference tree, and a slow tree straight from the definition. */

import { hash } from 'node:crypto'
import { type Bytes, fromHex } from '../bytes.ts'
import { writeBundle } from './bundle.ts'
import { signCheckpoint } from './checkpoint.ts'
import type { LogFiles } from './files.ts'
import { hashLength, leafHash } from './merkle.ts'
import type { NoteSigner } from './note.ts'
import { checkpointPath, pathOf } from './paths.ts'
import { GrowingTiles, tileWidth } from './tiles.ts'

/** The leaves of the Certificate Transparency reference tree (google/certificate-transparency, merkle_tree_test.cc). */
export const leaves: readonly Bytes[] = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(fromHex)

/** Its roots, from one leaf to eight. */
export const roots: readonly Bytes[] = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
].map(fromHex)

/** MTH(D[n]) as RFC 6962 2.1 writes it, upon leaf hashes. Shares nothing with what is tested. */
export function slowRoot(hashes: readonly Bytes[]): Bytes {
  if (hashes.length === 0) return hash('sha256', '', 'buffer')
  if (hashes.length === 1) return hashes[0]!
  let k = 1
  while (k * 2 < hashes.length) k *= 2
  const both = Buffer.concat([Buffer.of(1), slowRoot(hashes.slice(0, k)), slowRoot(hashes.slice(k))])
  return hash('sha256', both, 'buffer')
}

/** Leaf hashes that differ. */
export function someLeaves(count: number): Bytes[] {
  return Array.from({ length: count }, (_, at) => hash('sha256', `leaf ${at}`, 'buffer'))
}

/** A key for tests: RFC 8032 7.1, TEST 1. A test makes its signer of it, as only tests and the key store may sign. */
export const testKey = {
  name: 'smki.example/journal',
  publicKey: fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'),
  pkcs8: pkcs8(fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')),
} as const

/** An Ed25519 private key of 32 octets as node:crypto takes it (RFC 8410 7). */
export function pkcs8(seed: Bytes): Buffer {
  return Buffer.concat([fromHex('302e020100300506032b657004220420'), seed])
}

/** A small log in memory, as its files: what a test of readers needs, without a store. */
export class MemoryLog {
  readonly #files = new Map<string, Bytes>()
  readonly #tree = new GrowingTiles()
  readonly #entries: Bytes[] = []

  /** The files as they are at the last checkpoint; a test may change them. */
  get files(): Map<string, Bytes> {
    return this.#files
  }

  get size(): number {
    return this.#entries.length
  }

  readonly read: LogFiles = async path => this.#files.get(path)

  /** Appends entries and signs. @returns the checkpoint */
  async grow(entries: readonly Bytes[], signer: NoteSigner): Promise<string> {
    for (const entry of entries) {
      this.#entries.push(entry)
      this.#tree.append(leafHash(entry))
    }
    for (const { level, index, hashes } of [...this.#tree.takeFull(), ...this.#tree.partial()])
      this.#files.set(pathOf({ level, index, width: hashes.length / hashLength }), hashes)
    for (let index = 0; index * tileWidth < this.size; index++) {
      const row = this.#entries.slice(index * tileWidth, (index + 1) * tileWidth)
      this.#files.set(pathOf({ level: 'entries', index, width: row.length }), writeBundle(row))
    }
    const note = await signCheckpoint(this.size, this.#tree.root(), signer)
    this.#files.set(checkpointPath, Buffer.from(note))
    return note
  }
}

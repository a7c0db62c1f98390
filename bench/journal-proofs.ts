/** Proofs from a journal of millions: its hashes are made, as the integrator would have left them, and asked for. */

import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { toHex } from '../src/ground/bytes.ts'
import { openCheckpoint, signCheckpoint } from '../src/ground/journal/checkpoint.ts'
import { checkpointIn, tilesIn } from '../src/ground/journal/files.ts'
import { leafHash } from '../src/ground/journal/merkle.ts'
import { verifierKey } from '../src/ground/journal/note.ts'
import {
  consistencyProof,
  inclusionProof,
  rootAt,
  verifyConsistency,
  verifyInclusion,
} from '../src/ground/journal/proof.ts'
import { publishedFiles } from '../src/ground/journal/published.ts'
import { GrowingTiles, hashesOf, type Tile } from '../src/ground/journal/tiles.ts'
import { createSoftwareKeyStore } from '../src/ground/keystore/software.ts'
import { copyInto } from '../src/ground/store/copy.ts'
import { homeAt } from '../src/main/home.ts'
import { openHomeStore, systemChance, systemClock } from '../src/main/world.ts'
import type { Context } from './bench.ts'

export interface Proofs {
  readonly entries: number
  /** To make the hashes and write them down. */
  readonly seconds: number
  /** Of a proof, from nothing: checkpoint and hashes are read from the store. */
  readonly milliseconds: Record<string, number>
}

const label = 'journal'

/** Every proof is checked; one that does not hold ends the benchmark. */
export async function proofsFrom(
  { folder, signal, say }: Context,
  { entries, proofs }: { entries: number; proofs: number },
): Promise<Proofs> {
  const keys = createSoftwareKeyStore({
    path: join(folder, 'large-keys'),
    name: 'bench',
    passphrase: Buffer.from('a passphrase of the bench'),
    chance: systemChance,
    log2N: 10,
    allowWeak: true,
  })
  const publicKey = keys.generate(label, 'Ed25519').subarray(-32)
  const signer = {
    name: 'bench.example/journal',
    publicKey,
    sign: (octets: Uint8Array) => keys.sign(label, octets),
  }
  const logKeys = [verifierKey(signer.name, publicKey)]
  const { store, close } = await openHomeStore(homeAt(join(folder, 'large')), { share: false, max: 2 })
  try {
    say(`making the hashes of ${entries.toLocaleString('en-GB')} entries`)
    const began = performance.now()
    const tree = new GrowingTiles()
    await store.transaction(client =>
      copyInto(
        client,
        'journal_tile',
        { level: 'int2', index: 'int8', hashes: 'bytea' },
        rows(tree, entries, signal),
      ),
    )
    const note = await signCheckpoint(entries, tree.root(), signer)
    await store.query('INSERT INTO journal_checkpoint (size, root, note, at) VALUES ($1, $2, $3, $4)', [
      entries,
      tree.root(),
      note,
      systemClock(),
    ])
    const seconds = (performance.now() - began) / 1000

    say('proving')
    const files = publishedFiles(store)
    const [inclusion, consistency, checking]: [number[], number[], number[]] = [[], [], []]
    for (let n = 0; n < proofs; n++) {
      signal.throwIfAborted()
      const index = randomInt(entries)
      // 1. That an entry is in it, as `smki journal prove` does it.
      const start = performance.now()
      const { size, root } = openCheckpoint((await checkpointIn(files))!, logKeys)
      const proof = await inclusionProof(index, size, hashesOf(tilesIn(files, size)))
      const made = performance.now()
      if (!verifyInclusion({ index, size, leaf: leafOf(index), proof, root }))
        throw new Error(`no proof of ${index}: ${toHex(root)}`)
      checking.push(performance.now() - made)
      inclusion.push(made - start)

      // 2. That it grew out of an earlier one.
      const from = 1 + randomInt(entries)
      const hashAt = hashesOf(tilesIn(files, size))
      const fromRoot = await rootAt(from, hashAt)
      const begin = performance.now()
      const grown = await consistencyProof(from, size, hashesOf(tilesIn(files, size)))
      consistency.push(performance.now() - begin)
      if (!verifyConsistency({ from, to: size, fromRoot, toRoot: root, proof: grown }))
        throw new Error(`no proof from ${from}`)
    }
    return {
      entries,
      seconds,
      milliseconds: {
        'inclusion, median': share(inclusion, 0.5),
        'inclusion, 99th of 100': share(inclusion, 0.99),
        'consistency, median': share(consistency, 0.5),
        'consistency, 99th of 100': share(consistency, 0.99),
        'checking a proof, median': share(checking, 0.5),
      },
    }
  } finally {
    keys.close()
    await close()
  }
}

/** The tiles as they become full, and at the end those that did not. */
function* rows(tree: GrowingTiles, entries: number, signal: AbortSignal): Generator<[number, number, Uint8Array]> {
  const row = ({ level, index, hashes }: Tile): [number, number, Uint8Array] => [level, index, hashes]
  for (let n = 0; n < entries; n++) {
    tree.append(leafOf(n))
    if (tree.size % 256 !== 0) continue
    if (signal.aborted) throw signal.reason
    yield* tree.takeFull().map(row)
  }
  yield* tree.partial().map(row)
}

/** Entries are not needed for proofs, only what they hash to. */
function leafOf(n: number): Buffer {
  const entry = Buffer.alloc(8)
  entry.writeUInt32BE(n, 4)
  return leafHash(entry)
}

function share(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(part * values.length))]!
}

/** Software key stores in folders of their own, cheap to open, for the tests of this kind of store. */

import assert from 'node:assert/strict'
import { createDecipheriv, createHash, randomBytes, scryptSync } from 'node:crypto'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { createSoftwareKeyStore, openSoftwareKeyStore } from './software.ts'

/** Of this test file; gone when its tests have ended. */
export const home = fs.mkdtempSync(join(tmpdir(), 'keystore-'))
after(() => fs.rmSync(home, { recursive: true }))

export const chance = (length: number) => randomBytes(length)
export const passphrase = Buffer.from('correct horse battery staple')
export const cheap = { passphrase, chance, allowWeak: true }
let count = 0
export const newPath = () => join(home, `folder-${++count}`, 'issuing.keys')
export const create = (path = newPath()) => createSoftwareKeyStore({ path, name: 'issuing', log2N: 10, ...cheap })
export const open = (path: string) => openSoftwareKeyStore({ path, ...cheap })
export const refused = (code: string) => ({ name: 'Refusal', code })
export const octets = Buffer.from('to be signed')

/** The plaintext of a store, by docs/formats/key-store.md alone. */
export function readByThePage(path: string, pass: Buffer = passphrase): { plain: Buffer; header: Buffer } {
  const file = fs.readFileSync(path)
  const n = file.readUInt32BE(132)
  assert.equal(file.length, 136 + n + 16 + 32)
  assert.equal(file.toString('latin1', 0, 8), 'SMKIKEYS')
  assert.deepEqual(createHash('sha256').update(file.subarray(0, -32)).digest(), file.subarray(-32))
  const cost = { N: 2 ** file[10]!, r: file[11]!, p: file[12]!, maxmem: 2 ** 28 }
  const derived = scryptSync(pass, file.subarray(64, 96), 48, cost)
  assert.deepEqual(derived.subarray(32), file.subarray(96, 112))
  const decipher = createDecipheriv('aes-256-gcm', derived.subarray(0, 32), file.subarray(120, 132))
  decipher.setAAD(file.subarray(0, 136))
  decipher.setAuthTag(file.subarray(136 + n, 152 + n))
  const plain = Buffer.concat([decipher.update(file.subarray(136, 136 + n)), decipher.final()])
  return { plain, header: file.subarray(0, 136) }
}

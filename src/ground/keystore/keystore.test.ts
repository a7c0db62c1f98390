import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { keyStoreContract } from './keystore-testing.ts'
import { createSoftwareKeyStore, openSoftwareKeyStore } from './software.ts'

const home = mkdtempSync(join(tmpdir(), 'keystore-contract-'))
after(() => rmSync(home, { recursive: true }))

const cheap = { chance: randomBytes, allowWeak: true }
const first = 'pin-of the contract'
let count = 0

keyStoreContract('Software', {
  make() {
    const path = join(home, `folder-${++count}`, 'keys')
    return createSoftwareKeyStore({ path, name: 'issuing', log2N: 4, passphrase: Buffer.from(first), ...cheap })
  },
  open: ({ path }, passphrase = first) =>
    openSoftwareKeyStore({ path, passphrase: Buffer.from(passphrase), ...cheap }),
})

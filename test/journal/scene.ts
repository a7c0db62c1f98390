/** An environment with a journal that says something, a store that is open, and the command line upon both. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { integrate } from '../../src/ground/journal/journal.ts'
import { readPassphraseFile } from '../../src/ground/keystore/passphrase.ts'
import { openSoftwareKeyStore, type SoftwareKeyStore } from '../../src/ground/keystore/software.ts'
import type { Store } from '../../src/ground/store/store.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { journalKey, journalVerifier } from '../../src/main/ceremony.ts'
import { type Home, loadSettings } from '../../src/main/home.ts'
import { main } from '../../src/main/smki.ts'
import { openHomeStore, systemChance, systemClock } from '../../src/main/world.ts'
import { hierarchies, profileNamed } from '../../src/policy/hierarchies.ts'
import { issueDevices } from '../../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../../src/rooms/issuance/issuing-dcas.ts'
import { anyDevice, newCsr } from '../issuing/rooms.ts'
import { makeHome } from '../service/environment.ts'

export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Scene {
  readonly home: Home
  readonly store: Store
  /** A folder for the test's own files; it goes with the scene. */
  readonly folder: string
  /** `smki --home … args`, run to its end. */
  smki(...args: string[]): Promise<Said>
  /** Issues a group of Device Certificates as a signer does, and puts the journal's entries in their places. */
  issue(count: number): Promise<Buffer[]>
  integrate(): Promise<number>
  /** A certificate as a file, PEM. */
  file(der: Uint8Array, name: string): string
  /** As one who owns the database and wants to deceive: no guard stands in the way. */
  tamper(sql: string, values?: unknown[]): Promise<void>
  close(): Promise<void>
}

export async function makeScene(): Promise<Scene> {
  const { home, remove } = await makeHome()
  const settings = loadSettings(home)
  const opened = await openHomeStore(home, { share: false, max: 6 })
  const keys: SoftwareKeyStore = openSoftwareKeyStore({
    path: home.issuingKeys,
    passphrase: readPassphraseFile(home.issuingPassphrase),
    chance: systemChance,
    allowWeak: true,
  })
  const hands = { store: opened.store, clock: systemClock, chance: systemChance }
  const profile = profileNamed(settings, 'Device Certificate')
  const keyUse = hierarchies(settings)['smki-device'].issuing.keyUse!
  const devices = { ...hands, authorities: issuingDcas(hands, keys, profile, keyUse, 8) }
  const folder = join(home.path, 'of-the-test')
  mkdirSync(folder)
  const grow = () =>
    integrate({
      store: opened.store,
      at: systemClock(),
      ...journalVerifier(settings, keys),
      sign: octets => keys.sign(journalKey, octets),
    })
  return {
    home,
    store: opened.store,
    folder,
    async smki(...args) {
      // A command that says nothing of its end is done.
      const said = { code: 0, out: '', err: '' }
      await main(['--home', home.path, ...args], {
        out: text => {
          said.out += text
        },
        err: text => {
          said.err += text
        },
        exit: code => {
          said.code = code
        },
        clock: systemClock,
      })
      return said
    },
    async issue(count) {
      const requests = Array.from({ length: count }, () => newCsr())
      const outcomes = await issueDevices(devices, { requests, rules: anyDevice, says: {} })
      await grow()
      return outcomes.map(one => {
        if ('refusal' in one) throw one.refusal
        return Buffer.from(one.der)
      })
    },
    integrate: grow,
    file(der, name) {
      const path = join(folder, name)
      writeFileSync(path, toPem('CERTIFICATE', der))
      return path
    },
    async tamper(sql, values = []) {
      await opened.store.transaction(async client => {
        await client.query('SET LOCAL session_replication_role = replica')
        const { rowCount } = await client.query(sql, values)
        if (rowCount !== 1) throw new Error(`${rowCount} rows were touched`)
      })
    },
    async close() {
      keys.close()
      await opened.close()
      remove()
    },
  }
}

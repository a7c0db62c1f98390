/** The rooms that issue, with real parts and without programs: what the tests of issuing share. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDeviceCsr, type Usage } from '../../simulator/device.ts'
import type { Clock } from '../../src/ground/clock.ts'
import { type Act, readEntry } from '../../src/ground/journal/entry.ts'
import type { KeyStore } from '../../src/ground/keystore/keystore.ts'
import { createSoftwareKeyStore } from '../../src/ground/keystore/software.ts'
import type { Connection, Store } from '../../src/ground/store/store.ts'
import { testStore } from '../../src/ground/store/testing.ts'
import { ceremony } from '../../src/main/ceremony.ts'
import { parseSettings } from '../../src/main/home.ts'
import { systemChance } from '../../src/main/world.ts'
import { hierarchies, profileNamed } from '../../src/policy/hierarchies.ts'
import type { PkiName } from '../../src/policy/profile.ts'
import type { Settings } from '../../src/policy/settings.ts'
import type { Hands } from '../../src/rooms/authority/issue-one.ts'
import type { DecisionRules } from '../../src/rooms/issuance/decide.ts'
import { type DeviceIssuing, issueDevices, type Outcome } from '../../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../../src/rooms/issuance/issuing-dcas.ts'

export const migrations = new URL('../../src/ground/store/migrations/', import.meta.url)

export interface Rooms {
  readonly settings: Settings
  readonly store: Store
  readonly connection: Connection
  readonly keys: { readonly root: KeyStore; readonly issuing: KeyStore }
  readonly hands: Hands
  /** What a signer holds, over the hands and keys given; by default those above. */
  devices(other?: { hands?: Hands; keys?: KeyStore; atOnce?: number }): DeviceIssuing
  close(): Promise<void>
}

/** Authorities of those PKIs, made in a ceremony at the instant that the clock says. */
export async function makeRooms({
  pkis = ['smki-device'],
  settings: changes = {},
  clock = () => new Date(),
}: {
  pkis?: readonly Exclude<PkiName, 'test-tls'>[]
  settings?: Record<string, unknown>
  clock?: Clock
} = {}): Promise<Rooms> {
  const settings = parseSettings(JSON.stringify({ environment: 'rooms', kind: 'test', ...changes }), 'the test')
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-issuing-'))
  const { store, connection, close } = await testStore({ migrations })
  const make = (name: string) =>
    createSoftwareKeyStore({
      path: join(folder, name, 'keys'),
      name,
      passphrase: Buffer.from('a passphrase of the tests'),
      chance: systemChance,
      log2N: 10,
      allowWeak: true,
    })
  const keys = { root: make('root'), issuing: make('issuing') }
  const hands: Hands = { store, clock, chance: systemChance }
  const custody = { contingency: make('contingency'), symmetric: make('symmetric') }
  await ceremony(hands, settings, { ...keys, custody }, pkis, () => {})
  for (const store of Object.values(custody)) store.close()
  const device = hierarchies(settings)['smki-device']
  return {
    settings,
    store,
    connection,
    keys,
    hands,
    devices: (other = {}) => {
      const by = other.hands ?? hands
      const profile = profileNamed(settings, 'Device Certificate')
      const authorities = issuingDcas(
        by,
        other.keys ?? keys.issuing,
        profile,
        device.issuing.keyUse!,
        other.atOnce ?? 1,
      )
      return { ...by, authorities }
    },
    async close() {
      keys.root.close()
      keys.issuing.close()
      await close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** As the rules of the Batched service are, unless told otherwise. */
export const anyDevice: DecisionRules = { threshold: 100, knownDevicesOnly: false }

export function issue(
  devices: DeviceIssuing,
  requests: readonly Buffer[],
  rules: DecisionRules = anyDevice,
): Promise<Outcome[]> {
  return issueDevices(devices, { requests, rules, says: {} })
}

/** A new Device ID for each call, of a range of the tests. */
export function newDeviceId(): string {
  return (0x02e0_0000_0000_0000n + nextDevice++).toString(16).padStart(16, '0')
}
let nextDevice = 1n

export const newCsr = (usage: Usage = 'digitalSignature'): Buffer =>
  makeDeviceCsr({ deviceId: newDeviceId(), usage }).csr

/** Everything that the journal says, integrated or not yet, in order of writing. */
export async function acts(store: Pick<Store, 'query'>): Promise<Act[]> {
  const { rows } = await store.query<{ octets: Buffer }>(
    'SELECT id, octets FROM journal_entry UNION ALL SELECT id, octets FROM journal_pending ORDER BY id',
  )
  return rows.map(row => readEntry(row.octets))
}

export interface Counted {
  readonly intended: number
  readonly complete: number
  readonly abandoned: number
}

/** Signings by state. */
export async function signings(store: Pick<Store, 'query'>): Promise<Counted> {
  const { rows } = await store.query<{ state: keyof Counted; count: bigint }>(
    'SELECT state, count(*) AS count FROM signing GROUP BY state',
  )
  const count = (state: keyof Counted) => Number(rows.find(row => row.state === state)?.count ?? 0n)
  return { intended: count('intended'), complete: count('complete'), abandoned: count('abandoned') }
}

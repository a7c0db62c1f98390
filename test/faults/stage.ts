/** Where faults are tried: authorities, an office and a subscriber on one store, and what of it another process needs. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, forwardClock } from '../../src/ground/clock.ts'
import type { KeyStore } from '../../src/ground/keystore/keystore.ts'
import { openSoftwareKeyStore } from '../../src/ground/keystore/software.ts'
import { type Connection, openStore, type Store } from '../../src/ground/store/store.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { counting, type Marks, marksIn } from '../../src/main/epoch.ts'
import { type Home, homeAt, parseSettings } from '../../src/main/home.ts'
import { systemChance } from '../../src/main/world.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import type { Settings } from '../../src/policy/settings.ts'
import type { Shown } from '../../src/rooms/issuance/organisation-submit.ts'
import type { RevocationHands } from '../../src/rooms/revocation/hands.ts'
import { type Officers, ranges } from '../registration/office.ts'
import { openScene, type Scene } from '../revocation/scene.ts'
import { marksWithPoints, Points, signingWithPoints, withPoints } from './points.ts'

/** What acts: the rooms' hands, over a store and keys that have points. */
export interface Acting {
  readonly hands: RevocationHands
  readonly keys: { readonly root: KeyStore; readonly issuing: KeyStore }
  readonly marks: Marks
  readonly settings: Settings
  readonly home: Home
}

/** All that another process needs to act in the same place. */
export interface Place {
  readonly connection: Connection
  readonly settings: string
  readonly now: string
  readonly folder: string
  readonly keys: { readonly root: string; readonly issuing: string }
}

export interface Stage {
  readonly scene: Scene
  readonly folder: string
  readonly supplier: Officers & { readonly party: number; readonly shown: Shown; readonly eui64: string }
  /** Without a fault. */
  readonly acting: Acting
  place(): Place
  close(): Promise<void>
}

export const pkis = ['smki-device', 'smki-organisation', 'iki', 's1spki-foc'] as const
const passphrase = 'a passphrase of the tests'
const configured = JSON.stringify({ environment: 'scene', kind: 'test', certificates: { issuingDcaStock: 1 } })

export async function openStage(): Promise<Stage> {
  const scene = await openScene(pkis, { certificates: { issuingDcaStock: 1 } })
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-faults-'))
  const userRoles = ranges('IS')
  const who = await scene.subscriber('supplier', { userRoles })
  const asked = { kind: 'PORTAL_ORG', party: who.party, person: who.aro.person } as const
  const token = readCertificate((await scene.credential(asked, who.sro)).der)
  const shown = { issuer: Buffer.from(token.issuer.der), serial: Buffer.from(token.serial) }
  const stage: Stage = {
    scene,
    folder,
    supplier: { ...who, shown, eui64: userRoles[0]!.first },
    acting: act(scene.store, scene.hands, scene.keys, folder, new Points(), () => {}),
    place: () => ({
      connection: scene.connection,
      settings: configured,
      now: scene.hands.clock().toISOString(),
      folder,
      keys: { root: scene.keys.root.path, issuing: scene.keys.issuing.path },
    }),
    async close() {
      await scene.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return stage
}

/** The hands of a run, with its points. */
export function act(
  store: Store,
  hands: Omit<RevocationHands, 'store'>,
  keys: Acting['keys'],
  folder: string,
  points: Points,
  signed: (octets: Uint8Array) => void,
): Acting {
  const home = homeAt(join(folder, 'home'))
  const marks = marksWithPoints(marksIn(home.marks), points)
  const pointed = (of: KeyStore) => counting(signingWithPoints(of, points, signed), marks)
  return {
    hands: { ...hands, store: withPoints(store, points) },
    keys: { root: pointed(keys.root), issuing: pointed(keys.issuing) },
    marks,
    settings: parseSettings(configured, 'the test'),
    home,
  }
}

/** The same in another process. */
export async function actIn(
  { connection, settings, now, folder, keys }: Place,
  points: Points,
  signed: (octets: Uint8Array) => void,
): Promise<Acting> {
  const parsed = parseSettings(settings, 'the test')
  const clock: Clock = forwardClock(() => new Date(now))
  const open = (path: string) =>
    openSoftwareKeyStore({ path, passphrase: Buffer.from(passphrase), chance: systemChance, allowWeak: true })
  const hands = {
    clock,
    chance: systemChance,
    rules: parsed.registration,
    revocation: parsed.revocation,
    schedules: listSchedules(parsed),
  }
  return act(
    await openStore(connection, { max: 3 }),
    hands,
    { root: open(keys.root), issuing: open(keys.issuing) },
    folder,
    points,
    signed,
  )
}

/** What was signed in other processes, as they noted it: octets in hexadecimal, one a line. */
export function notedIn(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter(line => line !== '')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
}

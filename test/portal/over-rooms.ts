/** The Portal's door over rooms that a test has opened already, entered by certificates of its people. */

import pino from 'pino'
import type { Browser } from 'playwright-core'
import { portalDoor, type TestIdentity } from '../../src/doors/portal/door.ts'
import { listen, plainListener } from '../../src/ground/http/listen.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { systemChance } from '../../src/main/world.ts'
import type { Settings } from '../../src/policy/settings.ts'
import type { RoomAnswer, RoomQuestion } from '../../src/rooms/issuance/signing.ts'
import type { RevocationHands } from '../../src/rooms/revocation/hands.ts'
import { type Desk, openDesk } from './registration-scene.ts'

export interface RoomsPortal {
  readonly address: string
  readonly log: readonly string[]
  /** A browser of its own, entered as that person. */
  enter(browser: Browser, key: string): Promise<Desk>
  close(): Promise<void>
}

/** @param people certificates by what each is called */
export async function openRoomsPortal(
  { hands, settings }: { readonly hands: RevocationHands; readonly settings: Settings },
  answer: (question: RoomQuestion) => Promise<RoomAnswer>,
  people: Readonly<Record<string, Buffer>>,
): Promise<RoomsPortal> {
  const log: string[] = []
  const limits = {
    idleSeconds: 300,
    headSeconds: 60,
    requestSeconds: 60,
    bodyOctets: 131_072,
    connections: 100,
    tls13: false,
  }
  const app = plainListener(limits)
  portalDoor(app, {
    ...hands,
    chance: systemChance,
    settings,
    signers: [{ ask: answer }],
    journalKeys: [],
    build: 'of a test',
    log: pino({}, { write: (line: string) => void log.push(line) }),
    entry: 'test',
    testIdentities: Object.entries(people).map(([key, der]): TestIdentity => {
      const { issuer, serial, notAfter } = readCertificate(der)
      const peer = { issuer: issuer.der, serial, notAfter: new Date(notAfter.ms) }
      return { key, name: key, says: 'of a test', identity: { kind: 'officer', peers: [peer] } }
    }),
  })
  const address = `http://127.0.0.1:${await listen(app, '127.0.0.1', 0)}`
  return {
    address,
    log,
    async enter(browser, key) {
      const desk = await openDesk(browser, address)
      await desk.go('/')
      await desk.page.locator(`form:has(input[value="${key}"]) button`).click()
      await desk.page.waitForURL('**/home')
      return desk
    },
    close: () => app.close().then(() => {}),
  }
}

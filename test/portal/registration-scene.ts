/** The back office in a browser: the Portal's door over real rooms, at a time that tests turn, entered by test identities. */

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pino from 'pino'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { integrate } from '../../src/ground/journal/journal.ts'
import { verifierKey, verifierKeyText } from '../../src/ground/journal/note.ts'
import { journalKey, journalVerifier } from '../../src/main/ceremony.ts'
import { homeAt } from '../../src/main/home.ts'
import { startPortalDoor } from '../../src/main/portal-door.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import type { Settings } from '../../src/policy/settings.ts'
import { type NewDecision, recordDecision } from '../../src/rooms/governance/decisions.ts'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { credentialRecords } from '../../src/rooms/registration/life.ts'
import { nominate, officesOf } from '../../src/rooms/registration/nominations.ts'
import { organisations } from '../../src/rooms/registration/party.ts'
import { enterPerson } from '../../src/rooms/registration/people.ts'
import type { RevocationHands } from '../../src/rooms/revocation/hands.ts'
import { type OperatorOffice, openOperatorOffice } from '../operator/office.ts'
import { evidence } from '../registration/office.ts'
import { openBrowser } from './browser.ts'
import { judgeOf } from './judge.ts'

export interface BackOffice {
  readonly office: OperatorOffice
  readonly hands: RevocationHands
  readonly settings: Settings
  readonly address: string
  readonly log: readonly string[]
  /** An officer as the rooms know him: `ra-clerk-1` … */
  officer(name: string): Promise<Officer>
  /** The number of a Party, by its short name. */
  party(name: string): Promise<number>
  /** A browser of its own, entered as that test identity. */
  enter(identity: string, options?: { readonly script?: boolean; readonly narrow?: boolean }): Promise<Desk>
  /** Nobody in particular. */
  stranger(): Promise<Desk>
  /** Recorded by `pma-member-1`, decided now. */
  decide(changes: Partial<NewDecision> & Pick<NewDecision, 'reference' | 'acts' | 'subjects'>): Promise<void>
  /** Asks every S1SP that was joined for its report, now. */
  readReports(): Promise<void>
  /** As the signer does each second: what was written comes under a checkpoint. */
  integrate(): Promise<number>
  close(): Promise<void>
}

export interface Desk {
  readonly page: Page
  readonly context: BrowserContext
  /** @returns the status */
  go(path: string): Promise<number>
  heading(): Promise<string>
  text(): Promise<string>
  press(button: string): Promise<void>
  /** What axe finds against WCAG 2.2 AA must be nothing; and the page must fit its window. */
  judge(what: string): Promise<void>
}

/** @param more settings that differ. @param pkis beside those of the SMKI and the IKI */
export async function openBackOffice(
  more: Record<string, unknown> = {},
  ...pkis: readonly ('dccki' | 's1spki-moc')[]
): Promise<BackOffice> {
  const services = {
    operatorPort: 0,
    portalPort: null,
    repositoryPortalPort: null,
    testPortalPort: 0,
    journalPort: null,
  }
  const office = await openOperatorOffice({ ...more, services }, 'smki-device', ...(pkis as readonly never[]))
  await office.registerParties()
  const { rooms } = office
  const home = homeAt(office.home)
  const verifier = journalVerifier(rooms.settings, rooms.keys.issuing)
  mkdirSync(dirname(home.journalKey), { recursive: true })
  writeFileSync(home.journalKey, `${verifierKeyText(verifierKey(verifier.name, verifier.publicKey))}\n`)
  const log: string[] = []
  const door = await startPortalDoor({
    home,
    settings: rooms.settings,
    target: rooms.connection,
    signers: [join(dirname(office.home), 'signer')],
    log: pino({ level: 'info' }, { write: (line: string) => void log.push(line) }),
    clock: rooms.hands.clock,
  })
  const address = `http://127.0.0.1:${door.ports.testPortal}`
  const { browser, close } = await openBrowser()
  const hands: RevocationHands = {
    ...rooms.hands,
    rules: rooms.settings.registration,
    revocation: rooms.settings.revocation,
    schedules: listSchedules(rooms.settings),
  }
  const officer: BackOffice['officer'] = async name => {
    for (const { id } of await organisations(rooms.store)) {
      const one = (await credentialRecords(rooms.store, id)).find(
        of => of.systemName === name && of.person !== undefined,
      )
      if (!one) continue
      const [held] = await officesOf(rooms.store, one.person!, hands.clock())
      return { person: one.person!, as: held!.office, ...(held!.party !== undefined && { party: held!.party }) }
    }
    throw new RangeError(`nobody is called ${name}`)
  }
  return {
    office,
    hands,
    settings: rooms.settings,
    address,
    log,
    officer,
    party: async name => (await organisations(rooms.store)).find(one => one.name === name)!.id,
    enter: async (identity, options) => {
      const desk = await openDesk(browser, address, options)
      await desk.go('/')
      await desk.page.locator(`form:has(input[value="${identity}"]) button`).click()
      await desk.page.waitForURL('**/home')
      return desk
    },
    stranger: () => openDesk(browser, address),
    async decide(changes) {
      const [by, other] = [await officer('pma-member-1'), await officer('pma-member-2')]
      const now = hands.clock()
      await recordDecision(hands, by.person, {
        meeting: 'SMKI PMA meeting 99',
        text: 'So it was decided.',
        members: [by.person, other.person],
        decidedAt: now,
        from: now,
        ...changes,
      })
    },
    readReports: () => door.readReports(),
    integrate: () =>
      integrate({
        store: rooms.store,
        at: hands.clock(),
        ...verifier,
        sign: octets => rooms.keys.issuing.sign(journalKey, octets),
      }),
    async close() {
      await close()
      await door.close()
      await office.close()
    },
  }
}

/** A nomination of somebody new as ARO of the supplier, recorded by the second clerk. */
export async function nomination(here: BackOffice): Promise<{ task: number; person: string }> {
  const by = await here.officer('ra-clerk-2')
  const person = await enterPerson(here.hands, by, { name: 'Ashley Officer' })
  const party = await here.party('import-supplier')
  const sro = (
    await here.office.rooms.store.query<{ reference: string }>(
      "SELECT p.reference FROM appointment a JOIN person p ON p.id = a.person WHERE a.party = $1 AND a.office = 'SRO'",
      [party],
    )
  ).rows[0]!.reference
  const opened = await nominate(
    here.hands,
    { person: sro, as: 'SRO', party, through: { person: by.person, as: 'RA_PERSONNEL' } },
    { person, office: 'ARO', party, policies: ['smki-organisation'] },
    { evidence: evidence('signed form') },
  )
  return { task: opened.task, person }
}

export async function openDesk(
  browser: Browser,
  baseURL: string,
  { script = true, narrow = false }: { readonly script?: boolean; readonly narrow?: boolean } = {},
): Promise<Desk> {
  const context = await browser.newContext({
    baseURL,
    locale: 'en-GB',
    timezoneId: 'Europe/London',
    javaScriptEnabled: script,
    ...(narrow && { viewport: { width: 360, height: 740 } }),
  })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const judge = judgeOf(page)
  return {
    page,
    context,
    go: async path => (await page.goto(path))!.status(),
    // biome-ignore lint/performance/useDomNodeTextContent: as a reader sees it
    heading: () => page.locator('h1').innerText(),
    // biome-ignore lint/performance/useDomNodeTextContent: likewise
    text: () => page.locator('body').innerText(),
    press: async name => {
      await page.getByRole('button', { name, exact: true }).click()
      await page.waitForLoadState()
    },
    async judge(what) {
      const wide = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
      assert.ok((wide as number) <= 0, `${what}: the page is ${wide} pixels wider than its window`)
      await judge(what)
    },
  }
}

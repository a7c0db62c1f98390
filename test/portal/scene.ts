/** A served environment with its Portal, and a real browser in front of it: every page that is opened can be judged by axe. */

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { type Environment, type Settings, serving } from '../service/environment.ts'
import { judgeOf } from './judge.ts'

const ports = { portalPort: 0, repositoryPortalPort: 0, testPortalPort: 0 }

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Letters in shades of grey: the pictures are smaller, and the same on every machine.
  '--disable-lcd-text',
]

export interface Scene {
  readonly environment: Environment
  /** Of the Portal for newcomers, for officers with a token, and of the Repository. */
  readonly address: { readonly test: string; readonly officer: string; readonly repository: string }
  /** A browser of its own, with its own cookies. */
  visitor(options?: BrowserContextOptions): Promise<Visitor>
  close(): Promise<void>
}

export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /** Enters as one of the test identities. */
  enter(identity: string): Promise<void>
  go(path: string): Promise<void>
  heading(): Promise<string>
  /** The text of the middle of the page. */
  text(): Promise<string>
  /** Judges the page as it is: what axe finds against WCAG 2.2 AA. */
  judge(what: string): Promise<void>
}

const browserPath = '/usr/bin/chromium'

export const hasBrowser = existsSync(browserPath)

export async function scene(settings: Settings = {}): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-portal-'))
  const environment = await serving({ ...settings, services: { ...ports, ...settings.services } })
  const { ports: at } = environment.service
  const address = {
    test: `http://127.0.0.1:${at.testPortal}`,
    officer: `https://localhost:${at.portal}`,
    repository: `https://localhost:${at.repositoryPortal}`,
  }
  const profile = join(folder, 'profile')
  mkdirSync(profile)
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: flags,
    env: { ...process.env, HOME: profile },
  })
  return {
    environment,
    address,
    async visitor(options = {}) {
      const context = await browser.newContext({
        baseURL: address.test,
        locale: 'en-GB',
        timezoneId: 'Europe/London',
        ignoreHTTPSErrors: true,
        ...options,
      })
      context.setDefaultTimeout(20_000)
      return visitorIn(context, await context.newPage())
    },
    async close() {
      await browser.close()
      await environment.close()
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}

function visitorIn(context: BrowserContext, page: Page): Visitor {
  return {
    context,
    page,
    async enter(identity) {
      await page.goto('/')
      await page.locator(`form:has(input[value="${identity}"]) button`).click()
      await page.waitForURL('**/home')
    },
    async go(path) {
      await page.goto(path)
    },
    // biome-ignore lint/performance/useDomNodeTextContent: as a reader sees it, with cells and lines apart
    heading: () => page.locator('h1').innerText(),
    // biome-ignore lint/performance/useDomNodeTextContent: likewise
    text: () => page.locator('main').innerText(),
    judge: judgeOf(page),
  }
}

/** A served environment with its Portal, and a real browser in front of it: every page that is opened can be judged by axe. */

import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { type Environment, type Settings, serving } from '../service/environment.ts'
import { openBrowser } from './browser.ts'
import { judgeOf } from './judge.ts'

export { hasBrowser } from './browser.ts'

const ports = { portalPort: 0, repositoryPortalPort: 0, testPortalPort: 0 }

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

export async function scene(settings: Settings = {}): Promise<Scene> {
  const environment = await serving({ ...settings, services: { ...ports, ...settings.services } })
  const { ports: at } = environment.service
  const address = {
    test: `http://127.0.0.1:${at.testPortal}`,
    officer: `https://localhost:${at.portal}`,
    repository: `https://localhost:${at.repositoryPortal}`,
  }
  const { browser, close } = await openBrowser()
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
      await close()
      await environment.close()
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

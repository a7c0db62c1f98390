/** The real browser of the tests, with a profile of its own that goes with it. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const browserPath = '/usr/bin/chromium'

export const hasBrowser = existsSync(browserPath)

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

export async function openBrowser(): Promise<{ readonly browser: Browser; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-browser-'))
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: flags,
    env: { ...process.env, HOME: folder },
  })
  return {
    browser,
    async close() {
      await browser.close()
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}

/** What is wrong with a page in a browser: what axe finds against WCAG 2.2 AA, and what the browser complains of. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

interface Found {
  readonly passes: readonly unknown[]
  readonly violations: readonly { id: string; nodes: readonly { html: string; failureSummary: string }[] }[]
}

/** To be asked for before the page is opened first. @returns a judge of the page as it is then, who is told what it is */
export function judgeOf(page: Page): (what: string) => Promise<void> {
  // A page that its own policy stops, or that asks for what is not there, is not as it should be.
  const complaints: string[] = []
  page.on('console', message => {
    if (message.type() === 'error' && !/status of (4|5)\d\d/.test(message.text())) complaints.push(message.text())
  })
  page.on('pageerror', cause => complaints.push(cause.message))
  return async what => {
    await page.evaluate(axe)
    const { passes, violations } = (await page.evaluate(`axe.run({ runOnly: ${JSON.stringify(tags)} })`)) as Found
    const says = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(one => `${one.html.slice(0, 200)} ${one.failureSummary}`).join('; ')}`,
    )
    assert.deepEqual(says, [], what)
    assert.ok(passes.length > 10, `${what}: axe looked at the page`)
    assert.deepEqual(complaints, [], what)
  }
}

/** A quiet reporter: a line for each file, every failure in full, every skip with its reason, and the count. */

import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'

interface Told {
  passed: number
  failed: number
  skipped: number
  ms: number
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = new Map<string, Told>()
  const total: Told = { passed: 0, failed: 0, skipped: 0, ms: 0 }
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') {
      if (type === 'test:stderr') yield data.message
      continue
    }
    const file = relative(process.cwd(), data.file ?? '')
    const told = files.get(file) ?? { passed: 0, failed: 0, skipped: 0, ms: 0 }
    files.set(file, told)
    const suite = data.details.type === 'suite'
    if (type === 'test:fail' && !(suite && isOfSubtests(data.details.error))) {
      told.failed++
      total.failed++
      const { error } = data.details
      const cause = (error as { cause?: unknown }).cause ?? error
      yield `\n✗ ${file} › ${data.name}\n${indent(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause))}\n`
    } else if (data.skip !== undefined) {
      told.skipped++
      total.skipped++
      yield `- ${file} › ${data.name}: skipped${typeof data.skip === 'string' && data.skip ? `: ${data.skip}` : ''}\n`
    } else if (!suite && type === 'test:pass') {
      told.passed++
      total.passed++
    }
    if (data.nesting === 0) told.ms += data.details.duration_ms ?? 0
  }
  for (const [file, { passed, failed, skipped, ms }] of [...files].sort()) {
    const counts = `${passed} passed${failed ? `, ${failed} failed` : ''}${skipped ? `, ${skipped} skipped` : ''}`
    yield `${failed ? '✗' : '✓'} ${file}: ${counts} (${(ms / 1000).toFixed(1)} s)\n`
  }
  yield `\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`
}

function isOfSubtests(error: unknown): boolean {
  return (error as { failureType?: string }).failureType === 'subtestsFailed'
}

function indent(text: string): string {
  return text
    .split('\n')
    .map(line => `    ${line}`)
    .join('\n')
}

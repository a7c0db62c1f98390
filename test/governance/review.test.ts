import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { markdown } from '../../src/policy/documents/blocks.ts'
import { developmentOf } from '../../src/policy/documents/development/development.ts'
import { eventSchema } from '../../src/policy/documents/development/events.ts'
import { conclusionsReport } from '../../src/policy/documents/development/report.ts'
import { openSource, review } from '../../src/policy/documents/review/review.ts'
import { ckmp } from './fixtures/ckmp.ts'
import { foc } from './fixtures/foc.ts'

const seeds = new URL('../../../shared/seeds/', import.meta.url)
const skip = existsSync(seeds) ? false : 'the published documents are not at hand'

/** What a person found by reading, with the line: the reviewer finds it too. */
const expected: Record<string, readonly [line: number, rule: string, found: RegExp][]> = {
  '000_f131ea14171e9cb0.txt': [
    [36, 'abbreviation_unexplained', /BEIS/],
    [32, 'abbreviation_unexplained', /DLMS/],
  ],
  '001_fa1de81fbf25e491.txt': [
    [29, 'dates_in_order', /13 December 2021/],
    [73, 'word_twice', /that that/],
  ],
  '002_7f00ee68f54f979a.txt': [
    [1, 'broken_field', /bookmark/],
    [12, 'standard_superseded', /ISO 27001 A\.10\.1\.2.*A\.8\.24/],
    [45, 'empty_item', /Master Key/],
    [64, 'letters_exchanged', /SMTES1.*SMETS1/],
    [84, 'standard_superseded', /FIPS 140-2.*FIPS 140-3/],
    [100, 'clause_label_form', /b\(iii\)/],
    [166, 'stray_punctuation', /value/],
    [202, 'standard_superseded', /Suite B/],
    [219, 'term_unused', /Gamma/],
    [234, 'term_defined_twice', /Master Key/],
    [249, 'term_unused', /Wrapped Key/],
  ],
  '003_b1fc8f731424428f.txt': [
    [166, 'documents_agree', /J, K, O, P, X/],
    [192, 'stray_punctuation', /consumers\//],
    [256, 'spelling_varies', /EUI64.*EUI-64/],
    [271, 'actors_differ', /8\.3\.4 names SMKI Registration Authority Manager, and 8\.3\.3 does not/],
    [285, 'name_varies', /Documents Set/],
  ],
  '004_790a88592442ce26.txt': [
    [38, 'dead_link', /Events of Default/],
    [71, 'name_varies', /Registration Data Provider.*Registered Data Provider/],
    [117, 'missing_figure', /diagram/],
    [183, 'spelling_varies', /Sub Committee/],
    [189, 'abbreviation_two_meanings', /IKI Certificate Authority.*IKI Certification Authority/],
  ],
}

/** All that is of severity error in each: none may be a false alarm. */
const errors: Record<string, number> = {
  '000_f131ea14171e9cb0.txt': 0,
  '001_fa1de81fbf25e491.txt': 1,
  '002_7f00ee68f54f979a.txt': 11,
  '003_b1fc8f731424428f.txt': 2,
  '004_790a88592442ce26.txt': 3,
}

describe('the review of the published documents', { skip }, () => {
  for (const [file, faults] of Object.entries(expected)) {
    it(`finds in ${file} what a reader finds, and no more errors than that`, async () => {
      const octets = readFileSync(new URL(file, seeds))
      const { findings } = review(await openSource(file, octets))
      const lines = octets.toString().split('\n')
      for (const [line, rule, found] of faults) {
        const hit = findings.find(one => one.line === line && one.rule === rule && found.test(one.found))
        assert.ok(hit, `${line} ${rule}: ${lines[line - 1]}`)
      }
      assert.equal(findings.filter(one => one.severity === 'error').length, errors[file])
    })
  }

  it('matches every header of the reports with their table of contents', async () => {
    for (const [file, entries] of [
      ['000_f131ea14171e9cb0.txt', 8],
      ['001_fa1de81fbf25e491.txt', 8],
      ['003_b1fc8f731424428f.txt', 9],
    ] as const) {
      const source = await openSource(file, readFileSync(new URL(file, seeds)))
      assert.equal(source.contents.length, entries)
      assert.equal(source.headings.length, entries)
    }
  })
})

describe('the review of a generated report', () => {
  const reportOf = (events: typeof ckmp) =>
    markdown(conclusionsReport(developmentOf(events.map(one => eventSchema.parse(one)))!))

  it('has no error, but where the dates that were entered cannot be right', async () => {
    const whole = await openSource('ckmp.md', Buffer.from(reportOf(ckmp)))
    assert.ok(whole.headings.length >= 8 && whole.contents.length >= 8)
    const rules = review(whole).findings.filter(one => one.severity === 'error')
    assert.deepEqual(rules, [])
    const wrong = review(await openSource('foc.md', Buffer.from(reportOf(foc)))).findings
    assert.deepEqual(
      wrong.filter(one => one.severity === 'error').map(one => one.rule),
      ['dates_in_order'],
    )
  })
})

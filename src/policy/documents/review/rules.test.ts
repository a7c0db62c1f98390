import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { cases, terms } from './planted-testing.ts'
import { openSource, type ReviewFinding, review } from './review.ts'
import { reviewRules } from './rules.ts'

const open = (text: string, file = 'a.txt') => openSource(file, Buffer.from(text))
const findings = async (text: string, file?: string) => review(await open(text, file)).findings
const of = (all: readonly ReviewFinding[], rule: string) => all.filter(one => one.rule === rule)

describe('a rule of the reviewer', () => {
  it('has a text that breaks it and one that does not', () => {
    assert.deepEqual(Object.keys(cases).toSorted(), reviewRules.map(({ id }) => id).toSorted())
    assert.equal(new Set(reviewRules.map(({ id }) => id)).size, reviewRules.length)
    for (const { bad, good } of Object.values(cases)) assert.ok(bad.length > 0 && good.length > 0)
  })

  for (const [rule, { bad, good }] of Object.entries(cases)) {
    it(`${rule} finds what was planted, where it stands, and nothing where nothing is`, async () => {
      for (const [text, line, found] of bad) {
        const all = of(await findings(text), rule)
        assert.equal(all.length, 1, `${text}: ${JSON.stringify(all)}`)
        assert.equal(all[0]!.line, line, text)
        assert.match(all[0]!.found, found)
      }
      for (const text of good) assert.deepEqual(of(await findings(text), rule), [], text)
    })
  }

  it('is milder where the Code lets a successor count, and where a term is defined again in the same words', async () => {
    const saved = of(
      await findings('FIPS 140-2 (or any equivalent which updates or replaces it).'),
      'standard_superseded',
    )
    assert.deepEqual(
      saved.map(one => one.severity),
      ['notice'],
    )
    const same = of(await findings(terms('| Alpha Key | A key. |')), 'term_defined_twice')
    assert.deepEqual(
      same.map(one => one.severity),
      ['warning'],
    )
  })

  it('counts headings and definitions of a document that is read beside it', async () => {
    const text = `See Annex C.\n\n${terms('| Delta | x |')}\n\nA Gamma Key opens it.\nEach Gamma Key is kept.`
    const beside = [
      await open('# Annex C Profiles\n\n| Term | Meaning |\n|---|---|\n| Gamma Key | a key |', 'b.md'),
    ]
    const alone = review(await open(text)).findings.map(one => one.rule)
    const with_ = review(await open(text), { beside }).findings.map(one => one.rule)
    assert.deepEqual(alone.filter(one => !with_.includes(one)).toSorted(), [
      'reference_unresolved',
      'term_undefined',
    ])
  })

  it('says where in a line-wrapped paragraph it found something', async () => {
    const text = `${'This sentence is long enough to be wrapped and it goes on'.padEnd(70, ' so')}\nin the next line, where RFC 3280 stands.`
    assert.deepEqual(
      of(await findings(text), 'standard_superseded').map(one => one.line),
      [2],
    )
  })

  it('does not fail on any text, and every line that it names is there', async () => {
    const pieces = [
      '# ',
      '1. ',
      '| a | b |',
      '(a) ',
      'RFC 3280',
      ' means ',
      '\t',
      '\n',
      '\n\n',
      'Section 9.9',
      '**',
      '[x](#)',
      'Contents\n',
      '“',
      '7',
    ]
    const text = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 8 })), { maxLength: 40 })
    let looked = 0
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom('a.md', 'a.txt'), async (parts, file) => {
        const one = parts
          .join('')
          .replace(/[^\P{Cc}\t\n]/gu, '')
          .toWellFormed()
        const all = await findings(one, file)
        looked += all.length
        return all.every(({ line }) => line >= 1 && line <= one.split('\n').length)
      }),
      { numRuns: 150 },
    )
    assert.ok(looked > 20, String(looked))
  })
})

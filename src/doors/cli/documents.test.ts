import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Command } from 'commander'
import { addDocuments } from './documents.ts'

/** What the command wrote, and its exit code. */
async function smki(...args: string[]): Promise<{ out: string; err: string; code: number | undefined }> {
  let [out, err] = ['', '']
  let code: number | undefined
  const program = new Command('smki').exitOverride().configureOutput({ writeErr: text => (err += text) })
  addDocuments(program, {
    out: text => (out += text),
    err: text => (err += text),
    exit: given => {
      code = given
    },
  })
  await program.parseAsync(['node', 'smki', 'documents', 'review', ...args])
  return { out, err, code }
}

describe('smki documents review', () => {
  let folder = ''
  const at = (file: string) => join(folder, file)
  const write = (file: string, text: string) => writeFileSync(at(file), text)

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'documents-'))
    write('good.md', '# Scope\n\nIt follows RFC 5280.\n')
    write('warned.md', '# Scope\n\nIt says that that is so.\n')
    write('bad.md', '# Scope\n\nIt follows RFC 3280.\n\nAs RFC 2510 had it; see Annex C.\n')
    write('annex.md', '# Annex C Profiles\n\nNone.\n')
    write('picture.png', 'PK\u0003\u0004 no archive')
    write('lines.md', 'The date is [insert \u202e date].\n')
  })
  after(() => rmSync(folder, { recursive: true }))

  it('prints findings as one would write them into the margin, and says a rule once', async () => {
    const { out, err, code } = await smki(at('bad.md'), at('good.md'))
    assert.equal(
      out.replaceAll(folder, ''),
      [
        '/bad.md: 5 lines, 1 headings, 0 definitions',
        '      3  error    standard_superseded: RFC 3280 is superseded: now RFC 5280, in “It follows RFC 3280.”',
        '                  a standard that is cited is in force; a notice where the sentence lets its successor count too (SEED-003, GOV-A06)',
        '      5  error    standard_superseded: RFC 2510 is superseded: now RFC 9810, in “As RFC 2510 had it; see Annex C.”',
        '/good.md: 3 lines, 1 headings, 0 definitions',
        '2 reviewed: 2 errors, 0 warnings, 0 notices',
        '',
      ].join('\n'),
    )
    assert.equal(err, '')
    assert.equal(code, 1)
  })

  it('exits 0 when there are warnings alone, and 2 when something cannot be read', async () => {
    const { out, code } = await smki(at('warned.md'))
    assert.match(out, /3 {2}warning {2}word_twice/)
    assert.equal(code, 0)
    for (const file of ['absent.md', 'picture.png']) {
      const { err, code: failed, out: said } = await smki(at('bad.md'), at(file))
      assert.match(err, new RegExp(`${file}: cannot be read: `))
      assert.match(said, /1 reviewed: 2 errors/)
      assert.equal(failed, 2)
    }
    const none = await smki()
    assert.deepEqual([none.code, none.err], [2, 'smki documents review: name a document\n'])
  })

  it('counts what a document beside it has', async () => {
    write('refers.md', '# Scope\n\nThe profile is in Annex C.\n')
    assert.match((await smki(at('refers.md'))).out, /reference_unresolved: “Annex C” is not there/)
    assert.equal((await smki(at('refers.md'), '--beside', at('annex.md'))).code, 0)
    assert.equal((await smki(at('refers.md'), '--beside', at('absent.md'))).code, 2)
  })

  it('answers in one JSON object', async () => {
    const { out, code } = await smki(at('bad.md'), at('absent.md'), '--json')
    const { documents, unreadable, summary } = JSON.parse(out)
    assert.equal(code, 2)
    assert.deepEqual(summary, { documents: 1, errors: 2, warnings: 0, notices: 0 })
    assert.equal(unreadable[0].file, at('absent.md'))
    assert.deepEqual(Object.keys(documents[0].findings[0]).toSorted(), [
      'found',
      'line',
      'rule',
      'says',
      'severity',
      'where',
    ])
  })

  it('lets no text of a document steer the terminal', async () => {
    const { out } = await smki(at('lines.md'))
    assert.match(out, /placeholder: .*\\u\{202e\}/)
    assert.doesNotMatch(out, /\u202e/)
  })

  it('prints its rules and its register of standards, as Markdown and as JSON', async () => {
    const { out, code } = await smki('--rules')
    const rows = out.trimEnd().split('\n')
    assert.equal(code, 0)
    assert.ok(rows.length > 30 && rows.every(row => row.split('|').length === 6))
    assert.equal(JSON.parse((await smki('--rules', '--json')).out).length, rows.length - 2)
    const { out: register } = await smki('--standards')
    assert.match(register, /^As of \d{4}-\d\d-\d\d\./)
    assert.match(register, /\| FIPS 140-2 \| superseded \| FIPS 140-3 \|/)
    assert.ok(JSON.parse((await smki('--standards', '--json')).out).standards.length > 80)
  })
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { main } from '../smki.ts'

describe('smki documents review, in an environment', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'documents-home-'))
    writeFileSync(join(folder, 'policy.md'), 'As in RFC 5280 and in RFC 3280.\n')
  })
  after(() => rmSync(folder, { recursive: true }))

  async function run(): Promise<{ out: string; err: string; code: number | undefined }> {
    let [out, err] = ['', '']
    let code: number | undefined
    await main(['--home', folder, 'documents', 'review', join(folder, 'policy.md')], {
      out: text => (out += text),
      err: text => (err += text),
      exit: given => {
        code = given
      },
      clock: () => new Date(0),
    })
    return { out, err, code }
  }
  const configure = (governance: object) =>
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ environment: 'lab', kind: 'test', governance }))

  it('goes by the register of standards that comes with it where there is no environment', async () => {
    const { out, code } = await run()
    assert.match(out, /RFC 3280 is superseded: now RFC 5280/)
    assert.doesNotMatch(out, /RFC 5280 is/)
    assert.equal(code, 1)
  })

  it('goes by what the environment knows better', async () => {
    configure({
      standards: {
        'RFC 3280': { status: 'current' },
        'RFC 5280': { status: 'superseded', replacedBy: 'RFC 10000' },
      },
    })
    const { out } = await run()
    assert.match(out, /RFC 5280 is superseded: now RFC 10000/)
    assert.doesNotMatch(out, /RFC 3280 is/)
  })

  it('refuses a configuration that names a document of no table, or a standard of no status', async () => {
    for (const governance of [
      { documents: { 'Appendix ZZ': {} } },
      { documents: { 'Device CPS': { confidential: false } } },
      { standards: { 'RFC 1': { status: 'old' } } },
      { releaseCutOffWorkingDays: -1 },
    ]) {
      configure(governance)
      const { err, code } = await run()
      assert.match(err, /CONFIG_INVALID.*governance/)
      assert.equal(code, 1)
    }
  })
})

/** Root ceremonies by k of n holders, by the command line, on each kind of key store. */

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Act, readEntry } from '../../src/ground/journal/entry.ts'
import { noSoftHsm, type SoftHsm, softHsm, testPin } from '../../src/ground/keystore/pkcs11/testing.ts'
import { homeAt } from '../../src/main/home.ts'
import { init } from '../../src/main/init.ts'
import { type OpenedStore, openHomeStore } from '../../src/main/world.ts'
import { smki } from './command.ts'

const passphrase = testPin
let hsm: SoftHsm | undefined
const holders = ['acs-1', 'acs-2', 'acs-3', 'acs-4']

quorumOf('Files', false, () => ({ softwareInProduction: true }))
quorumOf('A module', noSoftHsm, () => {
  hsm = softHsm()
  const tokens = ['smki-root', 'smki-issuing', 'smki-contingency', 'smki-symmetric', 'smki-recovery']
  for (const token of tokens) hsm.token(token, passphrase)
  return { kind: 'pkcs11', library: hsm.library, certificate: 'SoftHSM2, for tests' }
})
after(() => hsm?.remove())

function quorumOf(name: string, skip: string | false, keyStore: () => Record<string, unknown>): void {
  describe(`${name}: the root key store, shared by 2 of 4`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'opensmki-quorum-'))
    const home = homeAt(join(folder, 'home'))
    let opened: OpenedStore
    const at = (...names: string[]) => join(folder, ...names)
    const run = (...argv: string[]) => smki('--home', home.path, ...argv)
    const share = (sharing: string, n: number) => at(sharing, `root-${n}-acs-${n}.json`)

    before(async () => {
      writeFileSync(at('passphrase'), `${passphrase}\n`, { mode: 0o600 })
      const pin = Buffer.from(passphrase)
      const pins = { root: pin, issuing: pin, contingency: pin, symmetric: pin, recovery: pin }
      await init(home, {
        environment: 'quorum',
        kind: 'production',
        with: [],
        passphrases: pins,
        settings: { keyStore: keyStore() },
        witness: () => {},
      })
      // Commands find the store running, and need not start it each for itself.
      opened = await openHomeStore(home, { share: false, max: 1 })
    })
    after(async () => {
      await opened.close()
      rmSync(folder, { recursive: true, force: true })
    })

    it('opens with two shares for a ceremony, and no more with the passphrase of before', async () => {
      const sharing = ['--threshold', '2', '--holder', ...holders, '--out', at('first')]
      const shared = await run(
        'quorum',
        'share',
        '--store',
        'root',
        ...sharing,
        '--passphrase-file',
        at('passphrase'),
      )
      assert.equal(shared.code, 0, shared.said)
      assert.equal(readdirSync(at('first')).length, 4)
      for (const file of readdirSync(at('first'))) assert.equal(statSync(at('first', file)).mode & 0o077, 0)
      const old = await run('ceremony', 'lists', '--root-passphrase-file', at('passphrase'))
      assert.match(old.said, /KEYSTORE_WRONG_PASSPHRASE/)
      const held = await run('ceremony', 'lists', '--root-share', share('first', 3), share('first', 1))
      assert.equal(held.code, 0, held.said)
      assert.match(held.said, /Root DCA/)
      const [united] = (await acts()).filter(({ act }) => act === 'quorum united')
      assert.deepEqual(united!.body.holders, ['acs-3', 'acs-1'])
      assert.equal(united!.body.purpose, 'ceremony lists')
    })

    it('stays closed to one holder, to one twice, to a changed share and to what is none, and says whose it was', async () => {
      const changed = JSON.parse(readFileSync(share('first', 2), 'utf8'))
      changed.share = `${changed.share[0] === '0' ? '1' : '0'}${changed.share.slice(1)}`
      writeFileSync(at('changed.json'), JSON.stringify(changed))
      const one = share('first', 1)
      for (const [files, says] of [
        [[one], /QUORUM_TOO_FEW: .*: 1 of 2/],
        [[one, one], /QUORUM_HOLDER_TWICE: .*acs-1/],
        [[one, at('changed.json')], /QUORUM_SHARE_CORRUPT: .*acs-2, share 2/],
        [[one, at('passphrase')], /QUORUM_UNREADABLE/],
        [[one, at('none.json')], /QUORUM_UNREADABLE/],
      ] as const) {
        const { code, said } = await run('quorum', 'check', '--store', 'root', '--share', ...files)
        assert.equal(code, 1)
        assert.match(said, says)
        assert.ok(!said.includes(changed.share), 'no share is shown')
      }
      const refusals = (await acts()).filter(({ act }) => act === 'quorum refused').map(({ body }) => body.code)
      assert.deepEqual(refusals, ['QUORUM_TOO_FEW', 'QUORUM_HOLDER_TWICE', 'QUORUM_SHARE_CORRUPT'])
    })

    it('is closed to a holder who left, and with a new sharing to every share of the old one', async () => {
      const left = await run('quorum', 'leave', '--store', 'root', '--holder', 'acs-2')
      assert.equal(left.code, 0, left.said)
      const two = [share('first', 1), share('first', 2)]
      assert.match((await run('quorum', 'check', '--store', 'root', '--share', ...two)).said, /QUORUM_HOLDER_LEFT/)
      const today = ['--share', share('first', 1), share('first', 4)]
      const sharing = ['--threshold', '2', '--holder', 'acs-1', 'acs-3', 'acs-4', 'acs-5', '--out', at('second')]
      const shared = await run('quorum', 'share', '--store', 'root', ...sharing, ...today)
      assert.equal(shared.code, 0, shared.said)
      const old = await run('quorum', 'check', ...['--store', 'root', ...today])
      assert.match(old.said, /QUORUM_OTHER_CEREMONY/)
      const fresh = [at('second', 'root-4-acs-5.json'), at('second', 'root-1-acs-1.json')]
      assert.match((await run('quorum', 'check', '--store', 'root', '--share', ...fresh)).said, /The shares open/)
      const shown = await run('quorum', 'show', '--store', 'root', '--json')
      assert.deepEqual(
        JSON.parse(shown.said).holders.map((one: { holder: string }) => one.holder),
        ['acs-1', 'acs-3', 'acs-4', 'acs-5'],
      )
    })

    it('leaves shares nowhere but with their holders: not in the home, nor in the journal', async () => {
      const told = (await acts()).map(({ act, body }) => ({ act, text: JSON.stringify(body) }))
      const quorum = told.filter(({ act }) => act.startsWith('quorum'))
      assert.ok(quorum.length >= 8, `${quorum.length} entries`)
      const record = readFileSync(join(home.path, 'quorum', 'root.json'), 'utf8')
      let looked = 0
      for (const sharing of ['first', 'second']) {
        for (const file of readdirSync(at(sharing))) {
          const { share } = JSON.parse(readFileSync(at(sharing, file), 'utf8')) as { share: string }
          assert.ok(!record.includes(share) && !told.some(({ text }) => text.includes(share)))
          looked += 1
        }
      }
      assert.equal(looked, 8)
    })

    async function acts(): Promise<Act[]> {
      const { rows } = await opened.store.query<{ octets: Buffer }>(
        'SELECT id, octets FROM journal_entry UNION ALL SELECT id, octets FROM journal_pending ORDER BY id',
      )
      return rows.map(row => readEntry(row.octets))
    }
  })
}

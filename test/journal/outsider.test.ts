/** An outsider: has the published files and the log's key, and finds what was changed; also with a program of their own. */

import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { toHexUpper } from '../../src/ground/bytes.ts'
import { connectionOf } from '../../src/ground/store/embedded.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { loadSettings } from '../../src/main/home.ts'
import { startJournalDoor } from '../../src/main/journal-door.ts'
import { foreign, noPython } from './foreign.ts'
import { makeScene, type Scene } from './scene.ts'

let scene: Scene
let published: string
let group: Buffer[]
let key: string

before(async () => {
  scene = await makeScene()
  group = await scene.issue(5)
  await scene.issue(1)
  published = join(scene.folder, 'published')
  key = scene.home.journalKey
  const { code, err } = await scene.smki('journal', 'export', published)
  assert.deepEqual([code, err], [0, ''])
  // The store grows on: what was published stays true of it.
  await scene.issue(2)
})
after(() => scene.close())

const verify = (...more: string[]) => scene.smki('journal', 'verify', ...more)
const againstStore = () => verify('--from', published, '--store', '--key', key)

describe('an outsider with the published files', () => {
  it('finds that they hold, and that the store is what they say', async () => {
    for (const more of [['--from', published], ['--from', published, '--store'], []]) {
      const { code, out, err } = await verify(...more)
      assert.deepEqual([code, err], [0, ''], more.join(' '))
      assert.match(out, /the journal holds/)
    }
    const { out } = await verify('--from', published, '--store', '--json')
    const told = JSON.parse(out) as { groups: number; certificates: number; entries: number; signed: number }
    assert.ok(told.groups > 30 && told.certificates > 40 && told.entries === told.signed, out)
  })

  it('finds the same from afar, over TLS, and copies the log', async () => {
    const settings = loadSettings(scene.home)
    const target = (await connectionOf(scene.home.store))!
    const log = { info: () => {}, error: assert.fail } as never
    const door = await startJournalDoor({ settings, home: scene.home, target, log })
    try {
      const from = ['--from', `https://localhost:${door.port}`, '--ca', join(scene.home.tls, 'ca.crt.pem')]
      const { code, out, err } = await verify(...from, '--key', key)
      assert.deepEqual([code, err], [0, ''], out)
      assert.equal((await scene.smki('journal', 'export', join(scene.folder, 'mirror'), ...from)).code, 0)
      assert.equal((await verify('--from', join(scene.folder, 'mirror'))).code, 0)
      assert.match(
        (await verify('--from', from[1]!)).err,
        /^NO_ANSWER: .*certificate/,
        'an authority that nobody knows',
      )
    } finally {
      await door.close()
    }
    const unpublished = { ...settings, services: { ...settings.services, journalPort: null } }
    const none = await startJournalDoor({ settings: unpublished, home: scene.home, target, log })
    assert.equal(none.port, undefined)
  })

  // Each changes one thing in PostgreSQL, and says what must be named. The change is taken back afterwards.
  const changes: Record<string, () => Promise<{ undo: () => Promise<void>; says: RegExp }>> = {
    'an entry of the journal': async () => {
      const { rows } = await scene.store.query<{ octets: Buffer }>(
        'SELECT octets FROM journal_entry WHERE position = 7',
      )
      const put = (octets: Buffer) =>
        scene.tamper('UPDATE journal_entry SET octets = $1 WHERE position = 7', [octets])
      await put(Buffer.from(rows[0]!.octets.toString().replace('"act":"', '"act":"un')))
      return { undo: () => put(rows[0]!.octets), says: /^STORE_DIFFERS at 7:/m }
    },
    'a certificate of a group': async () => {
      const serial = readCertificate(group[3]!).serial
      const flip = () =>
        scene.tamper(
          'UPDATE certificate SET tbs = set_byte(tbs, octet_length(tbs) - 40, 255 - get_byte(tbs, octet_length(tbs) - 40)) WHERE serial = $1',
          [serial],
        )
      await flip()
      const says = new RegExp(
        `^ENTRY_CLAIM at \\d+: .*the certificates of signing \\d+ are not those that were issued: not as its authority signed it is number 3 \\(serial ${toHexUpper(serial)}\\)$`,
        'm',
      )
      return { undo: flip, says }
    },
    'a signature of a group': async () => {
      const signing = (
        await scene.store.query<{ signing: bigint }>('SELECT signing FROM certificate WHERE serial = $1', [
          readCertificate(group[2]!).serial,
        ])
      ).rows[0]!.signing
      const flip = () =>
        scene.tamper(
          'UPDATE signing SET signatures = set_byte(signatures, 2 * slot + 20, 255 - get_byte(signatures, 2 * slot + 20)) WHERE id = $1',
          [signing],
        )
      await flip()
      return { undo: flip, says: /not as its authority signed it is number 2 \(serial/ }
    },
    'a certificate that is gone': async () => {
      const serial = readCertificate(group[4]!).serial
      const { rows } = await scene.store.query<Record<string, unknown>>(
        'SELECT * FROM certificate WHERE serial = $1',
        [serial],
      )
      await scene.tamper('DELETE FROM certificate WHERE serial = $1', [serial])
      const names = Object.keys(rows[0]!)
      const back = `INSERT INTO certificate (${names.join()}) VALUES (${names.map((_, n) => `$${n + 1}`).join()})`
      return { undo: () => scene.tamper(back, Object.values(rows[0]!)), says: /4 are there, and 5 were issued/ }
    },
    'two certificates that changed places': async () => {
      const [a, b] = [readCertificate(group[0]!).serial, readCertificate(group[1]!).serial]
      const move = (serial: Uint8Array, to: number) =>
        scene.tamper('UPDATE certificate SET position = $2 WHERE serial = $1', [serial, to])
      const swap = async () => {
        const at = async (serial: Uint8Array) =>
          (
            await scene.store.query<{ position: number }>('SELECT position FROM certificate WHERE serial = $1', [
              serial,
            ])
          ).rows[0]!.position
        const [x, y] = [await at(a), await at(b)]
        await move(a, 99)
        await move(b, x)
        await move(a, y)
      }
      await swap()
      return { undo: swap, says: /not as its authority signed it is number 0 .*, number 1 / }
    },
    'the number by which a certificate is found': async () => {
      const { serial } = readCertificate(group[1]!)
      const other = Buffer.from(serial).fill(0x11)
      await scene.tamper('UPDATE certificate SET serial = $2 WHERE serial = $1', [serial, other])
      return {
        undo: () => scene.tamper('UPDATE certificate SET serial = $2 WHERE serial = $1', [other, serial]),
        says: /^MISFILED: certificate 1 of signing \d+ has the serial number/m,
      }
    },
    'the Device under which a certificate is filed': async () => {
      const { serial } = readCertificate(group[1]!)
      const turn = () =>
        scene.tamper(
          'UPDATE certificate SET eui64 = set_byte(eui64, 7, 255 - get_byte(eui64, 7)) WHERE serial = $1',
          [serial],
        )
      await turn()
      return { undo: turn, says: /^MISFILED: certificate 1 of signing \d+ is filed under the EUI-64/m }
    },
  }

  for (const [what, change] of Object.entries(changes)) {
    it(`finds ${what}, changed in the database, and says which it is`, async () => {
      const { undo, says } = await change()
      try {
        const { code, err, out } = await againstStore()
        assert.equal(code, 1, out)
        assert.match(err, says)
        assert.match(out, /the journal does not hold: \d fault/)
        assert.equal((await verify()).code, 1, 'without the files too')
      } finally {
        await undo()
      }
      assert.equal((await againstStore()).code, 0, 'and only that')
    })
  }
})

describe('a program of somebody else, written from the page of the format', { skip: noPython }, () => {
  it('finds that the published files hold, with as many entries of each act', async () => {
    const key_ = readFileSync(key, 'utf8')
    const found = foreign('log', published, key_)
    const { out } = await verify('--from', published, '--json')
    assert.deepEqual([found.holds, found.size], [true, (JSON.parse(out) as { signed: number }).signed])
    assert.ok(found.acts!.issue! >= 30 && found.acts!.ceremony === 1, JSON.stringify(found.acts))
  })

  it('and ours name the same entry when a file was changed', async () => {
    const copy = join(scene.folder, 'copy')
    cpSync(published, copy, { recursive: true })
    const bundle = join(copy, 'tile/entries/000')
    const octets = readFileSync(bundle)
    const at = octets.indexOf('"ceremony"') > 0 ? 40 : 41
    octets[at]! ^= 1
    writeFileSync(bundle, octets)
    assert.match(foreign('log', copy, readFileSync(key, 'utf8')).why!, /entries at \[0\]/)
    const { code, err } = await verify('--from', copy, '--key', key)
    assert.deepEqual([code, err], [1, 'ENTRY_ALTERED at 0: the entry is not the one that was signed\n'])
    const checkpoint = join(copy, 'checkpoint')
    writeFileSync(checkpoint, readFileSync(checkpoint, 'utf8').replace(/\n(\d+)\n/, '\n1$1\n'))
    assert.match(foreign('log', copy, readFileSync(key, 'utf8')).why!, /did not sign/)
    rmSync(copy, { recursive: true })
  })

  it('checks the proof of a certificate, of a group and alone, and refuses it for another', async () => {
    const key_ = readFileSync(key, 'utf8')
    const der = (one: Buffer, name: string) => {
      writeFileSync(join(scene.folder, name), one)
      return join(scene.folder, name)
    }
    const other = der(group[0]!, 'other.der')
    const alone = (await scene.store.query<{ der: Buffer }>('SELECT der FROM authority ORDER BY id LIMIT 1'))
      .rows[0]!.der
    for (const [name, one] of Object.entries({ member: group[2]!, last: group[4]!, alone })) {
      const proof = join(scene.folder, `${name}.tlog-proof`)
      const { code, err } = await scene.smki(
        'journal',
        'prove',
        '--certificate',
        scene.file(one, `${name}.pem`),
        '-o',
        proof,
      )
      assert.deepEqual([code, err], [0, ''])
      const found = foreign('proof', proof, key_, der(one, `${name}.der`))
      assert.deepEqual([found.holds, found.why], [true, undefined], name)
      assert.equal(foreign('proof', proof, key_, other).holds, false)
    }
  })

  it('checks that the log only grew since the published checkpoint', async () => {
    const key_ = readFileSync(key, 'utf8')
    const [growth, kept] = [join(scene.folder, 'growth'), join(published, 'checkpoint')]
    assert.equal((await scene.smki('journal', 'prove', '--since', kept, '-o', growth)).code, 0)
    const found = foreign('growth', growth, key_, kept)
    assert.deepEqual([found.holds, found.why], [true, undefined])
    const hash = Buffer.alloc(32, 1).toString('base64')
    writeFileSync(growth, readFileSync(growth, 'utf8').replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${hash}\n`))
    assert.equal(foreign('growth', growth, key_, kept).holds, false)
  })
})

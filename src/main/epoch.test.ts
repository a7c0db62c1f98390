import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeRooms, type Rooms } from '../../test/issuing/rooms.ts'
import { toHex } from '../ground/bytes.ts'
import { entry } from '../ground/journal/entry.ts'
import { append, integrate } from '../ground/journal/journal.ts'
import { keyIdentifier } from '../ground/x509/key.ts'
import { readListHeading } from '../ground/x509/list.ts'
import { numberedList } from '../ground/x509/list-number.ts'
import { listSchedules } from '../policy/revocation/schedules.ts'
import { authorities } from '../rooms/authority/register.ts'
import { currentLists } from '../rooms/repository/lists.ts'
import { publishList } from '../rooms/revocation/list.ts'
import { journalKey, journalVerifier, logName } from './ceremony.ts'
import { counting, type Marks, marksIn, rememberStore } from './epoch.ts'
import { missing, requireWhole, sentences } from './epoch-compare.ts'

let rooms: Rooms
let folder: string
let marks: Marks
const log = () => logName(rooms.settings)

before(async () => {
  rooms = await makeRooms({ pkis: ['smki-organisation'] })
  folder = mkdtempSync(join(tmpdir(), 'opensmki-epoch-'))
  marks = marksIn(join(folder, 'marks'))
})
after(async () => {
  await rooms.close()
  rmSync(folder, { recursive: true })
})

async function list() {
  const authority = (await authorities(rooms.store)).find(one => one.level === 'issuing')!
  const schedule = listSchedules(rooms.settings)(authority)!
  const made = await publishList(rooms.hands, authority, counting(rooms.keys.issuing, marks), schedule)
  return { made, key: toHex(keyIdentifier(authority.certificate.publicKey.key)) }
}

async function grow(): Promise<number> {
  await rooms.store.transaction(client => append(client, entry('test', new Date(), {})))
  const keys = counting(rooms.keys.issuing, marks)
  return integrate({
    store: rooms.store,
    at: new Date(),
    ...journalVerifier(rooms.settings, keys),
    sign: octets => keys.sign(journalKey, octets),
  })
}

describe('the counter beside the keys', () => {
  it('reads which list is signed, of lists of every kind, and of nothing else', async () => {
    const known = await authorities(rooms.store)
    const lists = await currentLists(rooms.store)
    assert.ok(lists.length >= 2)
    for (const one of lists) {
      const { certificate } = known.find(({ id }) => id === one.authority)!
      const issuerKey = toHex(keyIdentifier(certificate.publicKey.key))
      assert.deepEqual(numberedList(readListHeading(one.der).tbs), { issuerKey, number: one.number })
      assert.equal(numberedList(one.der), undefined)
      assert.equal(numberedList(certificate.tbs), undefined)
    }
    assert.equal(numberedList(Buffer.from('opensmki/x\n3\n')), undefined)
  })

  it('remembers each list and each checkpoint, and finds nothing missing in the store that has them', async () => {
    const { made, key } = await list()
    await grow()
    assert.equal(marks.lists().get(key), made.number)
    const { rows } = await rooms.store.query<{ size: bigint; root: Buffer }>(
      'SELECT size, root FROM journal_checkpoint ORDER BY size DESC LIMIT 1',
    )
    const { size, root } = rows[0]!
    assert.deepEqual(marks.journal.read(), { log: log(), size: Number(size), root: root.toString('base64') })
    await rememberStore(rooms.store, marks, 1)
    assert.equal(await missing(rooms.store, marks, log()), undefined)
  })

  it('takes what was signed and not kept by a program that died for what it is, in the store that it left', async () => {
    const { made, key } = await list()
    marks.list(key).write(String(made.number + 1n))
    const mark = marks.journal.read()!
    marks.journal.write({ ...mark, size: mark.size + 5 })
    assert.equal(await missing(rooms.store, marks, log()), undefined)
    // One more cannot be: nobody numbers a list before the one before it is kept.
    marks.list(key).write(String(made.number + 2n))
    const found = (await missing(rooms.store, marks, log()))!
    assert.deepEqual(sentences(found), [
      `Organisation CRL numbers ${made.number + 1n} to ${made.number + 2n} are missing`,
    ])
    marks.list(key).write(String(made.number))
    marks.journal.write(mark)
  })

  it('misses both in a store that has less log than it had, or another timeline', async () => {
    const { made, key } = await list()
    await grow()
    const journal = marks.journal.read()!
    const store = marks.store.read()!
    for (const position of [
      { ...store.position!, octets: String(10n ** 18n) },
      { ...store.position!, timeline: '00000009' },
      { ...store.position!, cluster: '1' },
    ]) {
      marks.store.write({ ...store, position })
      assert.equal(await missing(rooms.store, marks, log()), undefined, 'nothing is missing yet')
      marks.list(key).write(String(made.number + 1n))
      marks.journal.write({ ...journal, size: journal.size + 5 })
      const found = (await missing(rooms.store, marks, log()))!
      assert.deepEqual(sentences(found), [
        `entries ${journal.size} to ${journal.size + 4} of the journal ${log()} are missing`,
        `Organisation CRL number ${made.number + 1n} is missing`,
      ])
      await assert.rejects(requireWhole(rooms.store, marks, log()), { code: 'STORE_WENT_BACK' })
      marks.list(key).write(String(made.number))
      marks.journal.write(journal)
    }
    marks.store.write(store)
  })

  it('misses what was signed when the journal is long enough, and another one', async () => {
    const mark = marks.journal.read()!
    marks.journal.write({ ...mark, size: mark.size - 1 })
    const found = (await missing(rooms.store, marks, log()))!
    assert.match(sentences(found)[0]!, /its first \d+ entries are not those that the journal .* was signed for/)
    // Of a log that ended nothing is asked.
    assert.equal(await missing(rooms.store, marks, 'opensmki/another'), undefined)
    marks.journal.write(mark)
  })

  it('lets no list be signed that is lower than one before', async () => {
    const { made, key } = await list()
    marks.list(key).write(String(made.number + 5n))
    await assert.rejects(list(), { code: 'STORE_WENT_BACK' })
    marks.list(key).write(String(made.number))
    assert.equal((await list()).made.number, made.number + 1n)
  })

  it('reserves numbers ahead, and not again while there are enough', async () => {
    await rememberStore(rooms.store, marks, 1)
    const first = marks.store.read()!.sequences
    const { rows } = await rooms.store.query<{ last: bigint }>('SELECT last_value AS last FROM signing_id_seq')
    assert.equal(BigInt(first['public.signing_id_seq']!), rows[0]!.last + 100_000n)
    await rooms.store.query("SELECT setval('signing_id_seq', $1)", [rows[0]!.last + 40_000n])
    await rememberStore(rooms.store, marks, 1)
    assert.deepEqual(marks.store.read()!.sequences, first)
    await rooms.store.query("SELECT setval('signing_id_seq', $1)", [rows[0]!.last + 60_000n])
    await rememberStore(rooms.store, marks, 1)
    assert.equal(BigInt(marks.store.read()!.sequences['public.signing_id_seq']!), rows[0]!.last + 160_000n)
  })
})

/** Files of documents: entered with their version or not at all, never changed, read by whoever may, and that on record. */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type DocumentDefinition, documents } from '../../src/policy/documents/document-set.ts'
import { beginDevelopment, enterDevelopment, reportRef } from '../../src/rooms/governance/developments.ts'
import { addVersion, enterDocuments, publishedVersions, versionsFor } from '../../src/rooms/governance/documents.ts'
import {
  decideEntered,
  type EnteredVersion,
  enterVersion,
  type Keeper,
} from '../../src/rooms/governance/entering.ts'
import { readFile, readPublicFile } from '../../src/rooms/governance/files.ts'
import {
  enterModification,
  modificationReportRef,
  raiseModification,
} from '../../src/rooms/governance/modifications.ts'
import { everyFailure, failing } from '../issuing/failing.ts'
import { type Board, members, openBoard, refusal, secretary } from './board.ts'
import { ckmp } from './fixtures/ckmp.ts'
import { mp173 } from './fixtures/mp173.ts'

const clerk: Keeper = { person: 'p-0000000000c1', as: 'RA_PERSONNEL' }
const manager: Keeper = { person: 'p-0000000000a1', as: 'RA_MANAGER' }
const member: Keeper = { person: members[0], as: 'PMA_MEMBER' }
const second: Keeper = { person: members[1], as: 'PMA_MEMBER' }
const most = 1 << 20

const given = (document: string, version: string, text = `${document} ${version}\n`): EnteredVersion => ({
  document,
  version,
  sha256: hash('sha256', text, 'hex'),
  mediaType: 'text/plain',
  octets: Buffer.from(text),
})

describe('the file of a version', () => {
  let board: Board
  before(async () => {
    board = await openBoard()
    await enterDocuments(board.hands, secretary, documents)
  })
  after(() => board.close())

  const enter = (by: Keeper, what: EnteredVersion) => enterVersion(board.hands, by, what, most)
  const decide = (by: Keeper, document: string, version: string, more: object = {}) =>
    decideEntered(board.hands, by, {
      document,
      version,
      sha256: given(document, version).sha256,
      outcome: 'approved',
      from: '2026-12-01',
      under: { basis: 'MP173' },
      ...more,
    })
  const rows = async (table: string) =>
    Number((await board.store.query<{ n: bigint }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]!.n)
  const last = async (act: string) => (await board.journal()).findLast(one => one.act === act)?.body
  const asDcc = { person: manager.person, reader: 'DCC' } as const
  const officer = { person: 'p-0000000000f1', party: 7, reader: 'public' } as const

  it('is kept with its version and entry, and read as it was entered', async () => {
    const what = given('Appendix A', '1.0')
    const entered = await enter(clerk, what)
    assert.deepEqual(
      [entered.state, entered.kept, entered.heldAt, entered.enteredBy, entered.octets],
      ['draft', true, 'store', clerk.person, what.octets.length],
    )
    assert.deepEqual(await last('enter version'), {
      by: clerk.person,
      as: 'RA_PERSONNEL',
      document: 'Appendix A',
      version: '1.0',
      sha256: what.sha256,
      octets: what.octets.length,
      mediaType: 'text/plain',
      heldAt: 'store',
    })
    await decide(manager, 'Appendix A', '1.0')
    const file = await readPublicFile(board.store, 'Appendix A', '1.0')
    assert.ok(file.octets.equals(what.octets))
    assert.deepEqual(
      [file.sha256, file.type, file.name],
      [what.sha256, 'text/plain; charset=utf-8', 'Appendix-A-1.0.txt'],
    )
    // What everybody may read leaves no trace of who read it.
    const before = (await board.journal()).length
    await readFile(board.hands, officer, 'Appendix A', '1.0')
    assert.equal((await board.journal()).length, before)
  })

  it('is refused, and nothing kept, when it is not what it is said to be', async () => {
    const good = given('Appendix B', '1.0')
    const before = [await rows('document_version'), await rows('document_file')]
    for (const [changes, code] of [
      [{ sha256: hash('sha256', 'another', 'hex') }, 'FILE_HASH_WRONG'],
      [{ sha256: 'no hash' }, 'FILE_HASH_WRONG'],
      [{ mediaType: 'text/html' }, 'FILE_TYPE_REFUSED'],
      [{ mediaType: 'application/pdf' }, 'FILE_NOT_AS_SAID'],
      [given('Appendix B', '1.0', '<!doctype html><p>'), 'FILE_ACTIVE'],
      [given('Appendix B', '1.0', ''), 'FILE_NOT_AS_SAID'],
      [given('Appendix B', '1.0', 'a'.repeat(most + 1)), 'FILE_TOO_LARGE'],
      [{ version: 'draft' }, 'VERSION_NOT_LATER'],
      [{ document: 'Appendix ZZ' }, 'DOCUMENT_UNKNOWN'],
    ] as const) {
      await assert.rejects(enter(clerk, { ...good, ...changes }), refusal(code), code)
      assert.equal((await last('refused'))?.code, code)
    }
    assert.deepEqual([await rows('document_version'), await rows('document_file')], before)
    assert.equal((await enter(clerk, given('Appendix B', '1.0', 'a'.repeat(most)))).octets, most)
  })

  it('is of a version that is later than every one before', async () => {
    await enter(clerk, given('Appendix C', '2.0'))
    await assert.rejects(enter(clerk, given('Appendix C', '2.0', 'again')), refusal('VERSION_EXISTS'))
    for (const version of ['1.9', '2']) {
      await assert.rejects(enter(clerk, given('Appendix C', version, version)), refusal('VERSION_NOT_LATER'))
    }
    await assert.rejects(enter(clerk, given('Appendix C', '2.1', 'Appendix C 2.0\n')), refusal('VERSION_EXISTS'))
    assert.equal((await enter(clerk, given('Appendix C', '10.0'))).version, '10.0')
  })

  it('is entered for the owner, and decided on for the approver by another person', async () => {
    // Looked after by the DCC, approved by the SMKI PMA.
    const what = given('Device CPS', '1.0')
    await assert.rejects(enter(member, what), refusal('NOT_THE_OWNER'))
    await enter(manager, what)
    await board.decide('PMA/1', { acts: ['approve document'], subjects: ['document:Device CPS'] })
    const under = { decision: 'PMA/1' }
    await assert.rejects(decide(clerk, 'Device CPS', '1.0', { under }), refusal('NOT_THE_APPROVER'))
    await assert.rejects(decide(manager, 'Device CPS', '1.0', { under }), refusal('NOT_THE_APPROVER'))
    await assert.rejects(decide(member, 'Device CPS', '1.0'), refusal('APPROVAL_NEEDS_DECISION'))
    const approved = await decide(member, 'Device CPS', '1.0', { under })
    assert.deepEqual([approved.state, approved.decision], ['approved', 'PMA/1'])

    // Both by the SMKI PMA: two of its Members.
    await enter(member, given('Recovery Key Guidance', '1.0'))
    await board.decide('PMA/2', { acts: ['approve document'], subjects: ['*'] })
    const guided = { under: { decision: 'PMA/2' } }
    await assert.rejects(decide(member, 'Recovery Key Guidance', '1.0', guided), refusal('VERSION_SAME_PERSON'))
    assert.equal((await decide(second, 'Recovery Key Guidance', '1.0', guided)).state, 'approved')

    // The Change Board has no office here: a manager enters its vote, and not the version he brought himself.
    await enter(manager, given('Appendix D', '1.0'))
    await assert.rejects(decide(manager, 'Appendix D', '1.0'), refusal('VERSION_SAME_PERSON'))
    await assert.rejects(decide(clerk, 'Appendix D', '1.0'), refusal('NOT_THE_APPROVER'))
    await decide(member, 'Appendix D', '1.0')
    await enter(manager, given('Appendix D', '1.1'))
    await assert.rejects(decide(member, 'Appendix D', '1.1', { from: '2026-12-01' }), refusal('VERSION_ORDER'))
    const aro: Keeper = { person: officer.person, as: 'ARO' }
    await assert.rejects(enter(aro, given('Appendix D', '2.0')), refusal('NOT_THE_OWNER'))
    await assert.rejects(decide(aro, 'Appendix D', '1.1'), refusal('NOT_THE_APPROVER'))
  })

  it('that is designated was not entered by whoever enters the designation', async () => {
    await board.decide('PMA/3', { acts: ['approve document'], subjects: ['*'] })
    const [draft, ...events] = ckmp
    const all = events.map(one => ('decision' in one ? { ...one, decision: 'PMA/3' } : one))
    await beginDevelopment(board.hands, manager.person, 'SAME', draft!)
    for (const event of all) await enterDevelopment(board.hands, manager.person, 'SAME', event)
    const { document, version, sha256 } = await enter(manager, given('CKMP DLMS', '1.0'))
    await enterDevelopment(board.hands, manager.person, 'SAME', { step: 'submit', on: '2021-11-29' })
    const designate = { step: 'designate', on: '2021-12-10', versions: [{ document, version, sha256 }] } as const
    const alone = enterDevelopment(board.hands, manager.person, 'SAME', designate as never)
    await assert.rejects(alone, refusal('VERSION_SAME_PERSON'))
    await enterDevelopment(board.hands, clerk.person, 'SAME', designate as never)
    assert.equal((await versionsFor(board.store, 'public', 'CKMP DLMS'))[0]!.state, 'approved')
  })

  it('is never changed or removed in the store, nor is its version, whoever asks', async () => {
    for (const statement of [
      `UPDATE document_file SET octets = 'x'`,
      'DELETE FROM document_file',
      `UPDATE document_version SET sha256 = sha256('x') WHERE document = 'Device CPS'`,
      `UPDATE document_version SET state = 'draft', decided_at = NULL, decision = NULL, basis = NULL,
         effective_from = NULL, effective_until = NULL WHERE document = 'Device CPS'`,
      `UPDATE document_version SET effective_from = '2020-01-01' WHERE document = 'Device CPS'`,
      `UPDATE document_version SET media_type = 'text/html' WHERE document = 'Appendix C'`,
      'DELETE FROM document_version',
    ]) {
      await assert.rejects(board.store.query(statement), /never changed or removed/, statement)
    }
    const bare = { ...given('Appendix K', '1.0'), octets: 15, heldAt: 'archive' }
    await addVersion(board.hands, clerk.person, bare)
    // Nor does it take others than those that the version names: of another hash, or of a version without a file.
    const file = (octets: string, version: string) =>
      board.store.query(
        `INSERT INTO document_file SELECT id, $1 FROM document_version WHERE document = 'Appendix K' AND version = $2`,
        [Buffer.from(octets), version],
      )
    await board.store.query(
      `INSERT INTO document_version (document, version, sha256, octets, media_type, held_at, entered_at, kept)
       VALUES ('Appendix K', '1.1', sha256('abcd'), 4, 'text/plain', 'store', now(), true)`,
    )
    for (const [octets, version] of [
      ['Appendix K 1.0\n', '1.0'],
      ['abce', '1.1'],
      ['abcde', '1.1'],
    ] as const)
      await assert.rejects(file(octets, version), /not the octets of that version/, octets)
    assert.equal((await file('abcd', '1.1')).rowCount, 1)
  })

  it('is not handed out when somebody got round the store and changed it', async () => {
    const { store } = board
    const { version } = await enter(clerk, given('Appendix J', '1.0'))
    await store.query('ALTER TABLE document_file DISABLE TRIGGER document_file_stands')
    await store.query(
      `UPDATE document_file f SET octets = 'Appendix J, forged' FROM document_version v
        WHERE v.id = f.version AND v.document = 'Appendix J'`,
    )
    await store.query('ALTER TABLE document_file ENABLE TRIGGER document_file_stands')
    await assert.rejects(readFile(board.hands, asDcc, 'Appendix J', version), /are not those that were entered/)
  })

  it('of a confidential document, or a draft, is read by those whom the register names, each time on record', async () => {
    for (const [document, version] of [
      ['Device CPS', '1.0'],
      ['Appendix C', '10.0'],
    ] as const) {
      const { sha256 } = await readFile(board.hands, asDcc, document, version)
      assert.deepEqual(await last('read document'), {
        by: manager.person,
        document,
        version,
        sha256,
        reader: 'DCC',
      })
    }
    // Nor does the store give either to a program that may read what is public alone.
    for (const [ref, version] of [
      ['Device CPS', '1.0'],
      ['Appendix C', '10.0'],
      ['Appendix D', '1.1'],
    ] as const) {
      const { rows: none } = await board.store.query('SELECT public_document_file($1, $2) AS octets', [
        ref,
        version,
      ])
      assert.deepEqual(none, [{ octets: null }], ref)
    }
    const { rows: some } = await board.store.query("SELECT public_document_file('Appendix A', '1.0') AS octets")
    assert.equal(String((some[0] as { octets: Buffer }).octets), 'Appendix A 1.0\n')
    await readFile(board.hands, { person: member.person, reader: 'SMKI PMA' }, 'Device CPS', '1.0')
    assert.equal((await last('read document'))?.reader, 'SMKI PMA')

    const refused = (code: string) => ({ attempt: 'read document', code, by: officer.person })
    await assert.rejects(readFile(board.hands, officer, 'Device CPS', '1.0'), refusal('DOCUMENT_CONFIDENTIAL'))
    assert.deepEqual(await last('refused'), { ...refused('DOCUMENT_CONFIDENTIAL'), about: 'Device CPS' })
    await assert.rejects(readFile(board.hands, officer, 'Appendix C', '10.0'), refusal('VERSION_NOT_PUBLISHED'))
    assert.deepEqual(await last('refused'), { ...refused('VERSION_NOT_PUBLISHED'), about: 'Appendix C' })

    // For everybody neither is there.
    await assert.rejects(readPublicFile(board.store, 'Device CPS', '1.0'), refusal('DOCUMENT_UNKNOWN'))
    await assert.rejects(readPublicFile(board.store, 'Appendix C', '10.0'), refusal('VERSION_UNKNOWN'))
    const public_ = await publishedVersions(board.store)
    assert.ok(public_.length >= 3)
    assert.deepEqual(
      public_.filter(one => one.document.includes('CPS') || one.state === 'draft'),
      [],
    )
  })

  it('is told apart from one that was entered by title only', async () => {
    await assert.rejects(readFile(board.hands, asDcc, 'Appendix K', '1.0'), refusal('FILE_NOT_KEPT'))
    await assert.rejects(readFile(board.hands, asDcc, 'Appendix K', '9.9'), refusal('VERSION_UNKNOWN'))
    await assert.rejects(readFile(board.hands, asDcc, 'Appendix ZZ', '1.0'), refusal('DOCUMENT_UNKNOWN'))
  })

  it('is there whole or not at all, whatever call fails, before or after it took effect', async () => {
    let nth_ = 0
    const ways = await everyFailure(async (nth, when, crash) => {
      const version = `1.${++nth_}`
      const what = given('Appendix X', version)
      const weak = failing(board.store, nth, when, crash)
      const entries = async () =>
        (await board.journal()).filter(
          one => one.act === 'enter version' && one.body.document === 'Appendix X' && one.body.version === version,
        ).length
      const failed = await enterVersion({ ...board.hands, store: weak.store }, clerk, what, most).then(
        () => false,
        () => true,
      )
      const found = (await versionsFor(board.store, 'DCC', 'Appendix X')).filter(one => one.version === version)
      // Version, octets, entry: as many of one as of the others.
      assert.equal(found.length, await entries())
      assert.ok(found.every(one => one.kept))
      if (found.length === 0) {
        await enter(clerk, what)
        assert.equal(await entries(), 1)
      } else await assert.rejects(enter(clerk, what), refusal('VERSION_EXISTS'))
      return { calls: weak.calls(), failed }
    })
    assert.ok(ways >= 4, `${ways} ways`)
  })

  it('is there whole or not at all when a statement within fails', async () => {
    for (const table of ['document_version', 'document_file', 'journal_pending']) {
      const name = `stop_${table}`
      await board.store.query(
        `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stopped'; END $$`,
      )
      await board.store.query(
        `CREATE TRIGGER ${name} AFTER INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION ${name}()`,
      )
      const before = [await rows('document_version'), await rows('document_file'), await rows('journal_pending')]
      await assert.rejects(enter(clerk, given('Appendix V', '1.0')), /stopped/, table)
      assert.deepEqual(
        [await rows('document_version'), await rows('document_file'), await rows('journal_pending')],
        before,
      )
      await board.store.query(`DROP TRIGGER ${name} ON ${table}`)
    }
    await enter(clerk, given('Appendix V', '1.0'))
  })
})

describe('a report that is generated here', () => {
  let board: Board
  before(async () => {
    board = await openBoard('2022-03-01T09:00:00.000Z')
    await enterDocuments(board.hands, secretary, documents)
    await board.decide('PMA/1', { acts: ['approve document'], subjects: ['*'] })
  })
  after(() => board.close())

  const conclude = async (ref: string, changes: object) => {
    const [draft, ...events] = ckmp
    await beginDevelopment(board.hands, secretary, ref, { ...draft!, ...changes } as never)
    for (const event of events)
      await enterDevelopment(
        board.hands,
        secretary,
        ref,
        ('decision' in event ? { ...event, decision: 'PMA/1' } : event) as never,
      )
  }

  it('is kept with the conclusions, published, and stands in the entry that it comes of', async () => {
    await conclude('CKMP', {})
    const ref = reportRef('CKMP')
    const [kept] = await versionsFor(board.store, 'public', ref)
    assert.deepEqual(
      [kept!.version, kept!.state, kept!.kept, kept!.enteredBy, kept!.from, kept!.basis],
      ['1.0', 'approved', true, undefined, '2022-03-01', 'conclusions of the development CKMP'],
    )
    const { octets, type, sha256 } = await readPublicFile(board.store, ref, '1.0')
    assert.equal(type, 'text/markdown; charset=utf-8')
    assert.match(octets.toString(), /^# .*CKMP|^# SMETS1/)
    assert.match(octets.toString(), /DCC received one response to the consultation\./)
    const entry = (await board.journal()).findLast(({ act }) => act === 'enter development')!
    assert.deepEqual(entry.body.report, { document: ref, version: '1.0', sha256, octets: octets.length })
  })

  it('on what is confidential is confidential', async () => {
    await conclude('CPS', { documents: ['Device CPS'] })
    await assert.rejects(readPublicFile(board.store, reportRef('CPS'), '1.0'), refusal('DOCUMENT_UNKNOWN'))
    const asked = { person: members[0], reader: 'SMKI PMA' } as const
    assert.ok((await readFile(board.hands, asked, reportRef('CPS'), '1.0')).octets.length > 1000)
  })

  it('is the Modification Report too, in the version that was approved', async () => {
    const [raised, ...later] = mp173
    await raiseModification(board.hands, secretary, 'MP173', raised as never)
    for (const event of later) await enterModification(board.hands, secretary, 'MP173', event as never)
    const [kept] = await versionsFor(board.store, 'public', modificationReportRef('MP173'))
    const { octets } = await readPublicFile(board.store, modificationReportRef('MP173'), kept!.version)
    assert.match(octets.toString(), /^# MP173/)
    assert.match(octets.toString(), new RegExp(`Version ${kept!.version},`))
  })

  it('needs no document of the table: of one that is not registered it is in no set of its own', async () => {
    await conclude('new', { documents: ['Appendix ZZ'] })
    const found = (await versionsFor(board.store, 'public', reportRef('new'))).length
    assert.equal(found, 1)
    const unlike: DocumentDefinition[] = documents.filter(one => one.kind === 'report')
    assert.deepEqual(unlike, [])
  })
})

/** A year in seconds: documents and a modification on their days, lists on schedule, an emergency, deadlines; then an outsider's audit. */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Act, readEntry } from '../src/ground/journal/entry.ts'
import { exportLog } from '../src/ground/journal/export.ts'
import { entriesIn, folderFiles } from '../src/ground/journal/files.ts'
import { integrate } from '../src/ground/journal/journal.ts'
import { type VerifierKey, verifierKey } from '../src/ground/journal/note.ts'
import { publishedFiles } from '../src/ground/journal/published.ts'
import { verifyFiles } from '../src/ground/journal/verify-files.ts'
import { journalKey, journalVerifier, renewRootLists } from '../src/main/ceremony.ts'
import { plusDays } from '../src/policy/documents/day.ts'
import type { NewDevelopmentEvent } from '../src/policy/documents/development/events.ts'
import { documents } from '../src/policy/documents/document-set.ts'
import { modificationFindings } from '../src/policy/documents/modification/checks.ts'
import type { NewModificationEvent } from '../src/policy/documents/modification/events.ts'
import { horizonOf } from '../src/policy/performance/rounds.ts'
import { decisionOf, recordDecision } from '../src/rooms/governance/decisions.ts'
import { beginDevelopment, developmentFrom, enterDevelopment } from '../src/rooms/governance/developments.ts'
import { addVersion, enterDocuments, inForceForPublic } from '../src/rooms/governance/documents.ts'
import { enterModification, modificationFrom, raiseModification } from '../src/rooms/governance/modifications.ts'
import { forecast, performanceTurn } from '../src/rooms/issuance/performance.ts'
import { type ListVersion, listVersions } from '../src/rooms/repository/list-history.ts'
import { currentIntervals } from '../src/rooms/repository/lists.ts'
import type { CertificateRef } from '../src/rooms/revocation/object.ts'
import { listsAtRisk } from '../src/rooms/revocation/schedule.ts'
import { suspensionOf } from '../src/rooms/revocation/suspended.ts'
import { resume, suspend } from '../src/rooms/revocation/suspension.ts'
import { ckmp } from './governance/fixtures/ckmp.ts'
import { mp173 } from './governance/fixtures/mp173.ts'
import type { Officers } from './registration/office.ts'
import { openScene, type Scene } from './revocation/scene.ts'

const [first, last] = ['2021-06-14', '2022-06-13'] as const
const policy = { document: 'CKMP DLMS', version: '1.0', sha256: 'c0'.repeat(32) }

describe('a year', () => {
  let scene: Scene
  let acme: Officers & { party: number }
  let keys: readonly VerifierKey[]
  let revoked: CertificateRef
  /** What the outsider keeps: files of the log, and each checkpoint as it was when he fetched it. */
  const outside = mkdtempSync(join(tmpdir(), 'opensmki-year-'))
  const kept: string[] = []
  /** What happened by itself, by day. */
  const reports = new Map<string, string>()
  const flags: string[] = []
  const ceremonies: string[] = []
  /** Whether the Ad Hoc service was stopped, on the days asked about. */
  const stopped = new Map<string, boolean>()
  let clerk: string

  before(async () => {
    const settings = { performance: { reportWorkingDay: 10, reminderWorkingDays: 5 } }
    scene = await openScene(['smki-organisation'], settings, `${first}T09:00:00.000Z`)
    clerk = scene.personnel[0].person
    const { name, publicKey } = journalVerifier(scene.settings, scene.keys.issuing)
    keys = [verifierKey(name, publicKey)]
    acme = await scene.subscriber('acme')
    await enterDocuments(scene.hands, clerk, documents)
    await addVersion(scene.hands, clerk, { ...policy, octets: 10, mediaType: 'text/plain', heldAt: 'archive/1' })
    const plan = agenda()
    let suspension = 0
    const once: Record<string, () => Promise<unknown>> = {
      '2021-08-31': async () => {
        revoked = await scene.organisationCertificate(acme.party)
      },
      '2021-09-01': async () => scene.settle(await scene.ask(revoked)),
      '2022-01-10': async () => {
        const decision = await scene.decision(['suspend'], ['service'])
        const what = { decision, of: { scope: 'service' }, stops: 'both', ground: 'DCC Total System' } as const
        suspension = (await suspend(scene.hands, scene.managers[0], what, {})).id
      },
      '2022-01-12': async () =>
        resume(scene.hands, scene.managers[1], suspension, await scene.decision(['resume'], ['service']), {}),
      '2021-06-18': submit,
      '2021-09-21': submit,
      // A day late: 21 December is the fifteenth Working Day of its month.
      '2021-12-22': submit,
      '2022-03-21': submit,
    }
    for (let day = first as string; day <= last; day = plusDays(day, 1)) {
      turnTo(`${day}T09:00:00.000Z`)
      await once[day]?.()
      for (const work of plan.get(day) ?? []) await work()
      await scene.renew()
      const usage = { interface: 'ADHOC_WS', party: acme.party } as const
      if (day.startsWith('2022-01')) stopped.set(day, (await suspensionOf(scene.store, usage, now())) !== undefined)
      turnTo(`${day}T21:00:00.000Z`)
      await scene.renew()
      const { flagged, months } = await performanceTurn(scene.hands, scene.settings.performance)
      flags.push(...flagged.map(one => `${day} ${one.flag} ${one.round}`))
      for (const month of months) reports.set(month, day)
      // A root is offline: whoever watches the lists is told, and holds a ceremony.
      if (listsAtRisk(await currentIntervals(scene.store), now()).length > 0) {
        await renewRootLists(scene.hands, scene.settings, scene.keys.root, () => {})
        ceremonies.push(day)
      }
      if (day.endsWith('-28') || day === last) await publish()
    }
  })
  after(async () => {
    rmSync(outside, { recursive: true })
    await scene.close()
  })

  const now = () => scene.hands.clock()
  const turnTo = (instant: string) => scene.pass(Date.parse(instant) - now().getTime())
  const submit = () => {
    const months = horizonOf(now().toISOString().slice(0, 7), scene.settings.performance.forecastMonths).map(
      month => ({
        month,
        single: 10,
        batch: 90,
      }),
    )
    return forecast(scene.hands, scene.settings.performance, clerk, { party: acme.party, months })
  }

  async function publish(): Promise<void> {
    await integrate({
      store: scene.store,
      at: now(),
      ...journalVerifier(scene.settings, scene.keys.issuing),
      sign: octets => scene.keys.issuing.sign(journalKey, octets),
    })
    await exportLog(publishedFiles(scene.store), outside, keys)
    kept.push(readFileSync(join(outside, 'checkpoint'), 'utf8'))
  }

  /** What people do on which day: an event on its own, one without a day on that of the one before it. */
  function agenda(): Map<string, (() => Promise<unknown>)[]> {
    const plan = new Map<string, (() => Promise<unknown>)[]>()
    const on = (day: string, work: () => Promise<unknown>) => plan.set(day, [...(plan.get(day) ?? []), work])
    const decide = (reference: string) => () =>
      recordDecision(scene.hands, clerk, {
        reference,
        acts: ['approve document'],
        subjects: ['document:CKMP DLMS'],
        meeting: 'SMKI PMA 84',
        text: 'The SMKI PMA is satisfied with the content of the Policy.',
        members: scene.pma.map(one => one.person),
        decidedAt: now(),
        from: now(),
      })
    on('2021-10-01', decide('PMA/CKMP/1'))
    on('2021-11-19', decide('PMA/CKMP/2'))
    const developed: NewDevelopmentEvent[] = [
      ...ckmp,
      { step: 'submit', on: '2021-11-29' },
      { step: 'designate', on: '2021-12-10', versions: [policy] },
    ]
    let day = '2021-10-01'
    developed.forEach((event, i) => {
      day = ('on' in event ? event.on : undefined) ?? day
      const enter = i === 0 ? beginDevelopment : enterDevelopment
      on(day, () => enter(scene.hands, clerk, 'CKMP', event))
    })
    const modified: NewModificationEvent[] = [
      ...mp173,
      { step: 'consultReport', on: '2021-12-06', closesOn: '2022-01-07' },
      { step: 'vote', on: '2022-01-20', outcome: 'approved', words: 'Self-Governance' },
      { step: 'release', on: '2022-02-24', name: 'February 2022 SEC Release' },
    ]
    modified.forEach((event, i) => {
      day = ('on' in event ? event.on : undefined) ?? day
      const enter = i === 0 ? raiseModification : enterModification
      on(day, () => enter(scene.hands, clerk, 'MP173', event))
    })
    return plan
  }

  it('takes a document through consultation to designation, and from that day on it is in force', async () => {
    const development = await developmentFrom(scene.store, 'CKMP')
    assert.equal(development?.state, 'designated')
    const public_ = async (day: string) =>
      (await inForceForPublic(scene.store, day))
        .filter(one => one.document === 'CKMP DLMS')
        .map(one => `${one.document} ${one.version}`)
    assert.deepEqual(await public_('2021-12-09'), [])
    assert.deepEqual(await public_('2021-12-10'), ['CKMP DLMS 1.0'])
  })

  it('takes MP173 through its timetable to the release that its vote was in time for', async () => {
    const modification = (await modificationFrom(scene.store, 'MP173'))!
    assert.equal(modification.state, 'released')
    const checks = new Set(modificationFindings(modification).map(one => one.check))
    assert.deepEqual([...checks], ['documents', 'observations'])
  })

  it('never lacks a list: each version is there before the one before it is over, numbers without a gap', async () => {
    const ofYear = async (level: 'root' | 'issuing') =>
      (await listVersions(scene.store, scene.authority('smki-organisation', level).id, 2000)).toReversed()
    const crls = await ofYear('issuing')
    assert.ok(crls.length >= 2 * 365, `${crls.length} CRLs`)
    assert.equal(crls.at(-1)!.supersededAt, undefined)
    const { everyHours, afterRevocationHours } = scene.settings.lists.organisationCrl
    crls.slice(1).forEach((list: ListVersion, i) => {
      const before = crls[i]!
      assert.equal(list.number, before.number + 1n)
      assert.ok(list.thisUpdate < before.nextUpdate)
      assert.ok(list.lodgedAt.getTime() - before.lodgedAt.getTime() <= everyHours * 3_600_000)
    })
    assert.ok(afterRevocationHours > 0)
    const { entries } = await scene.listed('smki-organisation')
    assert.ok(entries.has(revoked.serial), 'what was revoked in September stands on the list in June')

    const arls = await ofYear('root')
    assert.deepEqual([arls.length, ceremonies.length], [2, 1])
    assert.ok(arls[1]!.thisUpdate < arls[0]!.nextUpdate)
    const left = arls[0]!.nextUpdate.getTime() - arls[1]!.thisUpdate.getTime()
    assert.ok(left <= 30 * 86_400_000 && left > 29 * 86_400_000, 'the watch speaks thirty days before')
  })

  it('stops by direction and goes on by direction; the lists go on meanwhile', () => {
    const days = [...stopped].filter(([, is]) => is).map(([day]) => day)
    assert.deepEqual(days, ['2022-01-10', '2022-01-11'])
  })

  it('has reports and forecasts on their Working Days, around Christmas and Easter too', () => {
    const expected = {
      '2021-06': '07-14',
      '2021-11': '12-14',
      '2021-12': '01-17',
      '2022-03': '04-14',
      '2022-04': '05-16',
    }
    for (const [month, day] of Object.entries(expected)) assert.equal(reports.get(month)?.slice(5), day, month)
    assert.equal(reports.size, 11)
    const missed = flags.filter(flag => !flag.includes('reminded'))
    assert.deepEqual(missed, ['2021-12-22 late 2021-12'])
  })

  it('is audited from outside: with the files and checkpoints alone, all of it holds', async () => {
    assert.equal(kept.length, 13)
    const report = await verifyFiles(folderFiles(outside), kept.at(-1)!, { verifierKeys: keys, kept })
    assert.deepEqual([report.holds, report.faults, report.unread], [true, [], []])
    assert.ok(report.entries > 800 && report.signed.size === report.entries, `${report.entries} entries`)
    assert.equal(report.checkpoints, kept.length + 1)
  })

  it('and when a row was altered in the database, the outsider finds which', async () => {
    // Who can do that owns the database: no rule of it holds him.
    const altering = (sql: string, values: unknown[]) =>
      scene.store.transaction(async client => {
        await client.query('SET LOCAL session_replication_role = replica')
        const { rowCount } = await client.query(sql, values)
        assert.equal(rowCount, 1)
      })
    const acts: { position: number; act: Act }[] = []
    for await (const { position, octets } of entriesIn(folderFiles(outside), Number(sizeOf(kept.at(-1)!))))
      acts.push({ position, act: readEntry(octets) })
    const decided = acts.find(({ act }) => act.act === 'record decision' && act.body.reference === 'PMA/CKMP/2')!

    // 1. A record of the business: what the database says of a decision is not what its entry says.
    const says = async () => (await decisionOf(scene.store, 'PMA/CKMP/2'))!.text
    assert.equal(await says(), decided.act.body.text)
    await altering("UPDATE pma_decision SET words = 'The SMKI PMA is not satisfied.' WHERE reference = $1", [
      'PMA/CKMP/2',
    ])
    assert.notEqual(await says(), decided.act.body.text)

    // 2. The journal itself, to match: what is published from then on is not what was signed, and it is that one entry.
    const { rows } = await scene.store.query<{ octets: Buffer }>(
      'SELECT octets FROM journal_entry WHERE position = $1',
      [decided.position],
    )
    const forged = Buffer.from(rows[0]!.octets.toString('latin1').replace('is satisfied', 'is NOT so...'), 'latin1')
    assert.notDeepEqual(forged, rows[0]!.octets)
    await altering('UPDATE journal_entry SET octets = $2 WHERE position = $1', [decided.position, forged])
    const anew = mkdtempSync(join(tmpdir(), 'opensmki-year-anew-'))
    try {
      await exportLog(publishedFiles(scene.store), anew, keys)
      const report = await verifyFiles(folderFiles(anew), kept.at(-1)!, { verifierKeys: keys, kept })
      assert.equal(report.holds, false)
      assert.deepEqual(
        report.faults.filter(one => one.code === 'ENTRY_ALTERED').map(({ from, to }) => [from, to]),
        [[decided.position, decided.position]],
      )
      // His own copy still has what was signed.
      const own = await verifyFiles(folderFiles(outside), kept.at(-1)!, { verifierKeys: keys, kept })
      assert.equal(own.holds, true)
    } finally {
      rmSync(anew, { recursive: true })
    }
  })
})

/** The second line of a checkpoint (C2SP tlog-checkpoint). */
function sizeOf(note: string): string {
  return note.split('\n')[1]!
}

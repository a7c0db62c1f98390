/** Emergency suspension (L2.14): by direction, of what it names, on record, until a later direction. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { interfaceNames } from '../../src/policy/revocation/suspension.ts'
import { codes } from '../../src/policy/smki-device/codes.ts'
import { noticesTo } from '../../src/rooms/registration/notices.ts'
import {
  coveringSuspension,
  suspended,
  suspensionOf,
  suspensionRecords,
  suspensions,
  type Used,
} from '../../src/rooms/revocation/suspended.ts'
import { recordInformed, resume, type SuspendedScope, suspend } from '../../src/rooms/revocation/suspension.ts'
import { type Officers, refusal } from '../registration/office.ts'
import { hours, openScene, type Scene } from './scene.ts'

let scene: Scene
let acme: Officers & { party: number }
before(async () => {
  scene = await openScene(['smki-organisation'])
  acme = await scene.subscriber('acme')
})
after(() => scene.close())

const direct = async (of: SuspendedScope, subjects: string[], more: Record<string, unknown> = {}) =>
  suspend(
    scene.hands,
    scene.managers[0],
    {
      decision: await scene.decision(['suspend'], subjects),
      of,
      stops: 'both',
      ground: 'DCC Total System',
      ...more,
    },
    { words: 'immediate danger' },
  )
const end = async (id: number, subjects: string[]) => {
  scene.pass(1000)
  const decision = await scene.decision(['resume'], subjects)
  return resume(scene.hands, scene.managers[1], id, decision, {})
}
const covers = async (used: Used) => (await suspensionOf(scene.store, used, scene.hands.clock()))?.id

describe('a suspension', () => {
  it('of the whole service stops every interface but the lists, the Repository and the DCCKI, and answers WF:SUSP', async () => {
    const one = await direct({ scope: 'service' }, ['service'])
    const going = []
    for (const name of interfaceNames) if ((await covers({ interface: name })) === undefined) going.push(name)
    assert.deepEqual(going, ['DCCKI', 'REPO_PORTAL', 'REPO_WS', 'REPO_SFTP', 'LISTS'])
    assert.equal(await covers({ interface: 'ADHOC_WS', party: acme.party }), one.id)
    assert.equal(await covers({ authority: 1 }), one.id)
    const answer = suspended(one)
    assert.equal(answer.code, 'WF:SUSP')
    assert.equal(codes['WF:SUSP'].status, 'WORKFLOW_ERROR')
    assert.equal(answer.details.decision, one.decision)
    await end(one.id, ['service'])
    assert.equal(await covers({ interface: 'ADHOC_WS' }), undefined)
  })

  it('that names the lists stops them, and nothing else does', async () => {
    const service = await direct({ scope: 'service' }, ['service'])
    scene.pass(hours(12))
    assert.deepEqual(
      (await scene.renew()).map(list => list.name),
      ['Organisation CRL'],
    )
    await end(service.id, ['service'])
    const named = await direct({ scope: 'service' }, ['service', 'interface:LISTS'], { named: ['LISTS'] })
    scene.pass(hours(12))
    assert.deepEqual(await scene.renew(), [])
    await end(named.id, ['service'])
    assert.equal((await scene.renew()).length, 1)
    const lists = await direct({ scope: 'interface', interface: 'LISTS' }, ['interface:LISTS'])
    scene.pass(hours(12))
    assert.deepEqual(await scene.renew(), [])
    await end(lists.id, ['interface:LISTS'])
  })

  it('of one interface, Party, authority or set of certificates leaves the rest alone', async () => {
    const certificate = await scene.organisationCertificate(acme.party)
    const another = await scene.organisationCertificate(acme.party, 1)
    const { id: authority } = scene.authority('smki-organisation')
    const { serial } = certificate
    const scopes: [SuspendedScope, string, Used, Used][] = [
      [
        { scope: 'interface', interface: 'ADHOC_WS' },
        'interface:ADHOC_WS',
        { interface: 'ADHOC_WS' },
        { interface: 'BATCH_WS' },
      ],
      [
        { scope: 'party', party: acme.party },
        `party:${acme.party}`,
        { party: acme.party, interface: 'BATCH_WS' },
        { party: 1 },
      ],
      [{ scope: 'authority', authority }, `authority:${authority}`, { authority }, { authority: authority + 1 }],
      [
        { scope: 'certificates', certificates: [certificate] },
        `certificate:${authority}:${serial}`,
        { certificate },
        { certificate: another },
      ],
    ]
    for (const [of, subject, used, free] of scopes) {
      const one = await direct(of, [subject])
      assert.equal(await covers(used), one.id, of.scope)
      assert.equal(await covers(free), undefined, of.scope)
      assert.equal(await covers({}), undefined, of.scope)
      // Retrieval goes on for those too.
      if (of.scope !== 'interface')
        assert.equal(await covers({ ...used, interface: 'REPO_WS' }), undefined, of.scope)
      await end(one.id, [subject])
      assert.equal(await covers(used), undefined, of.scope)
    }
  })

  it('cites a direction for exactly that, and ends by a later one', async () => {
    const certificate = await scene.organisationCertificate(acme.party, 2)
    const bad: [SuspendedScope, string[], string][] = [
      [{ scope: 'service' }, ['party:1'], 'DECISION_NOT_COVERING'],
      [{ scope: 'interface', interface: 'NONE' as 'LISTS' }, ['*'], 'SUSPENSION_SCOPE'],
      [{ scope: 'authority', authority: 999 }, ['*'], 'SUSPENSION_SCOPE'],
      [{ scope: 'party', party: 999 }, ['*'], 'PARTY_UNKNOWN'],
      [{ scope: 'certificates', certificates: [] }, ['*'], 'SUSPENSION_SCOPE'],
      [
        { scope: 'certificates', certificates: [{ ...certificate, serial: '01'.repeat(16) }] },
        ['*'],
        'CERTIFICATE_UNKNOWN',
      ],
    ]
    for (const [of, subjects, code] of bad) await assert.rejects(direct(of, subjects), refusal(code))
    await assert.rejects(
      direct({ scope: 'service' }, ['service'], { ground: 'a bad feeling' }),
      refusal('SUSPENSION_SCOPE'),
    )
    await assert.rejects(
      direct({ scope: 'service' }, ['service'], { named: ['LISTS'] }),
      refusal('DECISION_NOT_COVERING'),
    )

    const both = await scene.decision(['suspend', 'resume'], ['service'])
    const one = await direct({ scope: 'service' }, [], { decision: both }).catch(() => undefined)
    assert.equal(one, undefined)
    const stopped = await suspend(
      scene.hands,
      scene.personnel[0],
      { decision: both, of: { scope: 'service' }, stops: 'services', ground: 'User System' },
      {},
    )
    const resuming = (decision: string) => resume(scene.hands, scene.managers[0], stopped.id, decision, {})
    await assert.rejects(resuming(both), refusal('SUSPENSION_LATER_DIRECTION'))
    await assert.rejects(resuming('PMA-0'), refusal('DECISION_UNKNOWN'))
    await assert.rejects(
      resume(scene.hands, scene.personnel[0], stopped.id, both, {}),
      refusal('NOT_FOR_THIS_OFFICE'),
    )
    await end(stopped.id, ['service'])
    await assert.rejects(resuming(both), refusal('SUSPENSION_ENDED'))
    await assert.rejects(resume(scene.hands, scene.managers[0], 999, both, {}), refusal('SUSPENSION_UNKNOWN'))
  })

  it('stays on record, with who was informed, and answers for the past', async () => {
    const one = await direct({ scope: 'party', party: acme.party }, [`party:${acme.party}`])
    const during = scene.hands.clock()
    await recordInformed(scene.hands, scene.personnel[0], one.id, { who: acme.aro.person, how: 'by telephone' })
    await assert.rejects(
      recordInformed(scene.hands, scene.personnel[0], one.id, { who: '', how: 'x' }),
      refusal('INFORMED_UNFIT'),
    )
    await end(one.id, [`party:${acme.party}`])
    const record = (await suspensionRecords(scene.store)).find(({ id }) => id === one.id)!
    assert.ok(record.endedAt! > record.startedAt && record.endDecision)
    assert.deepEqual(
      record.informed.map(({ who }) => who),
      [
        'Registration Authority',
        'SEC Panel',
        `party ${acme.party}`,
        acme.aro.person,
        'Registration Authority',
        'SEC Panel',
        `party ${acme.party}`,
      ],
    )
    assert.equal(
      (await noticesTo(scene.store, `party ${acme.party}`)).filter(n => n.about.suspension === one.id).length,
      2,
    )
    assert.equal((await suspensionOf(scene.store, { party: acme.party }, during))?.id, one.id)
    assert.equal(await covers({ party: acme.party }), undefined)
  })

  it('covers the same uses when a door asks a snapshot instead of the store', async () => {
    const certificates = [
      await scene.organisationCertificate(acme.party, 3),
      await scene.organisationCertificate(acme.party, 4),
    ]
    const { id: authority } = scene.authority('smki-organisation')
    const scopes: [SuspendedScope, string[], string[]][] = [
      [{ scope: 'interface', interface: 'BATCH_WS' }, ['interface:BATCH_WS'], []],
      [{ scope: 'party', party: acme.party }, [`party:${acme.party}`, 'interface:REPO_WS'], ['REPO_WS']],
      [{ scope: 'authority', authority }, [`authority:${authority}`], []],
      [
        { scope: 'certificates', certificates: [certificates[0]!] },
        [`certificate:${authority}:${certificates[0]!.serial}`],
        [],
      ],
    ]
    const made: [number, string[]][] = []
    for (const [of, subjects, named] of scopes) made.push([(await direct(of, subjects, { named })).id, subjects])
    const snapshot = await suspensions(scene.store)
    assert.equal(snapshot.length, 4)
    const at = scene.hands.clock()
    const seen = new Set<number | undefined>()
    const maybe = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
    const use = fc.record({
      interface: maybe(...interfaceNames),
      party: maybe(acme.party, 1),
      authority: maybe(authority, 99),
      certificate: maybe(...certificates),
    })
    await fc.assert(
      fc.asyncProperty(use, async used => {
        const asked = (await suspensionOf(scene.store, used, at))?.id
        seen.add(asked)
        assert.equal(coveringSuspension(snapshot, used, at)?.id, asked)
      }),
      { numRuns: 150 },
    )
    assert.equal(seen.size, 5, 'each was met, and none at all')
    for (const [id, subjects] of made) await end(id, subjects)
    assert.deepEqual(await suspensions(scene.store), [])
  })

  it('is asked about through an index, however many lie on record', async () => {
    await scene.store.query(
      `INSERT INTO suspension (decision, scope, stops, ground, goes_on, started_at, ended_at, end_decision)
       SELECT 'x', 'service', 'both', 'User System', '{}', '2020-01-01', '2020-01-02', 'y' FROM generate_series(1, 5000)`,
    )
    await scene.store.query('ANALYZE suspension')
    const { rows } = await scene.store.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT FROM suspension s WHERE s.ended_at IS NULL`,
    )
    assert.match(rows.map(row => row['QUERY PLAN']).join('\n'), /suspension_in_force/)
    const began = performance.now()
    for (let i = 0; i < 20; i++) await covers({ interface: 'ADHOC_WS', party: acme.party })
    assert.ok((performance.now() - began) / 20 < 50)
  })
})

/** A revocation, the lists that name it, and the journal that says all of it. */

import assert from 'node:assert/strict'
import { entry } from '../../../src/ground/journal/entry.ts'
import { appendMany, integrate } from '../../../src/ground/journal/journal.ts'
import { Refusal } from '../../../src/ground/refusal.ts'
import { journalKey, journalVerifier } from '../../../src/main/ceremony.ts'
import { lookout } from '../../../src/main/epoch.ts'
import { missing } from '../../../src/main/epoch-compare.ts'
import { epochLog } from '../../../src/main/epoch-log.ts'
import { authorities } from '../../../src/rooms/authority/register.ts'
import type { Officer } from '../../../src/rooms/registration/act.ts'
import { approve } from '../../../src/rooms/registration/tasks.ts'
import { currentIntervals, isWaiting } from '../../../src/rooms/repository/lists.ts'
import { caseOf } from '../../../src/rooms/revocation/case.ts'
import { revocationKinds } from '../../../src/rooms/revocation/kinds.ts'
import { publishList } from '../../../src/rooms/revocation/list.ts'
import { type Scenario, scenario } from '../scenario.ts'
import type { Acting, Stage } from '../stage.ts'

let nth = 500

/** An Organisation Certificate that is about to be revoked. */
async function opened({ scene, supplier }: Stage) {
  const certificate = await scene.organisationCertificate(supplier.party, ++nth)
  const asked = await scene.ask(certificate, supplier.aro)
  await scene.authenticate(asked)
  return {
    task: asked.task,
    digest: asked.digest,
    case: asked.case,
    by: scene.managers[0],
    serial: certificate.serial,
  }
}

interface Case {
  readonly task: number
  readonly digest: string
  readonly case: number
  readonly by: Officer
  readonly serial: string
}

const settle = ({ hands }: Acting, { by, task, digest }: Case) =>
  approve(hands, revocationKinds(hands), by, task, { digest, words: 'approved' })

const revocation = scenario<Case>({
  name: 'a revocation',
  prepare: opened,
  act: settle,
  async finish(acting, given) {
    const done = (await caseOf(acting.hands.store, given.case)).state === 'revoked'
    await settle(acting, given).then(
      () => assert.ok(!done, 'what was revoked is not revoked again'),
      cause => {
        assert.ok(done && cause instanceof Refusal, String(cause))
      },
    )
  },
  async check({ scene }, { case: id, serial }) {
    assert.equal((await caseOf(scene.store, id)).state, 'revoked')
    const { rowCount } = await scene.store.query('SELECT FROM revoked WHERE serial = $1', [
      Buffer.from(serial, 'hex'),
    ])
    assert.equal(rowCount, 1)
  },
})

interface Next {
  /** The number that the list is to have. */
  readonly number: string
  readonly level: 'root' | 'issuing'
}

async function publish({ hands, keys }: Acting, level: 'root' | 'issuing') {
  const authority = await organisationAuthority(hands.store, level)
  return publishList(hands, authority, keys[level], hands.schedules(authority)!)
}

async function organisationAuthority(store: Acting['hands']['store'], level: 'root' | 'issuing') {
  return (await authorities(store)).find(one => one.pki === 'smki-organisation' && one.level === level)!
}

/** A store that lives on is not taken for one that went back, whatever was signed and not kept. */
async function nothingMissing({ hands, marks, settings }: Acting): Promise<void> {
  assert.equal(await missing(hands.store, marks, (await epochLog(hands.store, settings)).name), undefined)
}

function listOf(name: string, level: 'root' | 'issuing'): Scenario {
  const current = async (store: Acting['hands']['store']) => {
    const { id } = await organisationAuthority(store, level)
    return (await currentIntervals(store)).find(one => one.authority === id)!
  }
  return scenario<Next>({
    name,
    async prepare(stage) {
      if (level === 'issuing') await settle(stage.acting, await opened(stage))
      return { number: String((await current(stage.scene.store)).number + 1n), level }
    },
    act: (acting, { level }) => publish(acting, level),
    async finish(acting, { number }) {
      await nothingMissing(acting)
      const { store } = acting.hands
      const list = await current(store)
      if (String(list.number) !== number) await publish(acting, level)
      await nothingMissing(acting)
    },
    async check({ scene }, { number }) {
      const list = await current(scene.store)
      assert.equal(String(list.number), number)
      assert.equal(await isWaiting(scene.store, list), false)
    },
  })
}

async function grow({ hands, keys, marks, settings }: Acting): Promise<number> {
  const log = await epochLog(hands.store, settings)
  const grown = await integrate({
    store: hands.store,
    at: hands.clock(),
    ...journalVerifier(settings, keys.issuing),
    name: log.name,
    formerNames: log.formerNames,
    sign: octets => keys.issuing.sign(journalKey, octets),
  })
  const look = lookout(hands.store, marks, log.epoch)
  await look(grown)
  await look(0)
  return grown
}

/** So many that a row of hashes becomes full now and then. */
const journal = scenario<{ mark: string }>({
  name: 'entries of the journal, placed and signed for',
  async prepare({ scene }) {
    const mark = `faults ${++nth}`
    const at = scene.hands.clock()
    const entries = Array.from({ length: 90 }, (_, i) => entry('test', at, { mark, i }))
    await scene.store.transaction(client => appendMany(client, entries))
    return { mark }
  },
  act: grow,
  async finish(acting) {
    await nothingMissing(acting)
    await grow(acting)
    await nothingMissing(acting)
  },
  async check({ scene }, { mark }) {
    const { rows } = await scene.store.query<{ placed: bigint; pending: bigint }>(
      `SELECT (SELECT count(*) FROM journal_entry WHERE position(convert_to($1, 'UTF8') IN octets) > 0) AS placed,
              (SELECT count(*) FROM journal_pending) AS pending`,
      [`"mark":${JSON.stringify(mark)}`],
    )
    assert.deepEqual(rows[0], { placed: 90n, pending: 0n })
  },
})

export const listScenarios: readonly Scenario[] = [
  revocation,
  listOf('a CRL, made and published', 'issuing'),
  listOf('an ARL, made and published', 'root'),
  journal,
]

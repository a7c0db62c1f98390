/** Whatever write fails, before it or after it took effect: nothing half done, nothing done twice, and it can be done again. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Client, Store } from '../../src/ground/store/store.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { hierarchies, profileNamed } from '../../src/policy/hierarchies.ts'
import { issueDevices } from '../../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../../src/rooms/issuance/issuing-dcas.ts'
import { ceaseOrganisation } from '../../src/rooms/registration/cease.ts'
import { returnCredential } from '../../src/rooms/registration/credentials.ts'
import { approve, verify } from '../../src/rooms/registration/tasks.ts'
import { recordFinding, takeDefaultStep } from '../../src/rooms/revocation/default.ts'
import {
  beginDeferral,
  endDeferral,
  extendDeferral,
  lapseDeferrals,
  releaseCase,
} from '../../src/rooms/revocation/deferral.ts'
import { openDuties } from '../../src/rooms/revocation/duty.ts'
import type { RevocationHands } from '../../src/rooms/revocation/hands.ts'
import { publishList } from '../../src/rooms/revocation/list.ts'
import { readmitList } from '../../src/rooms/revocation/readmit.ts'
import {
  closeInvestigation,
  rejectCertificate,
  rejectDeviceCertificate,
} from '../../src/rooms/revocation/reject.ts'
import { requestRevocation } from '../../src/rooms/revocation/request.ts'
import { revokeReturned } from '../../src/rooms/revocation/returned.ts'
import { recordInformed, resume, suspend } from '../../src/rooms/revocation/suspension.ts'
import { anyDevice, newCsr } from '../issuing/rooms.ts'
import { evidence, type Officers, refusal } from '../registration/office.ts'
import { hours, openScene, type Scene } from './scene.ts'

let scene: Scene
let acme: Officers & { party: number }
before(async () => {
  scene = await openScene(['smki-organisation', 'smki-device', 'iki'], { certificates: { issuingDcaStock: 1 } })
  acme = await scene.subscriber('acme')
})
after(() => scene.close())

class Injected extends Error {
  override name = 'Injected'
}

/** Fails after the nth statement within transactions or before their commit, or after the nth transaction took effect. */
function failing(store: Store, what: 'statement' | 'commit', nth: number): { store: Store; calls: () => number } {
  let calls = 0
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    const result = await work()
    if (++calls === nth) throw new Injected(`after ${what} ${nth}`)
    return result
  }
  const watch = (client: Client): Client =>
    new Proxy(client, {
      get: (of, name) => {
        const found = Reflect.get(of, name, of) as unknown
        if (typeof found !== 'function') return found
        if (name !== 'query') return found.bind(of)
        return (statement: unknown, ...rest: unknown[]) => {
          const run = () => (found as (...given: unknown[]) => Promise<unknown>).call(of, statement, ...rest)
          // A copy is given as something that submits itself.
          const isStatement = typeof statement === 'string' || !('submit' in (statement as object))
          return isStatement ? counted(run) : run()
        }
      },
    })
  return {
    store: {
      ...store,
      transaction: (work, options) =>
        what === 'commit'
          ? counted(() => store.transaction(work, options))
          : store.transaction(async client => {
              const result = await work(watch(client))
              // Before the commit, when every statement has been made.
              return counted(() => Promise.resolve(result))
            }, options),
    },
    calls: () => calls,
  }
}

/** Everything that this room writes, and what it changes of others. */
async function state(): Promise<string> {
  const parts = {
    cases: 'SELECT id, state, deferral, task, question, list_number FROM revocation_case ORDER BY id',
    deferrals: 'SELECT id, review_at, ended_at, end_decision FROM revocation_deferral ORDER BY id',
    covered: 'SELECT deferral, serial FROM deferral_certificate ORDER BY 1, 2',
    extensions: 'SELECT deferral, number FROM deferral_extension ORDER BY 1, 2',
    rejections: 'SELECT id, finding FROM device_rejection ORDER BY id',
    suspensions: 'SELECT id, ended_at FROM suspension ORDER BY id',
    stopped: 'SELECT suspension, serial FROM suspension_certificate ORDER BY 1, 2',
    informed: 'SELECT suspension, number, who FROM suspension_informed ORDER BY 1, 2',
    events: 'SELECT id, closed_at FROM event_of_default ORDER BY id',
    steps: 'SELECT event, number FROM event_of_default_step ORDER BY 1, 2',
    revoked: 'SELECT authority, serial, last_list FROM revoked ORDER BY 1, 2',
    lists: 'SELECT authority, number, superseded_at FROM list ORDER BY 1, 2',
    tasks: 'SELECT id, state FROM task ORDER BY id',
    taken: 'SELECT task, number, step FROM task_step ORDER BY 1, 2',
    credentials: 'SELECT id, state FROM credential_life ORDER BY id',
    notices: 'SELECT id FROM notice ORDER BY id',
    decisions: 'SELECT reference, uses FROM pma_decision ORDER BY 1',
    journal: 'SELECT count(*)::text AS entries FROM journal_pending',
  }
  const seen: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(parts)) seen[name] = (await scene.store.query(text)).rows
  return JSON.stringify(seen, (_, value) => (typeof value === 'bigint' ? String(value) : (value as unknown)))
}

interface Written {
  /** What must be there before; gives what is done, once for each preparation. */
  readonly prepare: () => Promise<(hands: RevocationHands) => Promise<unknown>>
  /** Done again when it has taken effect and nobody was told: refused so, or it does what is left to do. */
  readonly again: string | 'goes on'
}

let nth = 0
const organisation = () => scene.organisationCertificate(acme.party, nth++)
const asked = async () => scene.ask(await organisation(), acme.aro)
const once = (acts: Parameters<Scene['decision']>[0], subjects: string[]) => scene.decision(acts, subjects, 1)
const review = (after = hours(48)) => new Date(scene.hands.clock().getTime() + after)
const given = { words: 'as decided' }

/** A supplier with one certificate under a deferral, and a case that waits. */
async function deferred(endsAt?: number) {
  const failed = await scene.subscriber(`failed-${++nth}`)
  const certificate = await scene.organisationCertificate(failed.party)
  const deferral = await beginDeferral(
    scene.hands,
    scene.managers[0],
    {
      decision: await once(['defer revocation'], [`party:${failed.party}`]),
      party: failed.party,
      userIds: [],
      mpids: [],
      reviewAt: review(hours(1)),
      endsAt: endsAt === undefined ? undefined : review(endsAt),
    },
    given,
  )
  const opened = await scene.ask(certificate, failed.aro)
  await scene.authenticate(opened)
  return { ...failed, deferral: deferral.id, case: opened.case }
}

async function device() {
  const profile = profileNamed(scene.settings, 'Device Certificate')
  const { keyUse } = hierarchies(scene.settings)['smki-device'].issuing
  const by = { ...scene.hands, authorities: issuingDcas(scene.hands, scene.keys.issuing, profile, keyUse!, 1) }
  const [outcome] = await issueDevices(by, { requests: [newCsr()], rules: anyDevice, says: {} })
  const { serial } = readCertificate(outcome && 'der' in outcome ? outcome.der : assert.fail())
  return { authority: scene.authority('smki-device').id, serial: Buffer.from(serial).toString('hex') }
}

async function suspended() {
  const decision = await once(['suspend'], [`party:${acme.party}`])
  const of = { scope: 'party', party: acme.party } as const
  const one = await suspend(
    scene.hands,
    scene.managers[0],
    { decision, of, stops: 'both', ground: 'User System' },
    given,
  )
  scene.pass(1000)
  return one.id
}

const writes: Record<string, Written> = {
  'a request': {
    again: 'CASE_OPEN',
    prepare: async () => {
      const certificate = await organisation()
      return hands => requestRevocation(hands, acme.aro, { certificate, ground: 'replaced' }, given)
    },
  },
  'its authentication': {
    again: 'STEP_NOT_DUE',
    prepare: async () => {
      const { task, digest } = await asked()
      const proof = { digest, evidence: evidence('requester authenticated') }
      return hands => verify(hands, scene.kinds, scene.personnel[0], task, proof)
    },
  },
  'its approval, which revokes': {
    again: 'TASK_DECIDED',
    prepare: async () => {
      const iki = await scene.credential({ kind: 'BATCH_WS', party: acme.party, role: 2 }, acme.aro)
      const opened = await scene.ask(iki, acme.aro)
      await scene.authenticate(opened)
      const { task, digest } = opened
      return hands => approve(hands, scene.kinds, scene.managers[0], task, { digest })
    },
  },
  'a rejection after download': {
    again: 'ALREADY_REVOKED',
    prepare: async () => {
      const certificate = await organisation()
      return hands => rejectCertificate(hands, acme.aro, certificate, given)
    },
  },
  'the rejection of a Device Certificate': {
    again: 'REJECTION_LOGGED',
    prepare: async () => {
      const certificate = await device()
      return hands => rejectDeviceCertificate(hands, acme.aro, certificate, given)
    },
  },
  'its investigation': {
    again: 'REJECTION_UNKNOWN',
    prepare: async () => {
      const id = await rejectDeviceCertificate(scene.hands, acme.aro, await device(), given)
      return hands => closeInvestigation(hands, scene.personnel[0], id, 'nothing is wrong with it', {})
    },
  },
  'what a credential leaves that has ended': {
    again: 'goes on',
    prepare: async () => {
      const iki = await scene.credential({ kind: 'BATCH_WS', party: acme.party, role: 2 }, acme.aro)
      await returnCredential(scene.hands, scene.personnel[0], iki.credential, {})
      return hands => revokeReturned(hands)
    },
  },
  'the duties towards a Party that ceased': {
    again: 'goes on',
    prepare: async () => {
      const gone = await scene.subscriber(`gone-${++nth}`)
      await scene.organisationCertificate(gone.party)
      await ceaseOrganisation(scene.hands, scene.managers[0], gone.party, {})
      return hands => openDuties(hands, scene.personnel[1], gone.party, given)
    },
  },
  'the begin of a deferral': {
    again: 'DEFERRAL_EXISTS',
    prepare: async () => {
      const { party, aro } = await scene.subscriber(`supplier-${++nth}`)
      const opened = await scene.ask(await scene.organisationCertificate(party), aro)
      await scene.authenticate(opened)
      const decision = await once(['defer revocation'], [`party:${party}`])
      const asking = { decision, party, userIds: ['1'], mpids: ['2'], reviewAt: review() }
      return hands => beginDeferral(hands, scene.managers[0], asking, given)
    },
  },
  'its extension': {
    again: 'DECISION_USED_UP',
    prepare: async () => {
      const { deferral, party } = await deferred()
      const decision = await once(['extend deferral'], [`party:${party}`])
      return hands => extendDeferral(hands, scene.managers[0], deferral, { decision, reviewAt: review() }, given)
    },
  },
  'its end, which revokes what waited': {
    again: 'DEFERRAL_ENDED',
    prepare: async () => {
      const { deferral, party } = await deferred()
      const decision = await once(['end deferral'], [`party:${party}`])
      return hands => endDeferral(hands, scene.managers[0], deferral, { decision }, given)
    },
  },
  'its end by time': {
    again: 'goes on',
    prepare: async () => {
      await deferred(hours(2))
      scene.pass(hours(3))
      return hands => lapseDeferrals(hands)
    },
  },
  'the release of one case from it': {
    again: 'CASE_STATE',
    prepare: async () => {
      const one = await deferred()
      const decision = await once(['revoke'], [`party:${one.party}`])
      return hands => releaseCase(hands, scene.managers[0], one.case, decision, given)
    },
  },
  'a suspension': {
    again: 'DECISION_USED_UP',
    prepare: async () => {
      const certificate = await organisation()
      const decision = await once(['suspend'], [`certificate:${certificate.authority}:${certificate.serial}`])
      const of = { scope: 'certificates', certificates: [certificate] } as const
      const asking = { decision, of, stops: 'certificates', ground: 'User System' } as const
      return hands => suspend(hands, scene.managers[0], asking, given)
    },
  },
  'its end, by a later direction': {
    again: 'SUSPENSION_ENDED',
    prepare: async () => {
      const id = await suspended()
      const decision = await once(['resume'], [`party:${acme.party}`])
      return hands => resume(hands, scene.managers[0], id, decision, given)
    },
  },
  'whom it was told to': {
    again: 'goes on',
    prepare: async () => {
      const id = await suspended()
      return hands => recordInformed(hands, scene.managers[0], id, { who: 'SEC Panel', how: 'by letter' })
    },
  },
  'an Event of Default': {
    again: 'DECISION_USED_UP',
    prepare: async () => {
      const decision = await once(['event of default'], [`party:${acme.party}`])
      const found = { party: acme.party, provision: 'L2.5' }
      return hands => recordFinding(hands, scene.pma[0], found, { decision })
    },
  },
  'a step of it': {
    again: 'DEFAULT_STEP',
    prepare: async () => {
      const decision = await once(['event of default'], [`party:${acme.party}`])
      const { id } = await recordFinding(
        scene.hands,
        scene.pma[0],
        { party: acme.party, provision: 'L2.5' },
        { decision },
      )
      return hands => takeDefaultStep(hands, scene.managers[0], id, 'notice to Panel', given)
    },
  },
  'a list': {
    again: 'goes on',
    prepare: async () => {
      await scene.settle(await asked())
      const authority = scene.authority('smki-organisation')
      return hands => publishList(hands, authority, scene.keys.issuing, hands.schedules(authority)!)
    },
  },
  'a list that is entered again': {
    again: 'does not follow',
    prepare: async () => {
      const authority = scene.authority('smki-organisation')
      const { id } = authority
      const schedule = scene.hands.schedules(authority)!
      await publishList(scene.hands, authority, scene.keys.issuing, schedule)
      const serial = Buffer.from((nth++).toString(16).padStart(32, '7e00'), 'hex')
      await scene.store.query(
        'INSERT INTO revoked (authority, serial, at, reason, expires_at) VALUES ($1, $2, $3, 1, $4)',
        [id, serial, scene.hands.clock(), review()],
      )
      const { der, number } = await publishList(scene.hands, authority, scene.keys.issuing, schedule)
      await scene.store.query('DELETE FROM list WHERE authority = $1 AND number = $2', [id, number])
      await scene.store.query('DELETE FROM revoked WHERE serial = $1', [serial])
      await scene.store.query('UPDATE list SET superseded_at = NULL WHERE authority = $1 AND number = $2', [
        id,
        number - 1n,
      ])
      return hands => readmitList(hands, authority, schedule, der)
    },
  },
}

const noticed = (cause: unknown): true => {
  assert.ok(cause instanceof Injected, String(cause))
  return true
}

for (const [name, { prepare, again }] of Object.entries(writes)) {
  describe(name, () => {
    it('is whole or is not there, whichever statement fails; and is then done as if nothing had been', async () => {
      const work = await prepare()
      const untouched = await state()
      let ways = 0
      for (let statement = 1; ; statement++) {
        const broken = failing(scene.store, 'statement', statement)
        const result = work({ ...scene.hands, store: broken.store })
        const failed = await result.then(() => false, noticed)
        // It made fewer statements than this one: nothing failed, and all of it was done.
        if (broken.calls() < statement) {
          assert.ok(!failed)
          break
        }
        assert.ok(failed, `statement ${statement}`)
        assert.equal(await state(), untouched, `statement ${statement}`)
        ways++
      }
      assert.ok(ways >= 3, `${ways} ways`)
      assert.notEqual(await state(), untouched)
    })

    it('that was done while nobody was told so is not done twice', async () => {
      const work = await prepare()
      const broken = failing(scene.store, 'commit', 1)
      await assert.rejects(work({ ...scene.hands, store: broken.store }), noticed)
      const done = await state()
      if (again === 'goes on') await work(scene.hands)
      else if (again === 'does not follow') await assert.rejects(work(scene.hands), /does not follow/)
      else await assert.rejects(work(scene.hands), refusal(again))
      const after = JSON.parse(await state()) as Record<string, unknown[]>
      const before = JSON.parse(done) as Record<string, unknown[]>
      // Of all that was done nothing came twice: but for what may be told to somebody again, and the next list.
      for (const part of [
        'cases',
        'deferrals',
        'suspensions',
        'events',
        'revoked',
        'extensions',
        'rejections',
        'taken',
      ]) {
        assert.equal(after[part]!.length, before[part]!.length, part)
      }
    })
  })
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { roleOf } from '../../ground/keystore/symmetric.ts'
import { assumptions } from '../settings.ts'
import { dcoSettingsSchema } from './dco-settings.ts'
import { dueBy, groundSchema, nextReview } from './grounds.ts'
import { belongs, keyHolders, keyIdOf, keyTypes, mayHave } from './keys.ts'
import { exceptionsOf } from './models.ts'
import { modelsOf } from './settings.ts'
import { mayBecome, stages } from './stages.ts'

const settings = (symmetric: Record<string, unknown> = {}) =>
  dcoSettingsSchema.parse({ name: 'dco-1', kind: 'test', symmetric }).symmetric

describe('the lifetime of a key', () => {
  it('ends its inherited part seven days after commissioning, to the millisecond (b(iii))', () => {
    assert.equal(dueBy(new Date('2028-02-25T10:00:00.001Z')).toISOString(), '2028-03-03T10:00:00.001Z')
  })

  it('is reviewed at most five years after the last review, with six months of warning (b(iii))', () => {
    const review = (last: string) =>
      Object.values(nextReview(new Date(last))).map(each => each.toISOString().slice(0, 10))
    assert.deepEqual(review('2026-11-20T09:00:00Z'), ['2031-05-20', '2031-11-20'])
    assert.deepEqual(review('2024-02-29T00:00:00Z'), ['2028-08-28', '2029-02-28'])
    assert.deepEqual(review('2026-08-31T00:00:00Z'), ['2031-02-28', '2031-08-31'])
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }), last => {
        const { warn, due } = nextReview(last)
        assert.ok(warn < due && due.getTime() - last.getTime() <= 5 * 366 * 86_400_000)
        assert.equal(due.getUTCFullYear() - last.getUTCFullYear(), 5)
      }),
    )
  })

  it('has three grounds for an end, and its age is none of them', () => {
    const ok = (value: unknown) => groundSchema.safeParse(value).success
    assert.ok(ok({ ground: 'commissioned', at: '2026-11-20T09:00:00Z' }))
    assert.ok(ok({ ground: 'pma-instruction', decision: 'PMA-7' }))
    assert.ok(ok({ ground: 'lost-or-corrupt', evidence: 'record 12 does not hold' }))
    for (const wrong of [
      { ground: 'age', at: '2026-11-20T09:00:00Z' },
      { ground: 'compromise', decision: 'PMA-7' },
      { ground: 'pma-instruction' },
      { ground: 'pma-instruction', decision: '' },
      { ground: 'lost-or-corrupt' },
      {},
    ]) {
      assert.ok(!ok(wrong), JSON.stringify(wrong))
    }
  })

  it('goes through its stages forwards only, and an offered key is active or abandoned next, never withdrawn', () => {
    const steps = stages.flatMap(from => stages.filter(to => mayBecome(from, to)).map(to => `${from} ${to}`))
    assert.deepEqual(steps, [
      'made offered',
      'made abandoned',
      'offered active',
      'offered abandoned',
      'active superseded',
    ])
  })
})

describe('a key', () => {
  it('of a type that authenticates or wraps is nothing that an S1SP may use (b)(i)', () => {
    for (const type of keyTypes) {
      const dcoKey = roleOf[type] === 'DCO Key'
      assert.equal(mayHave.S1SP[type].includes('use'), !dcoKey)
      assert.ok(mayHave.DCO[type].includes('use') && !mayHave.DCO[type].includes('package'))
    }
  })

  it('belongs to the Device if it is an MK, and to a client if not; and no two have one id', () => {
    const ids = new Set<string>()
    let count = 0
    for (const type of keyTypes) {
      for (const holder of keyHolders) {
        assert.equal(belongs(type, holder), (type === 'MK') === (holder === 'device'))
        for (const generation of [0, 1]) {
          for (const association of [undefined, 'aa']) {
            ids.add(keyIdOf({ device: '0', holder, type, generation, association }))
            count += association === undefined || generation === 0 ? 1 : 0
          }
        }
      }
    }
    assert.equal(ids.size, count)
  })
})

describe('Device models', () => {
  it('follow the settings of the group, each value with its register ID', () => {
    const usual = modelsOf(settings()).get('usual')!
    assert.deepEqual(usual.mayWriteSetupOf.management.length, 4)
    assert.deepEqual(usual.mayWriteSetupOf.firmware, ['firmware'])
    assert.equal(usual.clients.firmware.securitySetup, '0.0.43.0.5.255')
    assert.equal(usual.counters.first, 1)
    const other = modelsOf(settings({ firstCounter: 250, mkRotates: true, keysTogether: true, managementSets: [] }))
    const changed = other.get('usual')!
    assert.equal(changed.counters.first, 250)
    assert.ok(changed.rotates.mk && changed.keyTransfer === 'one-array')
    assert.deepEqual(changed.mayWriteSetupOf.management, [])
    const listed = new Set(
      assumptions(dcoSettingsSchema.parse({ name: 'd', kind: 'test' }), dcoSettingsSchema).map(({ id }) => id),
    )
    for (let n = 1; n <= 8; n++) assert.ok(listed.has(`KEY-A0${n}`), `KEY-A0${n}`)
  })

  it('with one name twice, or what is no model, are refused', () => {
    assert.throws(() => settings({ models: [{ name: 'a' }, { name: 'a' }] }), /two Device models/)
    assert.throws(() => settings({ models: [{ name: 'a', keyTransfer: 'two-arrays' }] }))
    assert.throws(() => settings({ models: [{}] }))
  })

  it('that want strictly the next counter take their keys in one transfer: a probe could lose a counter', () => {
    const counters = { rule: 'strictly-next', first: 1, maxJump: 1000 }
    const one = (more: object) => () => settings({ models: [{ name: 'a', counters, ...more }] })
    assert.throws(one({}), /one-array/)
    assert.throws(one({ keyTransfer: 'one-key' }), /one-array/)
    assert.throws(() => settings({ counterRule: 'strictly-next' }), /one-array/)
    const rotates = { ak: true, guek: false, broadcast: false, mk: false }
    assert.throws(one({ keyTransfer: 'one-array', rotates }), /AK and GUEK/)
    assert.equal(modelsOf(one({ keyTransfer: 'one-array' })()).get('a')!.counters.rule, 'strictly-next')
    const together = modelsOf(settings({ counterRule: 'strictly-next', keysTogether: true }))
    assert.equal(together.get('usual')!.keyTransfer, 'one-array')
    const counted = { rule: 'greater', first: 1, maxJump: 1000 }
    assert.equal(modelsOf(one({ counters: counted })()).get('a')!.keyTransfer, 'one-key')
  })

  it('say what they cannot do', () => {
    const models = modelsOf(settings())
    assert.deepEqual(exceptionsOf(models.get('usual')!), ['the MK cannot be replaced'])
    assert.deepEqual(exceptionsOf(models.get('usual-mk')!), [])
  })
})

describe('the configuration of a DCO', () => {
  it('refuses what it does not know, and a module behind PKCS#11 without library and token', () => {
    const ok = (more: object) => dcoSettingsSchema.safeParse({ name: 'dco-1', kind: 'test', ...more }).success
    assert.ok(ok({}) && ok({ module: { kind: 'pkcs11', library: '/lib/p.so', token: 't' } }))
    assert.ok(!ok({ module: { kind: 'pkcs11' } }) && !ok({ unknown: 1 }) && !ok({ quorum: 1 }))
    assert.ok(!ok({ symmetric: { checks: { once: true } } }))
  })
})

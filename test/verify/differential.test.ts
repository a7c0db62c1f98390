/** Our answers against OpenSSL’s: on the corpus, on chains put together at random, and on spoilt octets. */

import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Bytes } from '../../src/ground/bytes.ts'
import { NotDer } from '../../src/ground/der/read.ts'
import type { PathCode, Verdict } from '../../src/ground/x509/path.ts'
import { noOpenssl } from '../outside.ts'
import { allCases } from './cases.ts'
import { explained, yesRules } from './differences.ts'
import { seal } from './forge.ts'
import { caShape, dice, listShapes, scramble, shapes, spoil } from './mutants.ts'
import { type Answer, opensslVerify, type Setting } from './openssl.ts'
import { ask, ca, codes, ica, keys, leaf, list, root } from './scene.ts'

/** How many of each kind; `VERIFY_MUTANTS=20000` for a long run, `VERIFY_SEED` for another one. */
const count = Number(process.env.VERIFY_MUTANTS ?? 300)
const seed = Number(process.env.VERIFY_SEED ?? 1)

/** Holds answers against each other, and counts. */
function tally() {
  const seen = { asked: 0, bothYes: 0, bothNo: 0 }
  const stricter = new Map<PathCode, number>()
  const yes = new Map<string, number>()
  const hold = (ours: Verdict, theirs: Answer, setting: Setting, what: () => string) => {
    seen.asked++
    const says = () =>
      `${what()}: OpenSSL ${theirs.error}, ours ${ours.refusals.map(r => r.sentence).join('; ') || 'valid'}`
    if (ours.valid && theirs.error !== 0) {
      const rule = Object.entries(yesRules).find(
        ([, r]) => r.errors.includes(theirs.error) && r.explains(ours, setting, theirs.depth),
      )
      assert.ok(rule, says())
      yes.set(rule[0], (yes.get(rule[0]) ?? 0) + 1)
    } else if (!ours.valid && theirs.error === 0) {
      const own = codes(ours)
      assert.ok(explained(own), says())
      for (const code of own) stricter.set(code, (stricter.get(code) ?? 0) + 1)
    } else if (ours.valid) seen.bothYes++
    else seen.bothNo++
  }
  const report = (t: TestContext) => {
    const { asked, bothYes, bothNo } = seen
    t.diagnostic(`asked ${asked}; both yes ${bothYes}, both no ${bothNo}`)
    t.diagnostic(`only we say yes: ${shown(yes)}; only OpenSSL: ${shown(stricter)}`)
  }
  return { hold, report, seen, yes }
}

const shown = (counts: ReadonlyMap<string, number>) =>
  [...counts].map(([what, times]) => `${what} ${times}`).join(', ') || 'never'

const hex = (octets: Bytes) => Buffer.from(octets).toString('hex')

/** The answer for octets that may not even be read. */
function askOr(setting: Setting, target: Bytes): Verdict | undefined {
  try {
    return ask({ ...setting, says: '', expect: [], target })
  } catch (cause) {
    // An issuer or a list that is no DER never reaches the question.
    if (cause instanceof NotDer) return undefined
    throw cause
  }
}

describe('our answers and those of openssl verify', { skip: noOpenssl }, () => {
  it('differ on the corpus only by named rules', () => {
    let asked = 0
    for (const one of allCases) {
      if (one.notForOpenssl) continue
      asked++
      const ours = ask(one)
      const theirs = opensslVerify(one, [one.target])[0]!
      const says = `${one.says}: OpenSSL ${theirs.error}, ours ${codes(ours).join(', ') || 'valid'}`
      if (ours.valid && theirs.error !== 0) {
        const rule = yesRules[one.yesAgainstOpenssl ?? '']
        assert.ok(rule?.errors.includes(theirs.error) && rule.explains(ours, one, theirs.depth), says)
      } else {
        assert.equal(one.yesAgainstOpenssl, undefined, `${says}: the rule explains nothing`)
        if (!ours.valid && theirs.error === 0) assert.ok(explained(codes(ours)), says)
      }
    }
    assert.ok(asked > 250, `${asked} asked`)
  })

  it('differ on chains put together at random only by those rules', t => {
    const roll = dice(seed)
    const { hold, report, seen } = tally()
    for (let round = 0; round < count / 10; round++) {
      const { setting, targets } = scramble(roll, 20)
      opensslVerify(setting, targets).forEach((theirs, i) => {
        const target = targets[i]!
        hold(
          ask({ ...setting, says: '', expect: [], target }),
          theirs,
          setting,
          () => `round ${round}, leaf ${hex(target)}`,
        )
      })
    }
    report(t)
    assert.ok(seen.bothYes > count / 20 && seen.bothNo > count / 2)
  })

  it('differ on leaves with spoilt octets, signed again, only by those rules', t => {
    const roll = dice(seed + 1)
    const { hold, report, seen } = tally()
    const signed = ca('Issuing', keys.ica, root, { serial: 1 })
    const setting: Setting = { trust: [root.der], untrusted: [signed.der] }
    const all = shapes(signed)
    const targets = Array.from({ length: count * 2 }, (_, i) =>
      seal(spoil(roll, all[i % all.length]!), { by: keys.ica }),
    )
    opensslVerify(setting, targets).forEach((theirs, i) => {
      const ours = ask({ ...setting, says: '', expect: [], target: targets[i]! })
      hold(ours, theirs, setting, () => `leaf ${hex(targets[i]!)}`)
    })
    report(t)
    assert.ok(seen.bothYes > count / 20 && seen.bothNo > count / 2)
  })

  it('differ on leaves with spoilt octets, as they are, only by those rules', t => {
    const roll = dice(seed + 2)
    const { hold, report } = tally()
    const setting: Setting = { trust: [root.der], untrusted: [ica.der] }
    const good = leaf(keys.leaf, ica)
    const targets = Array.from({ length: count }, () => spoil(roll, good))
    opensslVerify(setting, targets).forEach((theirs, i) => {
      const ours = ask({ ...setting, says: '', expect: [], target: targets[i]! })
      assert.ok(!ours.valid || targets[i]!.equals(good), `a spoilt leaf holds: ${hex(targets[i]!)}`)
      hold(ours, theirs, setting, () => `leaf ${hex(targets[i]!)}`)
    })
    report(t)
  })

  it('differ on issuing CAs with spoilt octets, signed again, only by those rules', t => {
    const roll = dice(seed + 3)
    const { hold, report, seen } = tally()
    const target = leaf(keys.leaf, ica)
    const good = caShape()
    for (let i = 0; i < count; i++) {
      const setting: Setting = { trust: [root.der], untrusted: [seal(spoil(roll, good), { by: keys.root })] }
      const ours = askOr(setting, target)
      // Our yes is what must be right; of our no a sample is enough, for each costs a process.
      if (!ours || (!ours.valid && i % 10 !== 0)) continue
      hold(ours, opensslVerify(setting, [target])[0]!, setting, () => `CA ${hex(setting.untrusted![0]!)}`)
    }
    report(t)
    assert.ok(seen.bothYes >= count / 100)
  })

  it('differ on lists with spoilt octets, signed again, only by those rules', t => {
    const roll = dice(seed + 4)
    const { hold, report, seen } = tally()
    const serial = 0x123456
    const target = leaf(keys.leaf, ica, { serial })
    const top = list(root)
    const all = listShapes(ica, serial)
    for (let i = 0; i < count; i++) {
      const spoilt = seal(spoil(roll, all[i % all.length]!), { by: keys.ica })
      const setting: Setting = { trust: [root.der], untrusted: [ica.der], lists: [top, spoilt] }
      const ours = askOr(setting, target)
      if (!ours || (!ours.valid && i % 10 !== 0)) continue
      hold(ours, opensslVerify(setting, [target])[0]!, setting, () => `list ${hex(spoilt)}`)
    }
    report(t)
    assert.ok(seen.bothYes >= count / 100)
  })
})

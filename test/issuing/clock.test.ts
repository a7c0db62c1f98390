/** Lessons, row 12: certificates begin at the second of the signing clock, and a clock that goes back halts issuing. */

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { forwardClock } from '../../src/ground/clock.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { endByTime, stockLevel } from '../../src/rooms/authority/stock.ts'
import type { Outcome } from '../../src/rooms/issuance/issue.ts'
import { acts, issue, makeRooms, newCsr, type Rooms, signings } from './rooms.ts'

let rooms: Rooms
let now = new Date('2028-02-29T22:00:00.400Z')
const made = new Date(now)
const clock = () => new Date(now)
const later = (ms: number) => {
  now = new Date(now.getTime() + ms)
}

before(async () => {
  rooms = await makeRooms({
    clock,
    pkis: ['smki-device', 'smki-organisation'],
    settings: { certificates: { issuingDcaStock: 3, issuingDcaCertificates: 1000, issuingDcaMonths: 3 } },
  })
})
after(() => rooms.close())
beforeEach(() => later(1000))

function certificatesOf(outcomes: readonly Outcome[]): Certificate[] {
  return outcomes.map(one => ('der' in one ? readCertificate(one.der) : assert.fail(String(one.refusal))))
}

async function signedAt(certificate: Certificate): Promise<Date> {
  const { rows } = await rooms.store.query<{ at: Date }>(
    'SELECT s.at FROM certificate c JOIN signing s ON s.id = c.signing WHERE c.serial = $1',
    [certificate.serial],
  )
  return rows[0]!.at
}

describe('Authorities made on a leap day', () => {
  it('begin and end by the policy, to the second', async () => {
    const periods = (await authorities(rooms.store)).map(({ part, certificate }) => [
      part,
      certificate.notBefore.text,
      certificate.notAfter.text,
    ])
    assert.deepEqual(periods, [
      ['Root DCA', '280229220000Z', '20780228215959Z'],
      ...[1, 2, 3].map(() => ['Issuing DCA', '280229220000Z', '20530228215959Z']),
      ['Root OCA', '280229000000Z', '20780227235959Z'],
      ['Issuing OCA', '280229000000Z', '20530227235959Z'],
    ])
  })
})

describe('A certificate', () => {
  it('begins at the second that the signing clock says, and the register says the same', async () => {
    for (const ms of [0, 1, 499, 999, 1000, 59_999]) {
      later(ms)
      const [certificate] = certificatesOf(await issue(rooms.devices(), [newCsr()]))
      const second = Math.floor(now.getTime() / 1000) * 1000
      assert.equal(certificate!.notBefore.ms, second)
      assert.equal((await signedAt(certificate!)).getTime(), second)
    }
  })

  it('of a batch that runs over midnight begins on the day, and in the second, in which its group was signed', async () => {
    now = new Date('2028-03-01T23:59:58.900Z')
    const begin = Math.floor(now.getTime() / 1000) * 1000
    // Every look at the clock takes time.
    const ticking = () => {
      later(70)
      return new Date(now)
    }
    const devices = rooms.devices({ hands: { ...rooms.hands, clock: ticking } })
    const days = new Set<string>()
    let before = begin
    for (let group = 0; group < 12; group++) {
      for (const certificate of certificatesOf(await issue(devices, [newCsr(), newCsr('keyAgreement')]))) {
        assert.ok(certificate.notBefore.ms >= before && certificate.notBefore.ms <= now.getTime())
        assert.equal(certificate.notBefore.ms % 1000, 0)
        assert.equal(certificate.notBefore.ms, (await signedAt(certificate)).getTime())
        before = certificate.notBefore.ms
        days.add(certificate.notBefore.text.slice(0, 6))
      }
    }
    assert.deepEqual([...days], ['280301', '280302'])
  })
})

describe('A clock that goes back', () => {
  it('halts issuing, says by how much, and leaves nothing behind', async () => {
    const forward = forwardClock(clock, 1000)
    const devices = rooms.devices({ hands: { ...rooms.hands, clock: forward } })
    certificatesOf(await issue(devices, [newCsr()]))
    const before = await signings(rooms.store)
    const entries = (await acts(rooms.store)).length
    later(-90_000)
    const csr = newCsr()
    await assert.rejects(issue(devices, [csr]), {
      name: 'ClockWentBack',
      message: 'the clock went back by 90.000 s: issuing stops until it is right again',
    })
    assert.deepEqual(await signings(rooms.store), before)
    assert.equal((await acts(rooms.store)).length, entries)
    // It is right again: the same request is good.
    later(90_000)
    const [certificate] = certificatesOf(await issue(devices, [csr]))
    assert.equal(certificate!.notBefore.ms, Math.floor(now.getTime() / 1000) * 1000)
  })

  it('a little, as clocks do that are set right, is held where it was: nothing is backdated', async () => {
    const devices = rooms.devices({ hands: { ...rooms.hands, clock: forwardClock(clock, 1000) } })
    const [first] = certificatesOf(await issue(devices, [newCsr()]))
    later(-900)
    const [second] = certificatesOf(await issue(devices, [newCsr()]))
    assert.equal(second!.notBefore.ms, first!.notBefore.ms)
  })

  it('is noticed at the start too: what the register has seen has passed', async () => {
    const seen = new Date(now.getTime() + 60_000)
    const devices = rooms.devices({ hands: { ...rooms.hands, clock: forwardClock(clock, 1000, seen) } })
    await assert.rejects(issue(devices, [newCsr()]), { name: 'ClockWentBack' })
  })

  it('between writing down and keeping leaves nothing open', async () => {
    let looks = 0
    // The third look is that of the entry which says that it was issued.
    const broken = () => {
      if (++looks > 2 && looks < 5) throw new Error('the clock went back')
      return clock()
    }
    const csr = newCsr()
    const devices = rooms.devices()
    const hands = { ...devices, clock: broken }
    await assert.rejects(issue(hands, [csr]), /the clock went back/)
    assert.equal((await signings(rooms.store)).intended, 0)
    certificatesOf(await issue(devices, [csr]))
  })
})

describe('A key of the stock', () => {
  it('signs for three months and not a second longer, also what was allotted to it before', async () => {
    const limit = { certificates: 1000, months: 3 }
    const devices = rooms.devices({ atOnce: 64 })
    const by = async () => {
      const [certificate] = certificatesOf(await issue(devices, [newCsr()]))
      return (await authorities(rooms.store)).find(
        one => Buffer.compare(one.certificate.subject.der, certificate!.issuer.der) === 0,
      )!
    }
    const first = await by()
    assert.ok(first.firstUsedAt && first.firstUsedAt.getTime() - made.getTime() < 100_000)
    // Used for the first time on 29 February; three months later is 29 May.
    const end = new Date(first.firstUsedAt)
    end.setUTCMonth(end.getUTCMonth() + 3)
    now = new Date(end.getTime() - 1)
    assert.equal((await by()).name, first.name)
    now = end
    const second = await by()
    assert.notEqual(second.name, first.name)
    const level = await stockLevel(rooms.store, limit)
    assert.deepEqual(
      level.exhausted.map(one => one.name),
      [first.name],
    )
    assert.equal(level.current?.name, second.name)
  })

  it('is at its end after three months also when nobody asks for a certificate', async () => {
    const limit = { certificates: 1000, months: 3 }
    const { current } = await stockLevel(rooms.store, limit)
    const { firstUsedAt } = (await authorities(rooms.store)).find(one => one.name === current!.name)!
    // From 29 May to 29 August.
    const end = new Date(firstUsedAt!)
    end.setUTCMonth(end.getUTCMonth() + 3)
    await endByTime(rooms.store, limit, new Date(end.getTime() - 1))
    assert.equal((await stockLevel(rooms.store, limit)).current?.name, current!.name)
    await endByTime(rooms.store, limit, end)
    const level = await stockLevel(rooms.store, limit)
    assert.equal(level.current, undefined)
    assert.ok(level.exhausted.some(one => one.name === current!.name))
  })
})

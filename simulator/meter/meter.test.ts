import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileKeeper } from './memory.ts'
import { plainSwitches, type Switches } from './model.ts'
import { type Pair, type Rig, rig, stands } from './testing.ts'

const key = () => randomBytes(16)
const stopped = (tried: object) => ('stopped' in tried ? tried.stopped : undefined)
const refusedAs = (tried: object) => (stopped(tried) as { code?: string })?.code

/** Both new keys in one array, by the Data Collection client. */
async function both(some: Rig) {
  const old = some.first()
  const fresh = { ak: key(), guek: key() }
  const told = await some.transfer(stands(await some.associate(old)), { AK: fresh.ak, GUEK: fresh.guek })
  return { old, fresh, told }
}

/** Which of the four pairs the meter answers to. */
async function holds(some: Rig, old: Pair, fresh: Pair): Promise<string[]> {
  const pairs = {
    'old, old': old,
    'old AK, new GUEK': { ak: old.ak, guek: fresh.guek },
    'new AK, old GUEK': { ak: fresh.ak, guek: old.guek },
    'new, new': fresh,
  }
  const found: string[] = []
  for (const [name, pair] of Object.entries(pairs)) {
    const tried = await some.associate(pair)
    if (!('stopped' in tried) && (await some.read(tried))) found.push(name)
  }
  return found
}

describe('A plain simulated meter', () => {
  it('associates, is read, and takes two new keys that hold from the next association on', async () => {
    const some = rig()
    const standing = stands(await some.associate(some.first()))
    const fresh = { ak: key(), guek: key() }
    assert.deepEqual(await some.transfer(standing, { AK: fresh.ak, GUEK: fresh.guek }), { result: 0, under: 'old' })
    assert.ok(await some.read(standing), 'the old keys still hold in this association')
    assert.deepEqual(await holds(some, some.first(), fresh), ['new, new'])
  })

  it('answers nobody who has not shown that they hold the keys', async () => {
    const some = rig()
    const wrong = { ...some.first(), ak: key() }
    assert.equal((stopped(await some.associate(wrong)) as Buffer).toString('hex'), 'd80105')
    const standing = stands(await some.associate(some.first()))
    const elsewhere = { ...standing, session: new Map() }
    assert.equal(await some.read(elsewhere), undefined, 'no association stands on another connection')
  })

  it('takes no counter twice, and says which one it wants', async () => {
    const some = rig()
    stands(await some.associate(some.first()))
    some.startAt(some.first().guek, 1)
    assert.equal((stopped(await some.associate(some.first())) as Buffer).toString('hex'), 'd8010600000004')
    assert.equal(some.readCounter(), 3)
  })

  it('refuses a wrong Master Key with "other reason", and changes nothing', async () => {
    const some = rig()
    const right = some.meter.memory.mk
    const standing = stands(await some.associate(some.first()))
    some.meter.memory.mk = key()
    // The client wraps under what stands in the memory: it is put back before the meter looks.
    const wrapped = some.transfer(standing, { AK: key() })
    some.meter.memory.mk = right
    assert.deepEqual(await wrapped, { result: 250, under: 'old' })
    stands(await some.associate(some.first()))
  })

  it('remembers keys and counters when its process ends, and whatever line was cut short', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meter-'))
    try {
      const file = join(folder, 'memory')
      const before = rig({}, { keeper: fileKeeper(file) })
      const { fresh } = await both(before)
      stands(await before.associate(fresh))
      const { appendFileSync } = await import('node:fs')
      appendFileSync(file, '1 {"mk":"x00')
      const after = rig({}, { keeper: fileKeeper(file) })
      assert.deepEqual(after.meter.keysOf(32), fresh)
      assert.deepEqual(after.meter.memory, before.meter.memory)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

/** What comes of a transfer of two keys: the answer, and which pairs then hold, by the switches that are not plain. */
const transfers: readonly [string, Partial<Switches>, string, string[]][] = [
  ['replies under the new keys', { replyUnder: 'new' }, '0 under new', ['new, new']],
  ['lets new keys hold at once', { newKeysHold: 'immediately' }, '0 under new', ['new, new']],
  ['lets new keys hold with the next APDU', { newKeysHold: 'next APDU' }, '0 under old', ['new, new']],
  ['drops the reply after it stored', { dropReply: 'after commit' }, 'close', ['new, new']],
  ['drops the reply before it stored', { dropReply: 'before commit' }, 'close', ['old, old']],
  ['says no and did', { lieAboutResult: '"not OK" after commit' }, '2 under old', ['new, new']],
  ['says yes and did not', { lieAboutResult: '"success" without commit' }, '0 under old', ['old, old']],
  [
    'loses its power between two keys',
    { crashMidway: 'between two keys', arrayTransfer: 'one-by-one' },
    'close',
    ['new AK, old GUEK'],
  ],
  ['loses its power before it replies', { crashMidway: 'between storing and replying' }, 'close', ['new, new']],
  ['refuses arrays', { arrayTransfer: 'refuses-arrays' }, '12 under old', ['old, old']],
  ['takes no keys from anybody', { setupAccess: 'none' }, '3 under old', ['old, old']],
]

describe('A simulated meter that', () => {
  for (const [name, switches, answer, pairs] of transfers) {
    it(name, async () => {
      const some = rig(switches)
      const { old, fresh, told } = await both(some)
      assert.equal('came' in told ? String(told.came) : `${told.result} under ${told.under}`, answer)
      assert.deepEqual(await holds(some, old, fresh), pairs)
    })
  }

  it('is in trouble a number of times gets over it', async () => {
    const some = rig({ dropReply: 'before commit', troubledTransfers: 1 })
    const { old, fresh } = await both(some)
    assert.deepEqual(await holds(some, old, fresh), ['old, old'])
    const told = await some.transfer(stands(await some.associate(old)), { AK: fresh.ak, GUEK: fresh.guek })
    assert.deepEqual(told, { result: 0, under: 'old' })
  })

  it('keeps its counters after a new GUEK wants more than they were', async () => {
    const some = rig({ counterAfterGuek: 'kept' })
    const { fresh } = await both(some)
    assert.equal((stopped(await some.associate(fresh)) as Buffer).toString('hex'), 'd8010600000005')
    some.startAt(fresh.guek, some.readCounter()! + 1)
    stands(await some.associate(fresh))
  })

  it('resets its counters at the next association wants more only until then', async () => {
    const some = rig({ counterAfterGuek: 'reset at next association', newKeysHold: 'next APDU' })
    const standing = stands(await some.associate(some.first()))
    const guek = key()
    await some.transfer(standing, { GUEK: guek })
    const now = { ...standing, pair: { ...standing.pair, guek } }
    assert.equal(await some.read(now), undefined)
    stands(await some.associate(now.pair))
  })

  it('resets its counters with a new AK takes old ones again', async () => {
    for (const [counterAfterAk, again] of [
      ['kept', false],
      ['reset', true],
    ] as const) {
      const some = rig({ counterAfterAk })
      const ak = key()
      await some.transfer(stands(await some.associate(some.first())), { AK: ak })
      some.startAt(some.first().guek, 1)
      assert.equal(stopped(await some.associate({ ...some.first(), ak })) === undefined, again)
    }
  })

  it('wants strictly the next counter refuses a gap, and takes the two of pass 3', async () => {
    const some = rig({ counterRule: 'strictly-next', firstCounter: 1 })
    const standing = stands(await some.associate(some.first()))
    assert.ok(await some.read(standing))
    some.startAt(some.first().guek, some.nextOf(some.first().guek) + 1)
    assert.equal(await some.read(standing), undefined)
  })

  it('wants strictly the next counter counts what it verifies, also where it acts on nothing', async () => {
    const some = rig({ counterRule: 'strictly-next', firstCounter: 1 })
    const standing = stands(await some.associate(some.first()))
    const text = Buffer.from('c001c100080000010000ff0200', 'hex')
    const elsewhere = { ...standing, session: new Map() }
    assert.equal(((await some.send(elsewhere, text)) as Buffer).toString('hex'), 'd80101')
    assert.equal(some.readCounter(), some.nextOf(some.first().guek) - 1)
  })

  it('forgets its counter goes on above all that it ever took', async () => {
    const some = rig({ crashMidway: 'forgets the counter' })
    const old = some.first()
    const told = await some.transfer(stands(await some.associate(old)), { AK: key() })
    assert.deepEqual(told, { came: 'close' })
    assert.equal(some.readCounter()! % 16, 15)
    assert.ok(some.readCounter()! >= some.nextOf(old.guek))
  })

  it('drops every third reply counts the end of the association as one', async () => {
    const some = rig({ dropReply: { every: 3 } })
    const standing = stands(await some.associate(some.first()))
    assert.ok(await some.read(standing))
    assert.equal(await some.read(standing), undefined)
    assert.ok(await some.read(standing))
  })

  it('lets the Management client write what is the others’, or does not', async () => {
    for (const [setupAccess, result] of [
      ['Management writes all', 0],
      ['own client', 3],
    ] as const) {
      const some = rig({ setupAccess })
      const standing = stands(await some.associate(some.first(64), 64))
      assert.deepEqual(await some.transfer(standing, { AK: key() }, 32), { result, under: 'old' })
      assert.equal(stopped(await some.associate(some.first())) !== undefined, result === 0)
    }
  })

  it('rotates, refuses, or only seems to take a Master Key', async () => {
    for (const [mk, result, changed] of [
      ['rotates', 0, true],
      ['refuses', 250, false],
      ['takes it but keeps the old one', 0, false],
    ] as const) {
      const some = rig({ mk })
      const before = some.meter.memory.mk
      const told = await some.transfer(stands(await some.associate(some.first(64), 64)), { MK: key() })
      assert.deepEqual(told, { result, under: 'old' }, mk)
      assert.equal(!some.meter.memory.mk.equals(before), changed, mk)
    }
  })

  it('takes less protection, or demands it, where its model says so', async () => {
    const text = Buffer.from('c001c100080000010000ff0200', 'hex')
    for (const [protection, taken] of [
      ['30 only', { authenticated: false, encrypted: false }],
      ['takes 10', { authenticated: true, encrypted: false }],
      ['takes 20', { authenticated: false, encrypted: true }],
    ] as const) {
      const some = rig({ protection })
      for (const way of ['authenticated', 'encrypted'] as const) {
        const standing = stands(await some.associate(some.first()))
        const reply = await some.send(standing, text, { protection: way })
        assert.equal((reply as Buffer)[0] === 0xcc, taken[way], `${protection}, ${way}`)
      }
    }
    assert.equal((stopped(await rig({ protection: 'demands 10' }).associate(rig().first())) as Buffer)[0], 0xd8)
  })

  it('shows its frame counter to the Public client true, stale, absurd, or not at all', () => {
    const read = (publicCounter: Switches['publicCounter']) => {
      const some = rig({ publicCounter })
      some.meter.memory.clients.get(32)!.slot.floor = 100
      return some.readCounter()
    }
    assert.deepEqual((['true value', 'stale', 'absurdly high', 'not readable'] as const).map(read), [
      99,
      49,
      0xfffffff0,
      undefined,
    ])
  })

  it('meets a wrong tag with an exception, a misleading one, silence, or the end of the connection', async () => {
    const met = async (exceptionOn: Switches['exceptionOn']) => {
      const some = rig({ exceptionOn })
      const reply = stopped(await some.associate({ ...some.first(), ak: key() }))
      return Buffer.isBuffer(reply) ? reply.toString('hex') : reply
    }
    assert.equal(await met('D8 05'), 'd80105')
    assert.equal(await met('D8 06'), 'd8010600000000')
    assert.equal(await met('silence'), 'silence')
    assert.equal(await met('close'), 'close')
  })

  it('uses a Dedicated Key, or ignores it', async () => {
    const { protect } = await import('../../src/ground/dlms/protect.ts')
    const { hold, counterAt } = await import('../../src/ground/dlms/testing.ts')
    for (const dedicatedKey of ['uses', 'ignores'] as const) {
      const some = rig({ dedicatedKey })
      const { guek, ak } = some.first()
      const held = hold({ guek, ak })
      const { openAssociation, readAnswer, answerPass3 } = await import('../../src/ground/dlms/associate.ts')
      const ours = Buffer.from('4f534d4b00000001', 'hex')
      const challenge = key()
      const wanted = { challenge, conformance: 0x221e5d, maxPdu: 0xffff, dedicatedKey: held.dk }
      const session = new Map()
      const aare = some.meter.receive(
        session,
        32,
        openAssociation(held.glo, await counterAt(held.guek, ours, 1), wanted),
      )
      const opening = { title: ours, challenge, floor: { lowest: 0, rule: 'greater' } } as const
      const said = readAnswer(held.glo, aare as Buffer, opening)
      const [inner, outer] = [await counterAt(held.guek, ours, 2), await counterAt(held.guek, ours, 3)]
      some.meter.receive(session, 32, answerPass3(held.glo, { inner, outer }, said.challenge))
      const text = Buffer.from('c001c100080000010000ff0200', 'hex')
      const asked = protect(held.ded, await counterAt(held.dk, ours, 0), text)
      assert.equal((some.meter.receive(session, 32, asked) as Buffer)[0], dedicatedKey === 'uses' ? 0xd4 : 0xd8)
    }
  })

  it('is reached always, never, or at its hours', () => {
    let minutes = 0
    const some = (reachable: Switches['reachable']) =>
      rig({ reachable }, { clock: () => new Date(minutes * 60_000) }).meter
    assert.equal(some('always').reachable, true)
    assert.equal(some('never').reachable, false)
    const daily = some({ everyMinutes: 1440, forMinutes: 10 })
    let reached = 0
    for (; minutes < 2880; minutes++) if (daily.reachable) reached++
    assert.equal(reached, 20)
  })

  it('is hostile is refused, each way for its own reason', async () => {
    const met: Record<string, unknown> = {}
    for (const hostile of [
      'reflects ours',
      'wrong title',
      'challenge equal to ours',
      'challenge that is an APDU',
      'huge lengths',
      'truncated',
    ] as const) {
      const some = rig({ hostile })
      met[hostile] = refusedAs(await some.associate(some.first()))
    }
    assert.deepEqual(met, {
      'reflects ours': 'DLMS_FRAMING',
      'wrong title': 'DLMS_TITLE',
      'challenge equal to ours': 'DLMS_CHALLENGE_REFLECTED',
      'challenge that is an APDU': 'DLMS_CHALLENGE_IS_APDU',
      'huge lengths': 'DLMS_LENGTH',
      truncated: 'DLMS_LENGTH',
    })
    const replayer = rig({ hostile: 'replays old APDUs' })
    stands(await replayer.associate(replayer.first()))
    const tried = await replayer.associate(replayer.first())
    assert.ok(
      ['DLMS_HLS', 'DLMS_RESULT', 'DLMS_COUNTER'].includes(String(refusedAs(tried))),
      String(refusedAs(tried)),
    )
  })

  it('is honest again after so many bent answers', async () => {
    const some = rig({ hostile: 'truncated', hostileReplies: 2 })
    assert.ok(stopped(await some.associate(some.first())))
    assert.ok(stopped(await some.associate(some.first())))
    stands(await some.associate(some.first()))
  })
})

describe('The switches of a simulated meter', () => {
  it('are as many as the page has, and two that say how often', () => {
    assert.equal(Object.keys(plainSwitches).length, 19 + 2)
  })
})

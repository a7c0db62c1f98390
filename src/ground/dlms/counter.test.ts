import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { answerPass3 } from './associate.ts'
import {
  type CounterLedger,
  type Counters,
  memoryLedger,
  sendingCounters,
  spend,
  type TakenCounter,
} from './counter.ts'
import { readProtected } from './frame.ts'
import { answerChallenge } from './hls.ts'
import { type Keys, protect } from './protect.ts'
import { counterAt, example, hold, octets, refused, upper } from './testing.ts'

const { client, server, plain } = example

describe('An invocation counter', () => {
  it('is spent once, by the cipher, whatever came of it', async () => {
    const { glo } = hold()
    const counter = await counterAt(glo.key, client, 3)
    protect(glo, counter, plain)
    const again = /to be used twice/
    assert.throws(() => protect(glo, counter, plain), again, 'not even for the same text')
    assert.throws(() => answerChallenge(glo, counter, octets('503677524A323146')), again)

    const { glo: other, guek } = hold()
    const elsewhere = await counterAt(guek, client, 3)
    assert.throws(() => protect(glo, elsewhere, plain), /taken for another key/)
    assert.throws(() => protect(other, elsewhere, plain), again, 'it was begun, and is gone')
  })

  it('cannot be made by hand: neither the compiler nor the cipher takes one', () => {
    const { glo } = hold()
    // @ts-expect-error: only a keeper makes them
    const forged: TakenCounter = { value: 1, title: client }
    assert.throws(() => spend(forged, glo.key), TypeError)
    assert.throws(() => protect(glo, forged, plain), TypeError)
  })

  it('counts up from where the ledger begins, for each key and title by itself', async () => {
    const first = hold()
    const second = hold()
    const counters = sendingCounters(memoryLedger(1))
    const take = async (key: typeof first.guek, title: Uint8Array) => (await counters.take(key, title)).value
    assert.deepEqual([await take(first.guek, client), await take(first.guek, client)], [1, 2])
    assert.deepEqual([await take(first.guek, server), await take(second.guek, client)], [1, 1])
    assert.equal(await take(first.guek, client), 3)
    assert.equal((await counters.take(first.dk, client)).value, 1)
    await assert.rejects(counters.take(first.guek, client.subarray(1)), RangeError)
  })

  it('gives title and counter as IV, and leaves both to be read', async () => {
    const { guek } = hold()
    const counter = await counterAt(guek, server, 0x01234567)
    assert.deepEqual([counter.value, upper(counter.title)], [0x01234567, upper(server)])
    assert.equal(upper(spend(counter, guek)), '4D4D4D0000BC614E01234567')
  })

  it('ends before its maximum, and never begins again', async () => {
    const { guek } = hold()
    const counters = sendingCounters(memoryLedger(0xffff_fffd), { block: 10 })
    assert.equal((await counters.take(guek, client)).value, 0xffff_fffd)
    assert.equal((await counters.take(guek, client)).value, 0xffff_fffe)
    for (let i = 0; i < 3; i++) await assert.rejects(counters.take(guek, client), refused('DLMS_COUNTER_USED_UP'))
  })

  it('is reserved before it is handed out, in blocks, and a restart skips the rest of one', async () => {
    const { guek } = hold()
    const asked: number[] = []
    const beneath = memoryLedger()
    const ledger: CounterLedger = {
      reserve(stream, count) {
        assert.deepEqual(stream, { keyId: guek.id, title: '4D4D4D0000000001' })
        asked.push(count)
        return beneath.reserve(stream, count)
      },
    }
    const before = sendingCounters(ledger, { block: 5 })
    const values = await Promise.all(Array.from({ length: 7 }, () => before.take(guek, client)))
    assert.deepEqual(values.map(({ value }) => value).sort(), [0, 1, 2, 3, 4, 5, 6])
    assert.deepEqual(asked, [5, 5], 'many takers at once ask once')
    assert.equal((await sendingCounters(ledger, { block: 5 }).take(guek, client)).value, 10)
    assert.equal((await before.take(guek, client)).value, 7)
    assert.throws(() => sendingCounters(ledger, { block: 0 }), RangeError)
  })

  it('is not handed out when the ledger fails, or has gone back', async () => {
    const { guek } = hold()
    const answers: (number | Error)[] = [4, new Error('the disk is full'), 5, 5, 4, Number.NaN, -1, 6]
    const ledger: CounterLedger = {
      async reserve() {
        const answer = answers.shift()!
        if (answer instanceof Error) throw answer
        return answer
      },
    }
    const counters = sendingCounters(ledger)
    assert.equal((await counters.take(guek, client)).value, 4)
    await assert.rejects(counters.take(guek, client), /disk is full/)
    assert.equal((await counters.take(guek, client)).value, 5)
    for (let i = 0; i < 4; i++) await assert.rejects(counters.take(guek, client), /went back/)
    assert.equal((await counters.take(guek, client)).value, 6)
  })

  it('never stands before two texts under one key and title, whatever is tried', async () => {
    let looked = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async steps => {
        const world = new World()
        for (const each of steps) await world.take(each)
        looked += world.sent.size
      }),
      { numRuns: 200 },
    )
    assert.ok(looked > 500, `${looked} texts`)
  })
})

/** What somebody may try: an act, under one of three keys, as one of two parties, through one of several processes. */
const step = fc.record({
  act: fc.constantFrom('send', 'answer', 'pass 3', 'at once', 'again', 'elsewhere', 'restart'),
  key: fc.nat(2),
  title: fc.constantFrom(client, server),
  process: fc.nat(1),
  text: fc.uint8Array({ minLength: 8, maxLength: 20 }),
  block: fc.integer({ min: 1, max: 4 }),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

class World {
  /** Key, title, counter: every one that a cipher made something under. */
  readonly sent = new Set<string>()
  readonly #held = [hold(), hold()]
  readonly #ledger = memoryLedger()
  /** Two processes over one ledger. */
  readonly #processes: Counters[] = [sendingCounters(this.#ledger), sendingCounters(this.#ledger, { block: 3 })]
  readonly #old: TakenCounter[] = []

  async take({ act, key, title, process, text, block }: Step): Promise<void> {
    const keys = this.#keys(key)
    const counters = this.#processes[process]!
    const next = async () => {
      const counter = await counters.take(keys.key, title)
      this.#old.push(counter)
      return counter
    }
    const apdu = Buffer.from([0xc1, ...text])
    switch (act) {
      case 'send':
        return this.#note(keys, title, protect(keys, await next(), apdu))
      case 'at once': {
        const taken = await Promise.all(Array.from({ length: 5 }, next))
        for (const counter of taken) this.#note(keys, title, protect(keys, counter, apdu))
        return
      }
      case 'answer': {
        const counter = await this.#next(process, title)
        const answer = answerChallenge(this.#glo, counter, text)
        return this.#noteCounter(this.#glo, title, answer.readUInt32BE(1))
      }
      case 'pass 3': {
        const inner = await this.#next(process, title)
        const outer = await this.#next(process, title)
        const made = answerPass3(this.#glo, { inner, outer }, text)
        this.#noteCounter(this.#glo, title, inner.value)
        return this.#note(this.#glo, title, made)
      }
      // Whatever was handed out before, spent or not: under this key, or the one that it was taken for.
      case 'again':
      case 'elsewhere':
        for (const counter of this.#old.splice(0, 3)) {
          const under = act === 'again' ? keys : this.#keys(key + 1)
          try {
            this.#note(under, counter.title, protect(under, counter, apdu))
          } catch (error) {
            if (!(error instanceof Error) || !/twice|another key/.test(error.message)) throw error
          }
        }
        return
      case 'restart':
        this.#processes[process] = sendingCounters(this.#ledger, { block })
    }
  }

  get #glo() {
    return this.#held[0]!.glo
  }

  async #next(process: number, title: Uint8Array) {
    const counter = await this.#processes[process]!.take(this.#glo.key, title)
    this.#old.push(counter)
    return counter
  }

  #keys(key: number): Keys {
    const [first, second] = this.#held
    return [first!.glo, first!.ded, second!.glo][key % 3]!
  }

  /** From what went out, not from what was meant to. */
  #note(keys: Keys, title: Uint8Array, made: Buffer): void {
    this.#noteCounter(keys, title, readProtected(made).counter)
  }

  #noteCounter(keys: Keys, title: Uint8Array, counter: number): void {
    const nonce = `${keys.key.id} ${upper(title)} ${counter}`
    assert.ok(!this.sent.has(nonce), `two texts under ${nonce}`)
    this.sent.add(nonce)
  }
}

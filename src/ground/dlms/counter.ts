/** Invocation counters for sending: a value is handed out once, and spent on one text (dlms.md section 3). */

import { type Bytes, toHexUpper } from '../bytes.ts'
import type { CipherKey } from '../keystore/dlms-cipher.ts'
import { refusal } from './refusals.ts'
import { mustBeTitle } from './title.ts'

/**
 * One counter value for one text, under one key and one title. Only a keeper makes them, and only a cipher spends them.
 * Two texts under one value would give the authentication key of GCM away.
 */
export type TakenCounter = Taken

/** Where counters come from. One key (by its id) has one keeper, or several over one ledger. */
export interface Counters {
  /**
   * The next value under that key for that title (of ours: 8 octets). What is taken and not spent is skipped.
   * @throws Refusal DLMS_COUNTER_USED_UP
   */
  take(key: CipherKey, title: Bytes): Promise<TakenCounter>
}

/** What has counters of its own: a key, by the id it was opened under, and the title of the originator. */
export interface CounterStream {
  readonly keyId: string
  /** 16 upper-case hexadecimal digits. */
  readonly title: string
}

/** The memory of what was handed out. It decides whether nonces repeat, so it is durable in service. */
export interface CounterLedger {
  /**
   * Marks `count` successive values as used, durably, and then answers the first of them. Every answer lies above all
   * that was ever reserved in this stream, whatever stopped when: a crash skips numbers, it never repeats one.
   */
  reserve(stream: CounterStream, count: number): Promise<number>
}

/**
 * A keeper over a ledger. It reserves `block` values at a time, and forgets the rest of a block when the process ends:
 * 1 for Devices that want `strictly-next`, and wherever several processes serve one Device.
 */
export function sendingCounters(ledger: CounterLedger, { block = 1 }: { block?: number } = {}): Counters {
  if (!Number.isSafeInteger(block) || block < 1) throw new RangeError('a block is at least one counter')
  return new Keeper(ledger, block)
}

/** A ledger that forgets: for tests, and for meters that are simulated. */
export function memoryLedger(first = 0): CounterLedger {
  const next = new Map<string, number>()
  return {
    async reserve({ keyId, title }, count) {
      const name = `${title}/${keyId}`
      const start = next.get(name) ?? first
      next.set(name, start + count)
      return start
    },
  }
}

/**
 * Spends the value on a text under `key`. For ciphers only.
 * @returns the IV of GCM, 12 octets: title and counter.
 * @throws Error when the value was spent before, or taken for another key: a fault of ours, never an answer
 */
export function spend(counter: TakenCounter, key: CipherKey): Buffer {
  return Taken.spend(counter, key)
}

class Taken {
  readonly #iv: Buffer
  readonly #keyId: string
  #spent = false
  /** 0 to 2^32 - 2. */
  readonly value: number

  constructor(keyId: string, title: Bytes, value: number) {
    this.value = value
    this.#keyId = keyId
    this.#iv = Buffer.allocUnsafe(12)
    this.#iv.set(title)
    this.#iv.writeUInt32BE(value, 8)
  }

  /** The originator's title. */
  get title(): Bytes {
    return Uint8Array.from(this.#iv.subarray(0, 8))
  }

  static spend(counter: Taken, key: CipherKey): Buffer {
    if (counter.#spent) throw new Error('an invocation counter was to be used twice')
    // Before anything can fail: a value that was begun is gone.
    counter.#spent = true
    if (counter.#keyId !== key.id) throw new Error('an invocation counter was taken for another key')
    return counter.#iv
  }
}

/** The counter has 32 bits; at its maximum the key is used up (dlms.md section 3), so the maximum is never sent. */
const end = 0xffff_ffff

class Keeper implements Counters {
  readonly #ledger: CounterLedger
  readonly #block: number
  /** The least recently used is forgotten, and with it the rest of its block. */
  readonly #blocks = new Map<string, { next: number; end: number }>()
  readonly #asking = new Map<string, Promise<void>>()

  constructor(ledger: CounterLedger, block: number) {
    this.#ledger = ledger
    this.#block = block
  }

  async take(key: CipherKey, title: Bytes): Promise<TakenCounter> {
    mustBeTitle(title)
    const stream = { keyId: key.id, title: toHexUpper(title) }
    const name = `${stream.title}/${stream.keyId}`
    for (;;) {
      const block = this.#blocks.get(name)
      if (block !== undefined && block.next < block.end) return new Taken(key.id, title, block.next++)
      // One question at a time in a stream: whoever comes meanwhile waits for that answer.
      let asking = this.#asking.get(name)
      if (asking === undefined) {
        asking = this.#reserve(name, stream).finally(() => this.#asking.delete(name))
        this.#asking.set(name, asking)
      }
      await asking
    }
  }

  async #reserve(name: string, stream: CounterStream): Promise<void> {
    const first = await this.#ledger.reserve(stream, this.#block)
    const known = this.#blocks.get(name)
    // A ledger that answers so has lost what it marked: better to stop than to send.
    if (!Number.isSafeInteger(first) || first < (known?.end ?? 0)) {
      throw new Error('the ledger of invocation counters went back')
    }
    if (first >= end) throw refusal('DLMS_COUNTER_USED_UP')
    this.#blocks.delete(name)
    this.#blocks.set(name, { next: first, end: Math.min(first + this.#block, end) })
    if (this.#blocks.size > remembered) this.#blocks.delete(this.#blocks.keys().next().value!)
  }
}

/** Streams whose last block a keeper remembers: defends memory. */
const remembered = 10_000

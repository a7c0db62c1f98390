/** A store that fails at a chosen call, and a key store that is watched: for tests of every write failing before and after. */

import assert from 'node:assert/strict'
import { toHex } from '../../src/ground/bytes.ts'
import type { KeyStore } from '../../src/ground/keystore/keystore.ts'
import type { Store } from '../../src/ground/store/store.ts'

export class Injected extends Error {
  override name = 'Injected'
}

export type When = 'before' | 'after'

/**
 * A store of which the `nth` call fails, before or after it took effect. After a `crash` every later call fails too, as
 * for a process that is no more.
 */
export function failing(
  store: Store,
  nth: number,
  when: When,
  crash: boolean,
): { store: Store; calls: () => number } {
  let calls = 0
  const through = async <T>(work: () => Promise<T>): Promise<T> => {
    calls++
    if (crash && calls > nth) throw new Injected('the process is no more')
    if (calls !== nth) return work()
    if (when === 'after') await work()
    throw new Injected(`call ${nth} failed ${when} it took effect`)
  }
  return {
    store: {
      ...store,
      query: (statement, values) => through(() => store.query(statement, values)),
      transaction: (work, options) => through(() => store.transaction(work, options)),
    },
    calls: () => calls,
  }
}

/** Keeps what was really signed. */
export function watched(keys: KeyStore): { keys: KeyStore; signed: string[] } {
  const signed: string[] = []
  const sign: KeyStore['sign'] = (label, octets) => {
    signed.push(toHex(octets))
    return keys.sign(label, octets)
  }
  return { keys: new Proxy(keys, { get: (of, name) => (name === 'sign' ? sign : bound(of, name)) }), signed }
}

export function bound(of: KeyStore, name: string | symbol): unknown {
  const found = Reflect.get(of, name, of) as unknown
  return typeof found === 'function' ? found.bind(of) : found
}

/** Every way in which one call of the work can fail: all calls that a run makes, before and after, fault and crash. */
export async function everyFailure(
  run: (nth: number, when: When, crash: boolean) => Promise<{ calls: number; failed: boolean }>,
): Promise<number> {
  let ways = 0
  for (const crash of [false, true]) {
    for (const when of ['before', 'after'] as const) {
      for (let nth = 1; ; nth++) {
        const { calls, failed } = await run(nth, when, crash)
        if (calls < nth) break
        ways++
        // A failed call may be made good for within the work (a second try), but never by a process that is no more.
        assert.ok(failed || !crash, `call ${nth} failed ${when}, and nobody noticed`)
      }
    }
  }
  return ways
}

/** Points of a run: each write, each commit, each signature and each mark; and what is to happen at one of them. */

import type { KeyStore } from '../../src/ground/keystore/keystore.ts'
import type { Mark } from '../../src/ground/store/mark.ts'
import type { Client, Store } from '../../src/ground/store/store.ts'
import type { Marks } from '../../src/main/epoch.ts'

/** Before the point takes effect, or after it did and nobody was told. */
export type When = 'before' | 'after'

/** An error, and the program goes on; an error, and the program is no more; the program is killed with SIGKILL. */
export type How = 'error' | 'gone' | 'kill'

export class Injected extends Error {
  override name = 'Injected'
}

export class Points {
  /** What was passed, in order. */
  readonly passed: string[] = []
  readonly #nth: number
  readonly #when: When
  readonly #how: How
  #gone = false

  /** @param nth counted from 1; none with 0 */
  constructor(nth = 0, when: When = 'before', how: How = 'error') {
    this.#nth = nth
    this.#when = when
    this.#how = how
  }

  /** Every call begins with it: nothing is called by a program that is no more. */
  alive(): void {
    if (this.#gone) throw new Injected('the program is no more')
  }

  /** Notes a point. @returns what is to be called before it takes effect, and after */
  point(name: string): { before(): void; after(): void } {
    this.alive()
    this.passed.push(name)
    const here = this.passed.length === this.#nth
    const at = (when: When) => () => {
      if (here && when === this.#when) this.#strike(name)
    }
    return { before: at('before'), after: at('after') }
  }

  async around<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { before, after } = this.point(name)
    before()
    const result = await work()
    after()
    return result
  }

  aroundAtOnce<T>(name: string, work: () => T): T {
    const { before, after } = this.point(name)
    before()
    const result = work()
    after()
    return result
  }

  #strike(name: string): never {
    if (this.#how === 'kill') process.kill(process.pid, 'SIGKILL')
    if (this.#how === 'gone') this.#gone = true
    throw new Injected(`${this.#how} ${this.#when} ${name}`)
  }
}

/** Whether a statement changes something; sequences are changed by who reads them. */
function writes(text: string): boolean {
  const bare = text.replace(/\bFOR\s+(NO\s+KEY\s+)?UPDATE\b/gi, '')
  return /\b(INSERT\s+INTO|UPDATE\s+\w+|DELETE\s+FROM|nextval|setval)\b|^\s*COPY\s+[^(]/i.test(bare)
}

const textOf = (statement: unknown): string =>
  typeof statement === 'string' ? statement : ((statement as { text?: string }).text ?? '')

const short = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 60)

/** The store, with a point at each write by itself, at each write within a transaction, and at each of its commits. */
export function withPoints(store: Store, points: Points): Store {
  return {
    ...store,
    query: (statement, values) => {
      const text = textOf(statement)
      if (writes(text)) return points.around(short(text), () => store.query(statement, values))
      return reading(points, () => store.query(statement, values))
    },
    async transaction(work, options) {
      points.alive()
      let after = () => {}
      const result = await store.transaction(async client => {
        const watched = watch(client, points)
        const done = await work(watched.client)
        points.alive()
        if (watched.wrote()) {
          const commit = points.point('COMMIT')
          commit.before()
          after = commit.after
        }
        return done
      }, options)
      after()
      return result
    },
  }
}

async function reading<T>(points: Points, work: () => Promise<T>): Promise<T> {
  points.alive()
  return work()
}

function watch(client: Client, points: Points): { client: Client; wrote(): boolean } {
  let wrote = false
  // A copy has taken effect when the next statement is made.
  let pending = () => {}
  const query = (statement: unknown, ...rest: unknown[]): unknown => {
    const run = () => (client.query as (...given: unknown[]) => unknown)(statement, ...rest)
    const struck = pending
    pending = () => {}
    struck()
    const text = textOf(statement)
    if (!writes(text)) {
      points.alive()
      return run()
    }
    wrote = true
    if (typeof statement === 'object' && 'submit' in (statement as object)) {
      const copy = points.point(short(text))
      copy.before()
      pending = copy.after
      return run()
    }
    return points.around(short(text), run as () => Promise<unknown>)
  }
  const watched = new Proxy(client, {
    get(of, name) {
      if (name === 'query') return query
      const found = Reflect.get(of, name, of) as unknown
      return typeof found === 'function' ? found.bind(of) : found
    },
  })
  return {
    client: watched,
    wrote() {
      pending()
      return wrote
    },
  }
}

/** The key store, with a point at each signature; `signed` is told of each before the point is over. */
export function signingWithPoints(keys: KeyStore, points: Points, signed: (octets: Uint8Array) => void): KeyStore {
  const sign: KeyStore['sign'] = (label, octets) =>
    points.aroundAtOnce(`sign with ${label}`, () => {
      const signature = keys.sign(label, octets)
      signed(octets)
      return signature
    })
  return new Proxy(keys, {
    get(of, name) {
      if (name === 'sign') return sign
      const found = Reflect.get(of, name, of) as unknown
      return typeof found === 'function' ? found.bind(of) : found
    },
  })
}

/** The signer's marks, with a point at each write of a file. */
export function marksWithPoints(marks: Marks, points: Points): Marks {
  const mark = <Value>(name: string, of: Mark<Value>): Mark<Value> => ({
    read: () => of.read(),
    write: value => points.aroundAtOnce(`write the mark ${name}`, () => of.write(value)),
  })
  return {
    journal: mark('journal', marks.journal),
    store: mark('store', marks.store),
    restored: mark('restored', marks.restored),
    list: key => mark('list', marks.list(key)),
    lists: () => marks.lists(),
  }
}

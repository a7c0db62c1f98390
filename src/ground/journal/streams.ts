/** Reading streams side by side: looking one ahead, and merging two that ascend. */

export type Stream<T> = Iterable<T> | AsyncIterable<T>

/** A stream of which the next value can be seen before it is taken; `undefined` is its end. */
export interface LookAhead<T> {
  peek(): Promise<T | undefined>
  take(): Promise<T | undefined>
  /** Lets the stream release what it holds. */
  close(): Promise<void>
}

export function lookAhead<T>(stream: Stream<T>): LookAhead<T> {
  const iterator = Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]()
  let seen: { value: T | undefined } | undefined
  const peek = async () => {
    if (seen === undefined) {
      const { done, value } = await iterator.next()
      seen = { value: done ? undefined : value }
    }
    return seen.value
  }
  return {
    peek,
    async take() {
      const value = await peek()
      // The end stays the end.
      if (value !== undefined) seen = undefined
      return value
    },
    async close() {
      await iterator.return?.()
    },
  }
}

/** Both streams as one, by size; each is already in that order. */
export async function* ascending<T extends { readonly size: number }>(
  a: Stream<T>,
  b: Stream<T>,
): AsyncGenerator<T> {
  const [left, right] = [lookAhead(a), lookAhead(b)]
  for (;;) {
    const [l, r] = [await left.peek(), await right.peek()]
    const next = r === undefined || (l !== undefined && l.size <= r.size) ? left : right
    const value = await next.take()
    if (value === undefined) return
    yield value
  }
}

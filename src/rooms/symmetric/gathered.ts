/** Statements for many at once: what is asked of one connection in the same turn becomes one statement. */

/** What statements go to: a store, or one connection in a transaction. */
type Where = object

interface Waiting<In, Out> {
  readonly one: In
  readonly resolve: (out: Out) => void
  readonly reject: (cause: unknown) => void
}

/**
 * A function for one that is carried out for all who call it, of the same store or connection, before the event loop comes
 * round: the steps of many Devices that go on side by side then cost the statements of one. A connection carries out
 * statements in the order in which it was given them, so each caller still finds what it did before.
 * @param run for all of them; as many results, in their order, or none where nobody wants one. What it throws, all get
 */
export function gathered<W extends Where, In, Out>(
  run: (where: W, all: readonly In[]) => Promise<readonly Out[] | void>,
): (where: W, one: In) => Promise<Out> {
  const gatherings = new WeakMap<Where, Waiting<In, Out>[]>()
  return (where, one) =>
    new Promise((resolve, reject) => {
      const waiting = { one, resolve, reject }
      const gathering = gatherings.get(where)
      if (gathering) return void gathering.push(waiting)
      const all = [waiting]
      gatherings.set(where, all)
      setImmediate(() => {
        gatherings.delete(where)
        run(
          where,
          all.map(({ one }) => one),
        ).then(
          outs => {
            for (const [i, { resolve }] of all.entries()) resolve(outs?.[i] as Out)
          },
          cause => {
            for (const { reject } of all) reject(cause)
          },
        )
      })
    })
}

/** Which signer a single request goes to: those that go the same way are written down, signed and kept together. */

import { type Channel, ChannelBroken, NobodyListens } from '../../ground/channel.ts'

/** Two groups of a signer: one being issued, and one that forms meanwhile. */
const openAtMost = 64

/**
 * Asks the same signer as long as it has no more questions open than it can group; the others when it has, and when it
 * went away. Spread evenly, requests would come to each signer in groups half as large, and every group costs the store
 * the same. What was not asked because nobody listened is asked of the others.
 * @throws NobodyListens when none is there: nothing was issued. ChannelBroken when that is not known
 */
export function together<Question, Answer>(
  signers: readonly Pick<Channel<Question, Answer>, 'ask'>[],
  atMost = openAtMost,
): Pick<Channel<Question, Answer>, 'ask'> {
  const open = signers.map(() => 0)
  const places = [...signers.keys()]
  let first = 0

  const choose = (away: readonly number[]) => {
    const order = [...places.slice(first), ...places.slice(0, first)].filter(place => !away.includes(place))
    return order.find(place => open[place]! < atMost) ?? order.reduce((a, b) => (open[b]! < open[a]! ? b : a))
  }

  async function ask(question: Question, away: readonly number[]): Promise<Answer> {
    const place = choose(away)
    open[place]!++
    try {
      return await signers[place]!.ask(question)
    } catch (cause) {
      if (cause instanceof ChannelBroken && place === first) first = (first + 1) % signers.length
      const tried = [...away, place]
      if (cause instanceof NobodyListens && tried.length < signers.length) return ask(question, tried)
      throw cause
    } finally {
      open[place]!--
    }
  }

  return { ask: question => ask(question, []) }
}

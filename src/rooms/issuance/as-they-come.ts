/** Single requests: those that arrive while a group is being written form the next group. */

export interface Arrived<Question, Answer> {
  readonly question: Question
  readonly answer: (answer: Answer) => void
}

/** Questions of one group at most. */
const groupAtMost = 64

/** A second group is worth its commits from so many questions on. */
const secondAtLeast = 8

/**
 * What waits while a group is under way makes the next one larger, and each costs the store the same. When as many wait as
 * are under way, they go as a second group: the thread works on one while the other waits for the store.
 * @param issue answers every question of the group, and does not throw
 */
export function asTheyCome<Question, Answer>(
  issue: (group: readonly Arrived<Question, Answer>[]) => Promise<void>,
): (question: Question) => Promise<Answer> {
  const waiting: Arrived<Question, Answer>[] = []
  /** How many questions are in each group under way. */
  const working: number[] = []
  let scheduled = false

  const due = () =>
    waiting.length > 0 &&
    (working.length === 0 || (working.length === 1 && waiting.length >= Math.max(secondAtLeast, working[0]!)))

  async function work(): Promise<void> {
    const group = waiting.splice(0, groupAtMost)
    const size = group.length
    working.push(size)
    await issue(group)
    working.splice(working.indexOf(size), 1)
    begin()
  }

  function begin(): void {
    scheduled = false
    while (due()) void work()
  }

  return question =>
    new Promise(answer => {
      waiting.push({ question, answer })
      if (scheduled || !due()) return
      scheduled = true
      // One turn of the event loop: what came in the same packets is issued together.
      setImmediate(begin)
    })
}

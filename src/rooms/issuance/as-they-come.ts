/** Single requests: those that arrive while a group is being written form the next group. */

export interface Arrived<Question, Answer> {
  readonly question: Question
  readonly answer: (answer: Answer) => void
}

/** Questions of one group at most. */
const groupAtMost = 64

/**
 * One group at a time: what waits meanwhile makes the next one larger, and each costs the store the same.
 * @param issue answers every question of the group, and does not throw
 */
export function asTheyCome<Question, Answer>(
  issue: (group: readonly Arrived<Question, Answer>[]) => Promise<void>,
): (question: Question) => Promise<Answer> {
  let waiting: Arrived<Question, Answer>[] = []
  let working = false

  async function groups(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting.slice(0, groupAtMost)
      waiting = waiting.slice(groupAtMost)
      await issue(group)
    }
    working = false
  }

  return question =>
    new Promise(answer => {
      waiting.push({ question, answer })
      if (working) return
      working = true
      // One turn of the event loop: what came in the same packets is issued together.
      setImmediate(() => void groups())
    })
}

/** A circuit breaker: what failed again and again is left alone for a while, and then tried once. */

import type { Clock } from '../../clock.ts'

/** Milliseconds. After each failed trial the pause doubles, up to the longest. */
export interface Pauses {
  readonly first: number
  readonly longest: number
}

export class Breaker {
  readonly #clock: Clock
  readonly #pauses: Pauses
  #pause = 0
  #until = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, pauses: Pauses) {
    this.#clock = clock
    this.#pauses = pauses
  }

  /** When the next trial may be; undefined when one may be now. */
  openUntil(): Date | undefined {
    return this.#clock().getTime() < this.#until ? new Date(this.#until) : undefined
  }

  failed(): void {
    const { first, longest } = this.#pauses
    this.#pause = this.#pause === 0 ? first : Math.min(this.#pause * 2, longest)
    this.#until = this.#clock().getTime() + this.#pause
  }

  worked(): void {
    this.#pause = 0
    this.#until = Number.NEGATIVE_INFINITY
  }
}

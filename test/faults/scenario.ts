/** A scenario: something that writes, which is tried at every point of it, and must come out the same each time. */

import type { Acting, Stage } from './stage.ts'

/** @typeParam Given what is prepared: plain data, for another process too. */
export interface Scenario<Given = unknown> {
  readonly name: string
  /** What must be there before, new for each run. */
  prepare(stage: Stage): Promise<Given>
  /** What is broken off. */
  act(acting: Acting, given: Given): Promise<unknown>
  /** The program starts again, or somebody asks again: everything comes to its end. */
  finish(acting: Acting, given: Given): Promise<unknown>
  /** What must be so now, as the store itself says; throws when it is not. */
  check(stage: Stage, given: Given): Promise<void>
}

export const scenario = <Given>(one: Scenario<Given>): Scenario => one as Scenario

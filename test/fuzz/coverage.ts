/** Which characters of the sources have run, by V8's precise block coverage: what tells the fuzzer that an input is new. */

import { type InspectorNotification, type Profiler, Session } from 'node:inspector'

/** Of one script, a 1 for each character that has run. */
export type Ran = Map<string, Uint8Array>

export class Coverage {
  readonly #session = new Session()
  readonly #watches: RegExp
  readonly #seen: Ran = new Map()

  constructor(watches: RegExp) {
    this.#watches = watches
    this.#session.connect()
    this.#post('Profiler.enable')
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Whether anything ran since the last call that never ran before. It counts as seen only when it is `marked`. */
  fresh(): Ran | undefined {
    const ran = this.#take()
    for (const [url, of] of ran) {
      const seen = this.#seen.get(url)
      if (seen === undefined || of.length > seen.length) return ran
      for (let i = 0; i < of.length; i++) if (of[i] === 1 && seen[i] === 0) return ran
    }
    return undefined
  }

  mark(ran: Ran): void {
    for (const [url, of] of ran) {
      const seen = this.#seen.get(url)
      if (seen === undefined || of.length > seen.length) {
        if (seen) for (let i = 0; i < seen.length; i++) of[i]! |= seen[i]!
        this.#seen.set(url, of)
      } else for (let i = 0; i < of.length; i++) seen[i]! |= of[i]!
    }
  }

  /** Nothing has been seen. */
  forget(): void {
    this.#take()
    this.#seen.clear()
  }

  /** What ran since the last call. V8 tells ranges, outer before inner; one that differs from what is around it wins. */
  #take(): Ran {
    const all: Ran = new Map()
    for (const { url, functions } of this.#scripts()) {
      if (!this.#watches.test(url)) continue
      const length = functions.reduce((most, { ranges }) => Math.max(most, ranges[0]?.endOffset ?? 0), 0)
      const ran = new Uint8Array(length)
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset)
      all.set(url, ran)
    }
    return all
  }

  /** Characters that have run, and characters of the scripts that any of them are in. */
  get figures(): { covered: number; of: number; scripts: number } {
    let [covered, of] = [0, 0]
    for (const seen of this.#seen.values()) {
      of += seen.length
      for (const one of seen) covered += one
    }
    return { covered, of, scripts: this.#seen.size }
  }

  close(): void {
    this.#session.disconnect()
  }

  #scripts(): readonly Profiler.ScriptCoverage[] {
    const answer = this.#post('Profiler.takePreciseCoverage') as unknown as Profiler.TakePreciseCoverageReturnType
    return answer.result
  }

  /** The inspector of the own thread answers before `post` returns. */
  #post(method: string, parameters: object = {}): InspectorNotification<object> {
    let [fault, answer]: [Error | null, unknown] = [null, undefined]
    this.#session.post(method, parameters, (error: Error | null, result?: object) => {
      fault = error
      answer = result
    })
    if (fault) throw fault
    return answer as InspectorNotification<object>
  }
}

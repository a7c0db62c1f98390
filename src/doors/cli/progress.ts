/** A progress bar for people who wait longer than a second; for everything else, silence. */

export interface Progress {
  /** So much is done now. */
  at(done: number): void
  /** Clears the line. */
  end(): void
}

export interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const width = 30
const patienceMs = 1000
const everyMs = 100

/** Draws on a terminal only, and only from the second second on. @param now milliseconds that never go back */
export function progress(
  what: string,
  total: number,
  terminal: Terminal = process.stderr,
  now = () => performance.now(),
): Progress {
  const began = now()
  let drawn = 0
  const draw = (done: number, at: number) => {
    const share = total === 0 ? 1 : Math.min(1, done / total)
    const bar = '█'.repeat(Math.round(share * width)).padEnd(width, '·')
    const seconds = (at - began) / 1000
    const rate = done / seconds
    const left = rate > 0 ? ` ${Math.ceil((total - done) / rate)} s left` : ''
    const line = `${what} ${bar} ${done.toLocaleString('en-GB')} of ${total.toLocaleString('en-GB')}, ${Math.round(rate).toLocaleString('en-GB')}/s${left}`
    terminal.write(`\r\x1b[K${line.slice(0, (terminal.columns ?? 100) - 1)}`)
  }
  return {
    at(done) {
      const at = now()
      if (!terminal.isTTY || at - began < patienceMs || at - drawn < everyMs) return
      drawn = at
      draw(done, at)
    },
    end() {
      if (drawn > 0) terminal.write('\r\x1b[K')
    },
  }
}

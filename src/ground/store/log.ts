/** The server's own log: a file of bounded size. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { copyFile, truncate } from 'node:fs/promises'

export interface ServerLog {
  /** For the server to write to; it appends, so that the file can be cut under it. */
  readonly descriptor: number
  /** Cuts a file that has grown past its limit, and keeps what was cut as `<path>.1` if the disk has room for it. */
  bound(): Promise<void>
  /** What was written since the log was opened, its last 2,000 octets. */
  tail(): string
  close(): void
}

/** The limit defends the disk against a server that repeats one complaint for weeks. */
export function openLog(path: string, limit = 8 * 2 ** 20): ServerLog {
  const descriptor = openSync(path, 'a+', 0o600)
  const start = fstatSync(descriptor).size
  const log: ServerLog = {
    descriptor,
    bound: async () => {
      if (fstatSync(descriptor).size <= limit) return
      try {
        await copyFile(path, `${path}.1`)
      } finally {
        await truncate(path)
      }
    },
    tail: () => {
      const { size } = fstatSync(descriptor)
      const octets = Buffer.alloc(Math.min(2000, Math.max(0, size - start)))
      readSync(descriptor, octets, 0, octets.length, size - octets.length)
      return octets.toString().trim()
    },
    close: () => closeSync(descriptor),
  }
  return log
}

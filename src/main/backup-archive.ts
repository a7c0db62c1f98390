/** The archive beside a running service: its store's log, and the signer's marks, copied every few seconds. */

import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { archive, keepForArchive, keepNoMore } from '../ground/store/wal-archive.ts'
import type { Settings } from '../policy/settings.ts'
import { notOurs } from './backup.ts'
import type { Home } from './home.ts'
import type { OpenedStore } from './world.ts'

/** The log, and the marks, below the folder that the settings name. */
export const walFolder = (archive: string): string => join(archive, 'wal')
export const marksFolder = (archive: string): string => join(archive, 'marks')

/** Everything that was committed before it is called is in the archive when it returns. */
export async function archiveNow(opened: Pick<OpenedStore, 'store'>, home: Home, folder: string): Promise<void> {
  // The marks first: what they know of is in the log that follows.
  await cp(home.marks, marksFolder(folder), { recursive: true, force: true }).catch(unlessNone)
  await archive(opened.store, join(home.store, 'data'), walFolder(folder))
}

/**
 * Archives until it is closed; then once more. A turn that failed is told and tried again: the server keeps what is not
 * archived.
 * @throws Refusal BACKUP_NOT_OURS
 */
export async function startArchive(
  opened: OpenedStore,
  home: Home,
  { archive: folder, everySeconds }: Settings['backup'],
  tell: (fault: string) => void,
): Promise<{ close(): Promise<void> }> {
  if (folder === null) {
    if (typeof opened.target !== 'string') await keepNoMore(opened.store)
    return { close: async () => {} }
  }
  if (typeof opened.target === 'string') throw notOurs()
  await keepForArchive(opened.store)
  let closed = false
  let wake = () => {}
  const run = async () => {
    while (!closed) {
      await archiveNow(opened, home, folder).catch((cause: Error) => tell(cause.message))
      await new Promise<void>(resolve => {
        wake = resolve
        setTimeout(resolve, everySeconds * 1000).unref()
      })
    }
  }
  const running = run()
  return {
    async close() {
      closed = true
      wake()
      await running
      await archiveNow(opened, home, folder).catch((cause: Error) => tell(cause.message))
    },
  }
}

function unlessNone(cause: NodeJS.ErrnoException): void {
  if (cause.code !== 'ENOENT') throw cause
}

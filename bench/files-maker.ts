/** Makes one file of the Repository in a process of its own, whose memory is looked at meanwhile. */

import { type Connection, openStore } from '../src/ground/store/store.ts'
import { homeAt, loadSettings } from '../src/main/home.ts'
import { makingOf } from '../src/main/repository-files.ts'
import { systemClock } from '../src/main/world.ts'
import { type FileKind, makeFile, type RepositoryFile } from '../src/rooms/repository/files/make.ts'
import { answerParent } from './child.ts'

export interface FileOrder {
  readonly home: string
  readonly target: Connection | string
  /** Where the file goes. */
  readonly folder: string
  readonly kind: FileKind
  readonly until: Date
}

export interface FileMade {
  readonly file: RepositoryFile
  readonly seconds: number
  readonly cpuSeconds: number
  readonly memoryBeforeMiB: number
  readonly peakMemoryMiB: number
}

answerParent(async ({ home: path, target, folder, kind, until }: FileOrder): Promise<FileMade> => {
  const home = homeAt(path)
  const store = await openStore(target, { max: 2 })
  try {
    const making = { ...(await makingOf({ store, clock: systemClock }, home, loadSettings(home))), folder }
    const memoryBeforeMiB = process.memoryUsage.rss() / 2 ** 20
    const cpu = process.cpuUsage()
    const began = performance.now()
    const file = await makeFile(making, kind, until)
    if (!file) throw new Error('a file that reaches as far is there already')
    const { user, system } = process.cpuUsage(cpu)
    return {
      file,
      seconds: (performance.now() - began) / 1000,
      cpuSeconds: (user + system) / 1e6,
      memoryBeforeMiB,
      peakMemoryMiB: process.resourceUsage().maxRSS / 1024,
    }
  } finally {
    await store.close()
  }
})

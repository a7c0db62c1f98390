/** `smki backup`: a backup of an environment while it works, or while it does not. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { Refusal } from '../../ground/refusal.ts'
import { damaged } from '../../ground/store/digests.ts'
import { backup, manifestOf, notOurs } from '../backup.ts'
import { loadSettings } from '../home.ts'
import { openHomeStore, systemClock } from '../world.ts'
import { exitCodes, homeOf, type Io, json } from './context.ts'

export function addBackup(program: Command, io: Io): void {
  program
    .command('backup')
    .description('copy the store and the home of an environment, while the service works')
    .argument('[file]', 'the folder that holds the backups; by default backup.archive of the settings')
    .option('--check', 'look through a backup instead: whether every file is what it was')
    .option('--json', 'one JSON object')
    .action(async (folder: string | undefined, flags: { check?: true; json?: true }, command: Command) => {
      if (flags.check) return check(io, folder)
      const home = homeOf(command)
      const settings = loadSettings(home)
      if (process.env.DATABASE_URL) throw notOurs()
      const into = folder ?? settings.backup.archive
      if (into === null)
        throw new Refusal('BACKUP_NOWHERE', 'say into which folder, or set backup.archive in the configuration')
      const opened = await openHomeStore(home, { share: true, max: 2 })
      try {
        const made = await backup(
          { home, settings, store: opened.store, target: opened.target, clock: systemClock },
          resolve(into),
        )
        const { files, journal, lists, madeAt } = made.manifest
        const octets = files.reduce((sum, one) => sum + one.octets, 0)
        if (flags.json) return json(io, { path: made.path, madeAt, files: files.length, octets, journal, lists })
        io.out(`${made.path}\n${files.length} files, ${(octets / 2 ** 20).toFixed(1)} MiB\n`)
        io.out(`The journal had ${journal.size} entries. Passphrases are not in it: keep them elsewhere.\n`)
      } finally {
        await opened.close()
      }
      return undefined
    })
}

async function check(io: Io, folder: string | undefined): Promise<void> {
  if (folder === undefined || !existsSync(folder)) throw new Refusal('BACKUP_NOWHERE', 'say which backup')
  const { files, madeAt, environment } = await manifestOf(folder)
  const faults = await damaged(folder, files)
  for (const fault of faults) io.err(`BACKUP_DAMAGED: ${fault}\n`)
  io.out(`${environment}, ${madeAt}: ${files.length} files, ${faults.length} not as they were\n`)
  io.exit(faults.length === 0 ? exitCodes.ok : exitCodes.no)
}

/** `smki restore`: an environment from its backup, at the latest moment or at one before. */

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { Refusal } from '../../ground/refusal.ts'
import { loadSettings } from '../home.ts'
import { newestBackup, restore } from '../restore.ts'
import { homeOf, type Io, json, wholeNumber } from './context.ts'

interface Flags {
  readonly backup?: string
  readonly to?: Date
  readonly timeline?: number
  readonly json?: true
}

export function addRestore(program: Command, io: Io): void {
  program
    .command('restore')
    .description('put the store of an environment back; the service must stand still')
    .argument('[file]', 'the folder that holds backups and archive; by default backup.archive of the settings')
    .option('--backup <folder>', 'which backup; by default the newest from before the moment')
    .option('--to <instant>', 'the moment, as 2026-11-20T11:05:00Z; without it, the latest', instant)
    .option(
      '--timeline <number>',
      'where the store was restored before: which of its timelines to follow',
      wholeNumber,
    )
    .option('--json', 'one JSON object')
    .action(async (folder: string | undefined, flags: Flags, command: Command) => {
      const home = homeOf(command)
      const archive = folder === undefined ? loadSettings(home).backup.archive : resolve(folder)
      if (archive === null || !existsSync(archive))
        throw new Refusal('BACKUP_NOWHERE', 'say where the backups are, or set backup.archive in the configuration')
      const { to, timeline } = flags
      const from = flags.backup === undefined ? await newestBackup(archive, to) : resolve(flags.backup)
      const done = await restore(home, {
        from,
        ...(existsSync(join(archive, 'wal')) && { archive }),
        ...(to && { to }),
        ...(timeline !== undefined && { timeline }),
      })
      if (flags.json) return json(io, { ...done, manifest: undefined, backup: from })
      io.out(`The store is restored from ${from}\n`)
      io.out(
        done.last
          ? `Its last transaction is of ${done.last.toISOString()}\n`
          : 'Nothing was committed since the backup\n',
      )
      if (done.aside !== undefined) io.out(`What was there before: ${done.aside}\n`)
      for (const path of done.files) io.out(`put back: ${path}\n`)
      for (const path of done.kept) io.out(`left as it is, it differs from the backup: ${path}\n`)
      io.out('Next: smki epoch\n')
      return undefined
    })
}

function instant(text: string): Date {
  const at = new Date(text)
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text) || Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('It is not an instant like 2026-11-20T11:05:00Z.')
  return at
}

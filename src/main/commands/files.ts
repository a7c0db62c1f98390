/** `smki files`: the files that Parties fetch by SFTP, made now or looked at. */

import type { Command } from 'commander'
import { Refusal } from '../../ground/refusal.ts'
import { type FileKind, filesOf, makeFile, type RepositoryFile } from '../../rooms/repository/files/make.ts'
import { makingOf } from '../repository-files.ts'
import { type Io, json, table, withStore } from './context.ts'

export function addFiles(program: Command, io: Io): void {
  const files = program.command('files').description('files of the SMKI Repository, for Parties to fetch by SFTP')

  files
    .command('make')
    .description('make the next file now, besides those that are made by themselves')
    .option('--delta', 'what changed since the last delta')
    .option('--full', 'every certificate, and the current lists')
    .option('--json', 'one JSON object')
    .action(async (flags: { delta?: true; full?: true; json?: true }, command: Command) => {
      if (Boolean(flags.delta) === Boolean(flags.full))
        throw new Refusal('FILE_KIND', 'say which file to make: --delta or --full')
      const kind: FileKind = flags.full ? 'FULL' : 'DELTA'
      await withStore(command, async ({ home, settings, hands }) => {
        const file = await makeFile(await makingOf(hands, home, settings), kind, hands.clock())
        if (!file) throw new Refusal('FILE_THERE', 'another program made this file just now: see `smki files list`')
        if (flags.json) return json(io, file)
        io.out(`${file.name}: ${size(file.octets)}, ${counted(file.records)}\nSHA-256 ${file.sha256}\n`)
        return undefined
      })
    })

  files
    .command('list')
    .description('the files that there are, newest first')
    .option('--json', 'one JSON array')
    .action(async (flags: { json?: true }, command: Command) => {
      await withStore(command, async ({ store }) => {
        const all = await filesOf(store)
        if (flags.json) return json(io, all)
        io.out(all.length === 0 ? 'There are no files yet: `smki files make --full` makes one.\n' : listed(all))
        return undefined
      })
    })
}

function listed(files: readonly RepositoryFile[]): string {
  const rows = files.map(file => [
    file.name,
    file.coversFrom ? minute(file.coversFrom) : 'the beginning',
    minute(file.coversUntil),
    String(file.records),
    size(file.octets),
  ])
  return table([['FILE', 'FROM', 'UNTIL (UTC)', 'RECORDS', 'SIZE'], ...rows])
}

/** A first delta begins before everything. */
function minute(at: Date): string {
  return at.getTime() === 0 ? 'the beginning' : at.toISOString().slice(0, 16).replace('T', ' ')
}

function size(octets: number): string {
  if (octets < 1024) return `${octets} octets`
  return octets < 2 ** 20 ? `${Math.ceil(octets / 1024)} KiB` : `${(octets / 2 ** 20).toFixed(1)} MiB`
}

function counted(records: number): string {
  return records === 1 ? '1 record' : `${records} records`
}

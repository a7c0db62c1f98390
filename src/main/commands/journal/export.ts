/** `smki journal export`: the journal as static files, for a web server, an auditor, or one who keeps a copy. */

import type { Command } from 'commander'
import { type Progress, progress } from '../../../doors/cli/progress.ts'
import { exportLog } from '../../../ground/journal/export.ts'
import type { LogFiles } from '../../../ground/journal/files.ts'
import { publishedFiles } from '../../../ground/journal/published.ts'
import { homeOf, type Io, json, withStore } from '../context.ts'
import { counted, filesAt, logKeys, notTrusted, type SourceFlags } from './source.ts'

export function addExport(journal: Command, io: Io): void {
  journal
    .command('export')
    .description('write the journal as static files; again and again into one folder, which only ever grows')
    .argument('<folder>', 'where the files lie; what a checkpoint there promises must be kept')
    .option('--from <log>', 'copy the log of that address or folder instead of the environment')
    .option('--key <file>', "the log's verifier key; by default the environment's")
    .option('--ca <file>', 'authority of the TLS certificate at the address, PEM')
    .option('--json', 'one JSON object')
    .action(async (folder: string, flags: SourceFlags & { json?: true }, command: Command) => {
      const keys = logKeys(command, flags.key)
      let bar: Progress | undefined
      const onFile = (done: number, of: number) => {
        bar ??= progress('writing files', of)
        bar.at(done)
      }
      const write = (from: LogFiles) => exportLog(from, folder, keys, onFile)
      const written = await (flags.from === undefined
        ? withStore(command, ({ store }) => write(publishedFiles(store)))
        : write(filesAt(flags.from, flags.ca))
      ).catch(cause => {
        throw notTrusted(cause)
      })
      bar?.end()
      if (flags.json) return json(io, { folder, ...written })
      const before = written.before === 0 ? '' : ` (${written.before.toLocaleString('en-GB')} before)`
      io.out(`${counted(written.size, 'entry is', 'entries are')} in ${folder}${before}; `)
      io.out(`${counted(written.files, 'file', 'files')} written\n`)
      io.out(`Next: smki journal verify --from ${folder} --key ${flags.key ?? homeOf(command).journalKey}\n`)
    })
}

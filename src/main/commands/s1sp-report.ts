/** `smki s1sp-report …`: how an SMKI comes to read the report of an S1SP; two files, exchanged and compared by people. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { loadSettings, privateFolder } from '../home.ts'
import { loadConfig, s1spHomeAt } from '../s1sp.ts'
import { admitReader, readAs, readerSchema, sourceSchema } from '../s1sp-report-door.ts'
import { ask, readerTls, reportSources, reportsFiles } from '../s1sp-reports.ts'
import { homeOf, type Io, json, wholeNumber } from './context.ts'

export function addS1spReport(program: Command, io: Io): void {
  const group = program.command('s1sp-report').description('the SMKI reads the report of an S1SP over mutual TLS')

  group
    .command('reader')
    .description('at the SMKI: say who reads; the file goes to the S1SP')
    .requiredOption('--out <file>', 'where to write it')
    .action(({ out }: { out: string }, command: Command) => {
      const home = homeOf(command)
      const { environment: name } = loadSettings(home)
      privateFolder(reportsFiles(home).sources)
      const { authority, fingerprint } = readerTls(home, name)
      writeFileSync(out, `${JSON.stringify({ name, authority, certificates: [fingerprint] }, null, 2)}\n`)
      io.out(`${out} says who reads. Next, at the S1SP: smki s1sp-report admit --reader ${out}\n`)
    })

  group
    .command('admit')
    .description('at the S1SP: admit a reader; the file goes back to it')
    .requiredOption('--reader <file>', 'what the reader says of itself')
    .requiredOption('--host <name>', 'name of the host that the S1SP listens on')
    .requiredOption('--port <number>', 'its port', wholeNumber)
    .requiredOption('--out <file>', 'where to write what the reader is told')
    .action((flags: { reader: string; host: string; port: number; out: string }, command: Command) => {
      const home = s1spHomeAt(homeOf(command).path)
      const { name } = loadConfig(home)
      const reader = readAs(readerSchema, readFileSync(flags.reader), 'READER_UNREADABLE', flags.reader)
      const source = admitReader(home.path, name, reader, flags)
      writeFileSync(flags.out, `${JSON.stringify(source, null, 2)}\n`)
      io.out(`${reader.name} may read the report at ${source.url}, from the next start of the S1SP on.\n`)
      io.out(`Next, at the SMKI: smki s1sp-report join ${flags.out}\n`)
    })

  group
    .command('join')
    .description('at the SMKI: read that S1SP’s report from now on')
    .argument('<file>', 'what the S1SP says of its report')
    .action((file: string, _: unknown, command: Command) => {
      const home = homeOf(command)
      const { sources } = reportsFiles(home)
      readerTls(home, loadSettings(home).environment)
      const source = readAs(sourceSchema, readFileSync(file), 'SOURCE_UNREADABLE', file)
      writeFileSync(join(sources, `${source.name}.json`), `${JSON.stringify(source, null, 2)}\n`, { mode: 0o600 })
      io.out(`The report of ${source.name} at ${source.url} stands on the Portal’s page within a minute.\n`)
    })

  group
    .command('show')
    .description('at the SMKI: ask every S1SP now')
    .action(async (_: unknown, command: Command) => {
      const home = homeOf(command)
      const tls = readerTls(home, loadSettings(home).environment)
      for (const source of reportSources(home)) {
        try {
          json(io, { name: source.name, report: await ask(source, tls) })
        } catch (cause) {
          json(io, { name: source.name, fault: (cause as Error).message })
        }
      }
    })
}

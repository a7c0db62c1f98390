/** `smki`: the command line. Exit codes: 0 done, 1 the answer is no, 2 not understood or not readable, 3 our fault. */

import { writeSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addLint } from '../doors/cli/lint.ts'

import { addVerify } from '../doors/cli/verify.ts'

import { Refusal } from '../ground/refusal.ts'
import { NotPem } from '../ground/x509/pem.ts'
import { version } from './build.ts'
import { addBackup } from './commands/backup.ts'
import { addBatch } from './commands/batch.ts'
import { addCertificate } from './commands/certificate.ts'
import { exitCodes, type Io } from './commands/context.ts'
import { addDco } from './commands/dco.ts'
import { addDemo } from './commands/demo.ts'
import { addDevelopments } from './commands/developments.ts'
import { addDevices } from './commands/devices.ts'
import { addDocuments } from './commands/documents.ts'
import { addEpoch } from './commands/epoch.ts'
import { addFiles } from './commands/files.ts'
import { addForecast } from './commands/forecast.ts'
import { addInit } from './commands/init.ts'
import { addJournal } from './commands/journal.ts'
import { addQuorum } from './commands/quorum.ts'
import { addRecovery } from './commands/recovery.ts'
import { addRegistration } from './commands/registration.ts'
import { addReport } from './commands/report.ts'
import { addRestore } from './commands/restore.ts'
import { addS1sp } from './commands/s1sp.ts'
import { addS1spReport } from './commands/s1sp-report.ts'
import { addServe } from './commands/serve.ts'
import { addSmets1 } from './commands/smets1.ts'
import { systemClock } from './world.ts'

export async function main(argv: readonly string[], io: Io): Promise<void> {
  const program = new Command('smki')
    .description('the keys of Great Britain’s smart meters')
    .version(version)
    .option('--home <folder>', 'the environment', process.env.SMKI_HOME || 'home')
    .showHelpAfterError('(smki help shows what there is)')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .addHelpText(
      'after',
      '\nExit codes: 0 done; 1 the answer is no; 2 not understood, or a file cannot be read; 3 a fault of ours.',
    )
  const commands = [
    addDemo,
    addInit,
    addServe,
    addDevices,
    addBatch,
    addCertificate,
    addLint,
    addVerify,
    addDocuments,
    addDevelopments,
    addFiles,
    addForecast,
    addReport,
    addJournal,
    addDco,
    addS1sp,
    addS1spReport,
    addSmets1,
    addRegistration,
    addQuorum,
    addRecovery,
    addBackup,
    addRestore,
    addEpoch,
  ]
  for (const add of commands) add(program, io)
  for (const command of everyCommand(program)) command.exitOverride().configureHelp({ showGlobalOptions: true })
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (cause) {
    io.exit(told(cause, io))
  }
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap(one => [one, ...everyCommand(one)])
}

/** Says what went wrong in words for people, and which exit code that is. */
function told(cause: unknown, io: Io): number {
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (cause instanceof Refusal) {
    io.err(`${cause.code}: ${cause.message}\n`)
    return exitCodes.no
  }
  const { code, path, message } = cause as NodeJS.ErrnoException
  if (
    cause instanceof NotPem ||
    (path !== undefined && ['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR'].includes(code ?? ''))
  ) {
    io.err(`cannot be read: ${message}\n`)
    return exitCodes.usage
  }
  io.err(`a fault of ours: ${process.env.SMKI_DEBUG ? (cause as Error).stack : message}\n`)
  return exitCodes.fault
}

/** Written at once: what was said stands, however the program ends. */
const write = (descriptor: 1 | 2) => (text: string) => {
  for (let octets = Buffer.from(text); octets.length > 0; ) {
    try {
      octets = octets.subarray(writeSync(descriptor, octets))
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      // A reader that went away (a closed pipe) wants no more; one that is slow is waited for.
      if (code === 'EPIPE') return
      if (code !== 'EAGAIN') throw cause
    }
  }
}

if (import.meta.main) {
  await main(process.argv.slice(2), {
    out: write(1),
    err: write(2),
    exit: code => {
      process.exitCode = code
    },
    clock: systemClock,
  })
}

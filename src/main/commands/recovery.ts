/** `smki recovery`: drills of the SMKI Recovery Procedure, and what is on record of recoveries and drills. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { progress } from '../../doors/cli/progress.ts'
import { startEmbedded } from '../../ground/store/embedded.ts'
import { migrate } from '../../ground/store/migrate.ts'
import { openStore } from '../../ground/store/store.ts'
import { toPem } from '../../ground/x509/pem.ts'
import { type ProcedureName, procedureNames, procedures } from '../../policy/recovery/cases.ts'
import { stepsOf } from '../../policy/recovery/settings.ts'
import type { Settings } from '../../policy/settings.ts'
import { type Counts, openIn } from '../../rooms/recovery/campaign.ts'
import { drills, dueDrills, recordDrill, writeLessons } from '../../rooms/recovery/drills.ts'
import { inventoryInFile, takeInventory } from '../../rooms/recovery/inventory.ts'
import { clockOf, howLong, type RecoveryReport, reportOf } from '../../rooms/recovery/report.ts'
import { type Heading, htmlOf, markdownOf, verdict } from '../../rooms/recovery/report-text.ts'
import { isMade, loadSettings, parseSettings } from '../home.ts'
import { type Drilled, drill } from '../recovery-drill.ts'
import { putFile } from '../recovery-exchange.ts'
import { drillFaults } from '../recovery-field.ts'
import { systemChance } from '../world.ts'
import { homeOf, type Io, json, table, wholeNumber, withStore } from './context.ts'
import { addCustodian } from './recovery-custodian.ts'
import { recoveringHere } from './recovery-here.ts'
import { addRecoveryLive } from './recovery-live.ts'
import { addRecoveryMake } from './recovery-make.ts'
import { addRecoveryWork } from './recovery-work.ts'

const migrations = new URL('../../ground/store/migrations/', import.meta.url)

export function addRecovery(program: Command, io: Io): void {
  const recovery = program
    .command('recovery')
    .description('the SMKI Recovery Procedure: live, as a drill, and on record')

  recovery
    .command('drill')
    .description('play a procedure from notification to report; time, people and Devices are simulated')
    .requiredOption('--case <name>', procedureNames.join(', '), procedureName)
    .option(
      '--devices <count>',
      'in the inventory; Relevant Devices are those that the case concerns',
      deviceCount,
      1000,
    )
    .option('--out <folder>', 'where the report is written', 'drill-report')
    .option('--no-faults', 'a network and Devices without fault')
    .action(async (flags: DrillFlags, command: Command) => runDrill(io, command, flags))

  recovery
    .command('drills')
    .description('drills on record, and which are due')
    .option('--json', 'one JSON object')
    .action(async ({ json: asJson }: { json?: true }, command: Command) => {
      await withStore(command, async ({ store, settings }) => {
        const held = await drills(store)
        const due = dueDrills(held, procedureNames, settings.recovery.drillMonths, io.clock())
        if (asJson) return json(io, { drills: held, due })
        io.out(
          table([
            ['DRILL', 'HELD', 'CASE', 'DEVICES', 'RECOVERED', 'LISTED', 'CLOCK', 'LESSONS'],
            ...held.map(one => [
              String(one.id),
              one.at.toISOString().slice(0, 10),
              one.procedure,
              String(one.devices),
              String(one.proven),
              String(one.listed),
              howLong(one.seconds * 1000),
              one.lessons === '' ? 'to be written' : 'written',
            ]),
          ]),
        )
        io.out('\n')
        io.out(
          table(
            due.map(one => [
              one.procedure,
              one.isDue ? 'DUE NOW' : `due ${one.due.toISOString().slice(0, 10)}`,
              procedures[one.procedure].says,
            ]),
          ),
        )
      })
    })

  recovery
    .command('lessons')
    .description('write down what was learnt in a drill')
    .requiredOption('--drill <number>', 'its number', wholeNumber)
    .requiredOption('--file <file>', 'text; it names nobody')
    .action(async ({ drill: number, file }: { drill: number; file: string }, command: Command) => {
      const lessons = readFileSync(file, 'utf8')
      await withStore(command, async ({ hands }) => {
        await writeLessons(hands, number, lessons)
        io.out(`The lessons of drill ${number} are on record.\n`)
      })
    })

  recovery
    .command('steps')
    .description('the steps of a procedure, in the order that is set')
    .requiredOption('--case <name>', procedureNames.join(', '), procedureName)
    .action(({ case: procedure }: { case: ProcedureName }, command: Command) => {
      const { recovery: rules } = settingsOf(command)
      io.out(`${procedure}: ${procedures[procedure].says}\n\n`)
      io.out(
        table([
          ['', 'PHASE', 'STEP', 'BY'],
          ...stepsOf(rules, procedure).map((one, i) => [String(i + 1), one.phase, one.action, one.actor]),
        ]),
      )
    })

  recovery
    .command('inventory')
    .description('take an inventory of Devices into the store, from which Relevant Devices are frozen')
    .argument('<file>', 'one Device a line, as JSON (docs/operations/recovery.md)')
    .action(async (file: string, _: object, command: Command) => {
      await recoveringHere(command, async ({ hands }) => {
        const count = await takeInventory(hands, inventoryInFile(file))
        io.out(`${count} Devices are in the inventory as ${file} has them.\n`)
      })
    })

  addRecoveryLive(recovery, io)
  addRecoveryWork(recovery, io)
  addCustodian(recovery, io)
  addRecoveryMake(recovery, io)

  recovery
    .command('report')
    .description('the report on a recovery that is on record')
    .requiredOption('--event <reference>', 'its reference')
    .option('--out <folder>', 'where the report is written', 'recovery-report')
    .action(async ({ event, out }: { event: string; out: string }, command: Command) => {
      await withStore(command, async ({ store, settings }) => {
        const report = await reportOf(store, event)
        const heading = { drill: false, environment: settings.environment, madeAt: io.clock() }
        const { files } = writeReport(report, heading, out)
        io.out(`${verdict(report)}\n${files.join('\n')}\n`)
      })
    })
}

interface DrillFlags {
  readonly case: ProcedureName
  readonly devices: number
  readonly out: string
  readonly faults: boolean
}

async function runDrill(io: Io, command: Command, flags: DrillFlags): Promise<void> {
  const settings = settingsOf(command)
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-drill-'))
  io.out(`Drill: ${procedures[flags.case].says}.\n\n`)
  try {
    const embedded = await startEmbedded(join(folder, 'store'), { chance: systemChance, temporary: true })
    const store = await openStore(embedded.connection, { max: 4 })
    try {
      await migrate(store, migrations)
      let bar: ReturnType<typeof progress> | undefined
      const shown = (counts: Counts) => {
        const all = Object.values(counts).reduce((a, b) => a + b, 0)
        bar ??= progress('Devices settled', all)
        bar.at(all - openIn(counts))
      }
      const begins = io.clock()
      const drilled = await drill({
        procedure: flags.case,
        devices: flags.devices,
        settings,
        store,
        folder,
        chance: systemChance,
        begins,
        faults: flags.faults ? drillFaults : {},
        progress: shown,
        tell: (step, at) => {
          bar?.end()
          bar = undefined
          const after = howLong(at.getTime() - begins.getTime())
          io.out(`${after.padStart(12)}  ${step}\n`)
        },
      })
      drilled.close()
      const heading = { drill: true, environment: settings.environment, madeAt: begins }
      const { markdown, files } = writeReport(drilled.report, heading, flags.out)
      files.push(writeFiles(drilled, flags.out))
      io.out(`\n${verdict(drilled.report)}\n\n${files.join('\n')}\n`)
      await record(io, command, drilled.report, flags, markdown)
    } finally {
      await store.close()
      await embedded.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** In the environment's own store and journal, where there is one. */
async function record(
  io: Io,
  command: Command,
  report: RecoveryReport,
  { case: procedure, devices }: DrillFlags,
  markdown: string,
): Promise<void> {
  if (!isMade(homeOf(command))) {
    io.out(`There is no environment in ${homeOf(command).path}: this drill is on no record but its report.\n`)
    return
  }
  const { proven, listed } = report.counts
  const seconds = Math.round((clockOf(report) ?? 0) / 1000)
  await withStore(command, async ({ hands }) => {
    const { id } = await recordDrill(hands, { procedure, devices, proven, listed, seconds }, markdown)
    io.out(
      `Recorded as drill ${id}. When its lessons are written: smki recovery lessons --drill ${id} --file FILE\n`,
    )
  })
}

/** The drill's signed progress files, and the certificates by which their signatures are verified. @returns the folder */
function writeFiles({ files, chain }: Drilled, out: string): string {
  const folder = join(resolve(out), 'files')
  mkdirSync(folder, { recursive: true })
  for (const file of files) putFile(folder, file)
  writeFileSync(join(folder, 'ikis.pem'), chain.map(one => toPem('CERTIFICATE', one.der)).join(''))
  return folder
}

function writeReport(report: RecoveryReport, heading: Heading, out: string): { markdown: string; files: string[] } {
  const folder = resolve(out)
  mkdirSync(folder, { recursive: true })
  const markdown = markdownOf(report, heading)
  const files = [join(folder, `${report.event.reference}.html`), join(folder, `${report.event.reference}.md`)]
  writeFileSync(files[0]!, htmlOf(report, heading))
  writeFileSync(files[1]!, markdown)
  return { markdown, files }
}

/** Those of the environment; of a test environment where there is none, so that a drill can be held anywhere. */
function settingsOf(command: Command): Settings {
  const home = homeOf(command)
  return isMade(home) ? loadSettings(home) : parseSettings('{"environment": "drill", "kind": "test"}', 'the drill')
}

/** With fewer, some kind of Device or of supplier would be missing. */
function deviceCount(text: string): number {
  const count = wholeNumber(text)
  if (count < 20) throw new InvalidArgumentError('A drill has 20 Devices at least.')
  return count
}

function procedureName(text: string): ProcedureName {
  const found = procedureNames.find(one => one === text)
  if (!found) throw new InvalidArgumentError(`It is one of ${procedureNames.join(', ')}.`)
  return found
}

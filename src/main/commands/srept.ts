/** `smki srept`: an organisation's entry process tests, planned, shown, run by a program, and completed. */

import { hash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Command } from 'commander'
import { minute } from '../../doors/cli/operator-words.ts'
import { Refusal } from '../../ground/refusal.ts'
import { homeAt, loadSettings } from '../home.ts'
import { running } from '../serve.ts'
import { automaticScenarios, runScenarios } from '../srept-run.ts'
import { systemChance } from '../world.ts'
import { exitCodes, type Io, table } from './context.ts'
import { asOfficer, asRecorded, type GivenFlags, given, type OfficerFlags, speaking } from './officer.ts'

interface Plan {
  readonly interfaces: readonly string[]
  readonly planned: string
  readonly completed?: string
  readonly scenarios: readonly { id: string; says: string; passed?: boolean; automatic?: boolean; at?: string }[]
}

interface RunFlags extends GivenFlags {
  readonly testHome: string
  readonly subscriber: string
  readonly out: string
}

export function addSrept(program: Command, io: Io): void {
  const group = program.command('srept').description('SMKI and Repository Entry Process Tests of an organisation')

  asOfficer(group.command('show'))
    .description('the plan, with the latest result of each scenario')
    .argument('<id>', 'number or short name of the organisation')
    .action(async (text: string, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const plan = await speak.get<Plan>(`/organisations/${await speak.party(text)}/srept`)
        await speak.tell(plan, () => inWords(plan, text, speak.tail))
      })
    })

  asRecorded(group.command('plan'))
    .description('set what the organisation is going to use, and so which scenarios it runs')
    .argument('<id>', 'number or short name of the organisation')
    .argument('<interfaces...>', 'PORTAL_ORG, PORTAL_DEVICE, ADHOC_WS, BATCH_WS, REPO_PORTAL, REPO_WS, REPO_SFTP')
    .action(async (text: string, interfaces: string[], flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/organisations/${await speak.party(text)}/srept`
        await speak.act('PUT', path, { interfaces, ...given(flags) })
        const plan = await speak.get<Plan>(path)
        await speak.tell(plan, () => inWords(plan, text, speak.tail))
      })
    })

  asRecorded(group.command('record'))
    .description('record the result of a scenario that a person watched')
    .argument('<id>', 'number or short name of the organisation')
    .argument('<scenario>', 'as smki srept show has it')
    .option('--failed', 'it was not passed')
    .action(async (text: string, scenario: string, flags: GivenFlags & { failed?: true }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/organisations/${await speak.party(text)}/srept/results`
        const done = await speak.act('POST', path, { scenario, passed: !flags.failed, ...given(flags) })
        await speak.tell(done, () => `${scenario} is recorded as ${flags.failed ? 'not passed' : 'passed'}.\n`)
      })
    })

  asRecorded(group.command('complete'))
    .description('ask that the completion be confirmed; the Panel is told when it is')
    .argument('<id>', 'number or short name of the organisation')
    .action(async (text: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const path = `/organisations/${await speak.party(text)}/srept/completion`
        const asked = await speak.act<{ task: number }>('POST', path, given(flags))
        await speak.tell(asked, async () => `Asked. ${await speak.next(asked.task)}`)
      })
    })

  asRecorded(group.command('run'))
    .description('run what a program can run of the plan against a test environment, and record what was seen')
    .argument('<id>', 'number or short name of the organisation')
    .requiredOption('--test-home <folder>', 'home of the running test environment')
    .option('--subscriber <name>', 'whose credentials there are shown', 'import-supplier')
    .option('--out <folder>', 'where the transcript is written', '.')
    .action((text: string, flags: RunFlags, command: Command) => run(io, text, flags, command))
}

async function run(io: Io, text: string, flags: RunFlags, command: Command): Promise<void> {
  const test = homeAt(flags.testHome)
  const settings = loadSettings(test)
  if (settings.kind !== 'test')
    throw new Refusal('NOT_A_TEST_ENVIRONMENT', `${test.path} is a production environment`)
  if (!/^[a-z0-9-]+$/.test(flags.subscriber)) throw new Refusal('NO_SUCH_PARTY', `${flags.subscriber} is no name`)
  await speaking(io, command, flags, async speak => {
    const party = await speak.party(text)
    const path = `/organisations/${party}/srept`
    const plan = await speak.get<Plan>(path)

    // 1. Run, against the test environment alone.
    const ports = running(test)?.ports
    const { results, transcript } = await runScenarios(
      {
        folder: join(test.credentials, flags.subscriber),
        host: settings.services.host,
        devicePort: ports?.device ?? settings.services.devicePort,
        repositoryPort: ports?.repository ?? settings.services.repositoryPort,
        adHocPath: settings.services.adHocPath,
        threshold: settings.issuing.deviceThreshold,
        clock: io.clock,
        chance: systemChance,
      },
      plan.scenarios.map(one => one.id),
    )

    // 2. Keep the transcript: its digest is the evidence of every result.
    const octets = `${JSON.stringify({ environment: settings.environment, party, transcript }, null, 2)}\n`
    const file = join(flags.out, `srept-${party}-${io.clock().toISOString().replace(/[:.]/g, '-')}.json`)
    writeFileSync(file, octets, { flag: 'wx' })
    const reference = `${basename(file)} sha256:${hash('sha256', octets)}`

    // 3. Record what was seen; what is recorded twice counts once, by its latest.
    const also = given(flags) as { evidence?: object[] }
    for (const { scenario, passed, words } of results) {
      const evidence = [{ kind: 'transcript', reference }, ...(also.evidence ?? [])]
      await speak.act('POST', `${path}/results`, { scenario, passed, automatic: true, words, ...also, evidence })
    }
    const after = await speak.get<Plan>(path)
    await speak.tell({ results, transcript: file, plan: after }, () => {
      const rows = results.map(one => [one.passed ? 'passed' : 'FAILED', one.scenario, one.words])
      return `${table([['', 'SCENARIO', 'SEEN'], ...rows])}The transcript is ${file}\n\n${inWords(after, text, speak.tail)}`
    })
    io.exit(results.every(one => one.passed) ? exitCodes.ok : exitCodes.no)
  })
}

function inWords(plan: Plan, of: string, tail: string): string {
  const open = plan.scenarios.filter(one => !one.passed)
  const rows = plan.scenarios.map(one => [
    one.passed === undefined ? 'open' : one.passed ? 'passed' : 'FAILED',
    one.id,
    one.automatic === undefined ? '' : one.automatic ? 'by a program' : 'by a person',
    one.at ? minute(one.at) : '',
    one.says,
  ])
  const head = `Interfaces: ${plan.interfaces.join(', ')}; planned ${minute(plan.planned)}\n`
  const byProgram = open.filter(one => automaticScenarios.includes(one.id)).length
  const byPerson = open.length - byProgram
  const next = plan.completed
    ? `Completed ${minute(plan.completed)}.\n`
    : open.length === 0
      ? `Every scenario is passed. Next: smki srept complete ${of}${tail}\n`
      : [
          `${open.length} of ${plan.scenarios.length} are open.\n`,
          byProgram > 0 ? `A program can run ${byProgram}: smki srept run ${of} --test-home FOLDER${tail}\n` : '',
          byPerson > 0
            ? `A person watches ${byPerson}: smki srept record ${of} SCENARIO --evidence 'log=REFERENCE'${tail}\n`
            : '',
        ].join('')
  return `${head}${table(rows)}${next}`
}

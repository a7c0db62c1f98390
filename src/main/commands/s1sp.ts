/** `smki s1sp …`: the S1SP of SMETS1 symmetric keys, from its set-up to its reports. Its home is a folder of its own. */

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { z } from 'zod'
import { readPassphraseFile } from '../../ground/keystore/passphrase.ts'
import { Refusal } from '../../ground/refusal.ts'
import { dcoPeerSchema, readPeer } from '../../rooms/symmetric/peers.ts'
import {
  approveCampaign,
  decisionForm,
  enterDecision,
  pauseCampaign,
  progressOf,
  resumeCampaign,
} from '../../rooms/symmetric/s1sp/campaign.ts'
import { compareJournals } from '../../rooms/symmetric/s1sp/compare.ts'
import { commissioned, keepAddresses, proveInherited, takeOn } from '../../rooms/symmetric/s1sp/devices.ts'
import { exposed } from '../../rooms/symmetric/s1sp/exposure.ts'
import { checkAll } from '../../rooms/symmetric/s1sp/lost.ts'
import { endNomination, nominate, openRecord } from '../../rooms/symmetric/s1sp/people.ts'
import { cannotBeReKeyed, exceptionList, overdue, standings } from '../../rooms/symmetric/s1sp/report.ts'
import { enterReview, reviewState } from '../../rooms/symmetric/s1sp/review.ts'
import { summaryOf } from '../../rooms/symmetric/s1sp/summary.ts'
import { deviceConnected, round } from '../../rooms/symmetric/s1sp/worker.ts'
import { initS1sp, joinDco, type OpenedS1sp, s1spHomeAt, serveS1sp, withS1sp } from '../s1sp.ts'
import { batchId, homeOf, type Io, json, table, wholeNumber } from './context.ts'

export function addS1sp(program: Command, io: Io): void {
  const s1sp = program.command('s1sp').description('the S1SP of SMETS1 symmetric keys, in a home of its own')
  addPrograms(s1sp, io)
  addDevices(s1sp, io)
  addReports(s1sp, io)
  addCampaigns(s1sp, io)
  addPeople(s1sp, io)
}

const homeFor = (command: Command) => s1spHomeAt(homeOf(command).path)
const within = <T>(command: Command, work: (opened: OpenedS1sp) => Promise<T>) => withS1sp(homeFor(command), work)

function addPrograms(s1sp: Command, io: Io): void {
  s1sp
    .command('init')
    .description('set an S1SP up: signing keys, transport key, TLS')
    .requiredOption('--name <name>', 'what the S1SP is called')
    .requiredOption('--title <hex>', 'system title of its APDUs, 8 octets')
    .option('--production', 'an S1SP of production: its Shared Key must be in a module')
    .option('--settings <file>', 'a JSON file with settings that differ from the defaults')
    .option('--passphrase-file <file>', 'passphrase of the key store')
    .action(async (flags: InitFlags, command: Command) => {
      const home = homeFor(command)
      const peer = await initS1sp(home, {
        name: flags.name,
        title: flags.title,
        kind: flags.production ? 'production' : 'test',
        ...(flags.settings !== undefined && { settings: readJson(flags.settings) as Record<string, unknown> }),
        ...(flags.passphraseFile !== undefined && { passphrase: readPassphraseFile(flags.passphraseFile) }),
      })
      io.out(`The S1SP ${peer.name} is in ${home.path}; what its DCO is told of it is in ${home.peer}.\n`)
      io.out(`Next, at the DCO: smki dco admit --peer ${home.peer}; then here: smki s1sp join --dco DCO.json\n`)
    })

  s1sp
    .command('join')
    .description('take what people were told of the DCO')
    .requiredOption('--dco <file>', 'what the DCO says of itself')
    .action((flags: { dco: string }, command: Command) => {
      const peer = readPeer(dcoPeerSchema, readFileSync(flags.dco))
      joinDco(homeFor(command), peer)
      io.out(`${peer.name} is the DCO, at ${peer.url}\n`)
    })

  s1sp
    .command('hsm-keys')
    .description('fetch the Shared Keys that wait at the DCO, import them, and prove it')
    .action((_: unknown, command: Command) =>
      within(command, async opened => {
        const taken = await opened.takeHsmKeys()
        io.out(taken.length === 0 ? 'none is waiting\n' : taken.map(label => `${label} is in use\n`).join(''))
      }),
    )

  s1sp
    .command('serve')
    .description('run the S1SP until it is stopped: what is commissioned is rotated')
    .option('--passphrase-file <file>', 'passphrase of the key store')
    .action(async ({ passphraseFile }: { passphraseFile?: string }, command: Command) => {
      const running = await serveS1sp(
        homeFor(command),
        passphraseFile === undefined ? {} : { passphrase: readPassphraseFile(passphraseFile) },
      )
      io.out(`  S1SP ${running.config.name} works\n`)
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void running.stop())
      await running.stopped
    })

  s1sp
    .command('round')
    .description('try every open rotation once, now')
    .action((_: unknown, command: Command) =>
      within(command, async ({ hands, integrate }) => {
        const { tried, by } = await round(hands, { now: true })
        await integrate()
        io.out(
          `${tried} tried: ${Object.entries(by)
            .map(([state, n]) => `${n} ${state}`)
            .join(', ')}\n`,
        )
      }),
    )
}

const addressesSchema = z.record(z.string(), z.strictObject({ host: z.string(), port: z.int(), server: z.int() }))

function addDevices(s1sp: Command, io: Io): void {
  s1sp
    .command('take-on')
    .description('take Devices on from the file of a previous holder of their keys')
    .requiredOption('--file <file>', 'as it came; it is not opened here')
    .option('--addresses <file>', 'JSON: { device: { host, port, server } }')
    .action((flags: { file: string; addresses?: string }, command: Command) =>
      within(command, async ({ hands, integrate }) => {
        const taken = await takeOn(hands, readFileSync(flags.file))
        if (flags.addresses !== undefined) {
          const addresses = addressesSchema.parse(readJson(flags.addresses))
          await keepAddresses(hands, new Map(Object.entries(addresses)))
        }
        await integrate()
        for (const { device, refused, cannot } of taken) {
          if (refused) io.out(`${device}  ${refused.code}: ${refused.says}\n`)
          else if (cannot) io.out(`${device}  ${cannot}\n`)
        }
        io.out(`${taken.filter(({ refused }) => !refused).length} of ${taken.length} Devices are taken on\n`)
      }),
    )

  s1sp
    .command('prove <devices...>')
    .description('associate with every client under the keys that were taken on: are they the Device’s?')
    .action((devices: string[], _: unknown, command: Command) =>
      within(command, async ({ hands }) => {
        for (const device of devices) {
          const answered = await proveInherited(hands, device)
          const shown = [...answered].map(([client, did]) => `${client} ${did ? 'yes' : 'NO'}`)
          io.out(`${device}  ${shown.join(', ')}\n`)
        }
      }),
    )

  s1sp
    .command('commissioned <devices...>')
    .description('Devices became Commissioned: their rotation opens, due in seven days from then')
    .option('--at <instant>', 'when, as recorded')
    .action((devices: string[], flags: { at?: string }, command: Command) =>
      within(command, async ({ hands }) => {
        const at = flags.at === undefined ? hands.clock() : instant(flags.at)
        io.out(`${await commissioned(hands, devices, at)} rotations opened\n`)
      }),
    )

  s1sp
    .command('connected <device>')
    .description('a Device has connected: its open rotation is tried at once')
    .action((device: string, _: unknown, command: Command) =>
      within(command, async ({ hands }) => {
        io.out(`${(await deviceConnected(hands, device)) ?? 'no rotation is open'}\n`)
      }),
    )

  s1sp
    .command('check')
    .description(
      'look at every key record: signatures here, seals at the DCO; what is lost is replaced or reported',
    )
    .action((_: unknown, command: Command) =>
      within(command, async ({ hands }) => {
        let found = 0
        const looked = await checkAll(hands, lost => {
          for (const { device, holder, type, how, can } of lost) {
            found++
            const next = can === 'rotate' ? 'a rotation was opened' : 'it cannot be replaced remotely'
            io.out(`${device}  ${holder}/${type}  ${how}: ${next}\n`)
          }
        })
        io.out(`${looked} Devices looked at, ${found} keys lost or corrupt\n`)
        if (found > 0) io.exit(1)
      }),
    )
}

function addReports(s1sp: Command, io: Io): void {
  s1sp
    .command('status')
    .description('how rotations after commissioning stand, by model; the review; what can never be re-keyed')
    .option('--json', 'one JSON object')
    .action((flags: { json?: true }, command: Command) =>
      within(command, async ({ hands }) => {
        const [models, review] = [await standings(hands), await reviewState(hands)]
        const [cannot, exceptions] = [await cannotBeReKeyed(hands), await exceptionList(hands)]
        if (flags.json) return json(io, { models, review, cannot, exceptions })
        io.out(standingsTable(models, hands.clock()))
        io.out(`Review of the risk: ${review.state}${review.due ? `, due ${review.due.toISOString()}` : ''}\n`)
        for (const { device, says } of cannot) io.out(`${device}  ${says}\n`)
      }),
    )

  s1sp
    .command('report')
    .description('campaigns, deadlines and what is unresolved, as one JSON report to hand over')
    .action((_: object, command: Command) => within(command, async ({ hands }) => json(io, await summaryOf(hands))))

  s1sp
    .command('overdue')
    .description('Devices whose seven days are over, or soon are, with each attempt that was made')
    .option('--within-hours <n>', 'those that become late within', wholeNumber, 0)
    .option('--json', 'one JSON object')
    .action((flags: { withinHours: number; json?: true }, command: Command) =>
      within(command, async ({ hands }) => {
        const late = await overdue(hands, flags.withinHours)
        if (flags.json) return json(io, late)
        for (const { device, due, state, attempts } of late) {
          io.out(`${device}  due ${due.toISOString()}  ${state}  ${attempts.length} attempts\n`)
          for (const { at, code } of attempts) io.out(`    ${at.toISOString()}  ${code}\n`)
        }
        io.out(`${late.length} Devices\n`)
      }),
    )

  s1sp
    .command('exposure')
    .description('what a compromise reaches, one line a key: the report for the SMKI PMA')
    .option('--of <part>', 'S1SP or DCO', 'S1SP')
    .option('--hsm-keys <labels>', 'or whoever has these HSM Keys, separated by commas')
    .action((flags: { of: string; hsmKeys?: string }, command: Command) =>
      within(command, async ({ hands }) => {
        const reach =
          flags.hsmKeys !== undefined ? { hsmKeys: flags.hsmKeys.split(',') } : flags.of === 'DCO' ? 'DCO' : 'S1SP'
        let keys = 0
        for await (const { device, holder, type, generation, record, hsmKey } of exposed(hands, reach)) {
          keys++
          io.out(`${device}  ${holder}/${type}  generation ${generation}  record ${record}  under ${hsmKey}\n`)
        }
        io.out(`${keys} keys\n`)
      }),
    )

  s1sp
    .command('compare')
    .description('lay our journal and the DCO’s side by side: each message stands in both')
    .option('--from <instant>', 'beginning of the span', '2000-01-01T00:00:00.000Z')
    .action((flags: { from: string }, command: Command) =>
      within(command, async ({ hands }) => {
        const found = await compareJournals(hands, instant(flags.from), new Date(hands.clock().getTime() - 10_000))
        io.out(`${found.inBoth} messages stand in both journals\n`)
        for (const id of found.oursOnly) io.out(`${id}  in ours only: no answer came, or it never arrived\n`)
        for (const id of found.theirsOnly) io.out(`${id}  in the DCO’s only: ALARM, we did not send it\n`)
        for (const id of found.otherType) io.out(`${id}  ALARM: acted upon as another message\n`)
        if (found.theirsOnly.length + found.otherType.length > 0) io.exit(1)
      }),
    )
}

function addCampaigns(s1sp: Command, io: Io): void {
  const campaign = s1sp.command('campaign').description('bulk rotation on instruction of the SMKI PMA')
  campaign
    .command('enter')
    .description('enter a decision; the list of Devices is frozen, and another person has to approve it')
    .requiredOption(
      '--form <file>',
      'JSON: decision, compromised, where, scope, keyTypes, by, masterKeysInQuestion',
    )
    .requiredOption('--by <person>', 'reference to the person')
    .action((flags: { form: string; by: string }, command: Command) =>
      within(command, async ({ hands }) => {
        const form = decisionForm.safeParse(readJson(flags.form))
        if (!form.success) throw new Refusal('FORM_INVALID', z.prettifyError(form.error))
        const { id, devices, warning } = await enterDecision(hands, form.data, flags.by)
        io.out(`campaign ${id}: ${devices} Devices; nothing starts until another person approves it\n`)
        if (warning) io.out(`${warning}\n`)
      }),
    )
  const one = (name: string, says: string) => campaign.command(`${name} <campaign>`).description(says)
  one('approve', 'by another person: it begins')
    .requiredOption('--by <person>', 'reference to the person')
    .action((id: string, { by }: { by: string }, command: Command) =>
      within(command, ({ hands }) => approveCampaign(hands, batchId(id), by)),
    )
  one('pause', 'no further Device is begun')
    .requiredOption('--why <text>', 'the reason')
    .action((id: string, { why }: { why: string }, command: Command) =>
      within(command, ({ hands }) => pauseCampaign(hands, batchId(id), why)),
    )
  one('resume', 'go on')
    .requiredOption('--by <person>', 'reference to the person')
    .option('--pace <n>', 'rotations a minute from now on', wholeNumber)
    .action((id: string, { by, pace }: { by: string; pace?: number }, command: Command) =>
      within(command, ({ hands }) => resumeCampaign(hands, batchId(id), by, pace)),
    )
  one('progress', 'against the frozen list').action((id: string, _: unknown, command: Command) =>
    within(command, async ({ hands }) => {
      const { state, ...counts } = await progressOf(hands, batchId(id))
      io.out(table([['state', state], ...Object.entries(counts).map(([name, n]) => [name, String(n)])]))
    }),
  )
}

function addPeople(s1sp: Command, io: Io): void {
  const person = s1sp.command('person').description('S1SP Privileged Persons, and their access to packages')
  person
    .command('nominate <person>')
    .requiredOption('--by <person>', 'who nominates')
    .action((name: string, { by }: { by: string }, command: Command) =>
      within(command, ({ hands }) => nominate(hands, name, by)),
    )
  person
    .command('end <person>')
    .requiredOption('--by <person>', 'who ends it')
    .action((name: string, { by }: { by: string }, command: Command) =>
      within(command, ({ hands }) => endNomination(hands, name, by)),
    )
  person
    .command('open-record <record>')
    .description('a key record as it is stored, for support; the access stands in the journal')
    .requiredOption('--person <person>', 'who asks')
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--ticket <ticket>', 'of the support case')
    .action((record: string, access: { person: string; reason: string; ticket: string }, command: Command) =>
      within(command, async ({ hands }) =>
        io.out(`${(await openRecord(hands, record, access)).toString('hex')}\n`),
      ),
    )
  const review = s1sp.command('review').description('the review of the risk, at most five years apart')
  review
    .command('done')
    .requiredOption('--on <instant>', 'when')
    .requiredOption('--evidence <reference>', 'what the SMKI PMA was given')
    .requiredOption('--by <person>', 'reference to the person')
    .action((flags: { on: string; evidence: string; by: string }, command: Command) =>
      within(command, ({ hands }) => enterReview(hands, instant(flags.on), flags.evidence, flags.by)),
    )
}

interface InitFlags {
  readonly name: string
  readonly title: string
  readonly production?: true
  readonly settings?: string
  readonly passphraseFile?: string
}

/** For people: one row a model, with the time that is left to the nearest deadline. */
export function standingsTable(models: Awaited<ReturnType<typeof standings>>, now: Date): string {
  const head = ['MODEL', 'DEVICES', 'ROTATED', 'UNRESOLVED', 'UNREACHABLE', 'CANNOT', 'OPEN', 'TIME LEFT']
  const rows = models.map(row => [
    row.model,
    ...[row.devices, row.rotated, row.unresolved, row.unreachable, row.cannot, row.open].map(String),
    row.nextDue === null ? '' : timeLeft(row.nextDue, now),
  ])
  return table([head, ...rows])
}

function timeLeft(due: Date, now: Date): string {
  const hours = Math.floor((due.getTime() - now.getTime()) / 3_600_000)
  const [days, rest] = [Math.floor(Math.abs(hours) / 24), Math.abs(hours) % 24]
  return `${hours < 0 ? 'late by ' : ''}${days} d ${rest} h`
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new Refusal('NOT_JSON', `${file} is not JSON`, { cause })
    throw cause
  }
}

function instant(text: string): Date {
  const at = new Date(text)
  if (Number.isNaN(at.getTime()))
    throw new Refusal('NOT_AN_INSTANT', `${text} is not an instant: 2026-11-20T09:00:00Z`)
  return at
}

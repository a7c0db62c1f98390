/** `smki dco …`: the DCO, from its ceremony to its door, and what its people do. Its home is a folder of its own. */

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { readPassphraseFile } from '../../ground/keystore/passphrase.ts'
import { assumptions } from '../../policy/settings.ts'
import { dcoSettingsSchema } from '../../policy/symmetric/dco-settings.ts'
import { confirmDecision, enterDecision } from '../../rooms/symmetric/dco/decisions.ts'
import { isSilent } from '../../rooms/symmetric/dco/environment.ts'
import { type Ceremony, makeDcoKey, makeSharedKey, openRenewal } from '../../rooms/symmetric/dco/hsm.ts'
import { hsmKeys } from '../../rooms/symmetric/dco/hsm-register.ts'
import type { Access } from '../../rooms/symmetric/dco/people.ts'
import { raiseByPerson, skipAfterRestore } from '../../rooms/symmetric/dco/raise.ts'
import { fingerprintOf } from '../../rooms/symmetric/hsm-package.ts'
import { readPeer, s1spPeerSchema } from '../../rooms/symmetric/peers.ts'
import { serveDco, withDco } from '../dco.ts'
import { dcoHomeAt, loadDcoSettings } from '../dco-home.ts'
import { admitS1sp, initDco, transportFingerprint } from '../dco-init.ts'
import { homeOf, type Io, json, table, wholeNumber } from './context.ts'

export function addDco(program: Command, io: Io): void {
  const dco = program.command('dco').description('the DCO of SMETS1 symmetric keys, in a home of its own')
  addPrograms(dco, io)
  addHsmKeys(dco, io)
  addPeople(dco, io)
}

function addPrograms(dco: Command, io: Io): void {
  withCeremony(dco.command('init'))
    .description('set a DCO up: signing keys, card holders, DCO Key, seal')
    .requiredOption('--name <name>', 'what the DCO is called')
    .option('--production', 'a DCO of production: its keys must be in a module')
    .option('--settings <file>', 'a JSON file with settings that differ from the defaults')
    .option('--passphrase-file <file>', 'passphrase of the key store')
    .action(async (flags: InitFlags, command: Command) => {
      const home = homeFor(command)
      const settings =
        flags.settings && (JSON.parse(readFileSync(flags.settings, 'utf8')) as Record<string, unknown>)
      const peer = await initDco(home, {
        name: flags.name,
        kind: flags.production ? 'production' : 'test',
        ceremony: ceremonyOf(flags),
        ...(settings && { settings }),
        ...(flags.passphraseFile !== undefined && { passphrase: readPassphraseFile(flags.passphraseFile) }),
      })
      io.out(`The DCO ${peer.name} is in ${home.path}; what others are told of it is in ${home.peer}.\n`)
      io.out(`Next: smki dco admit --home ${home.path} --peer S1SP.json\n`)
    })

  dco
    .command('serve')
    .description('run the DCO until it is stopped')
    .option('--passphrase-file <file>', 'passphrase of the key store')
    .action(async (flags: { passphraseFile?: string }, command: Command) => {
      const file = flags.passphraseFile
      const running = await serveDco(
        homeFor(command),
        file === undefined ? {} : { passphrase: readPassphraseFile(file) },
      )
      io.out(`  DCO ${running.settings.name}  https://${running.settings.door.host}:${running.port}\n`)
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void running.stop())
      await running.ended
    })

  dco
    .command('status')
    .description('HSM Keys, keys by stage, and whether the environment log is fed')
    .option('--json', 'one JSON object')
    .action(async (flags: { json?: true }, command: Command) => {
      const home = homeFor(command)
      await withDco(home, async ({ store, settings, clock }) => {
        const hsm = await hsmKeys(store)
        const { rows: keys } = await store.query<{ type: string; stage: string; count: bigint }>(
          'SELECT type, stage, count(*) AS count FROM dco_key GROUP BY type, stage ORDER BY type, stage',
        )
        const silent = isSilent(home.environmentLog, clock(), settings.feedMinutes)
        if (flags.json) return json(io, { hsm, keys, silent })
        const rows = hsm.map(row => [
          row.label,
          row.role,
          row.s1sp ?? '',
          row.proven_at ? 'in use' : 'not proven yet',
        ])
        io.out(table([['HSM KEY', 'ROLE', 'WITH', ''], ...rows]))
        io.out(table([['KEYS', 'STAGE', 'COUNT'], ...keys.map(row => [row.type, row.stage, String(row.count)])]))
        if (silent)
          io.out(`ALARM: the environment log has been silent for ${settings.feedMinutes} minutes or more\n`)
      })
    })

  dco
    .command('config')
    .description('the assumed values of a DCO, and which are at their defaults')
    .option('--json', 'one JSON object')
    .action((flags: { json?: true }, command: Command) => {
      const settings = loadDcoSettings(homeFor(command))
      const assumed = assumptions(settings, dcoSettingsSchema)
      if (flags.json) return json(io, { settings, assumed })
      const rows = assumed.map(one => [
        one.id,
        one.confidence,
        one.key,
        one.atDefault ? 'default' : 'set',
        one.says,
      ])
      io.out(table([['REGISTER', 'SURE', 'KEY', '', 'WHAT'], ...rows]))
    })

  withCeremony(dco.command('admit'))
    .description('take an S1SP on, and make the Shared Key with it')
    .requiredOption('--peer <file>', 'what the S1SP says of itself')
    .requiredOption('--fingerprint <hex>', 'of its transport key, as it was read out over another channel')
    .action(async (flags: CeremonyFlags & { peer: string; fingerprint: string }, command: Command) => {
      const peer = readPeer(s1spPeerSchema, readFileSync(flags.peer))
      const label = await admitS1sp(homeFor(command), peer, flags.fingerprint, ceremonyOf(flags))
      io.out(`${peer.name} is known from the next start on; the Shared Key is ${label}\n`)
    })

  dco
    .command('fingerprint')
    .description('of the transport key in a description of an S1SP')
    .requiredOption('--peer <file>', 'what the S1SP says of itself')
    .action((flags: { peer: string }) => {
      io.out(`${transportFingerprint(readPeer(s1spPeerSchema, readFileSync(flags.peer)))}\n`)
    })
}

function addHsmKeys(dco: Command, io: Io): void {
  withCeremony(dco.command('shared-key'))
    .description('make the next Shared Key with an S1SP')
    .requiredOption('--peer <file>', 'what the S1SP says of itself')
    .requiredOption('--fingerprint <hex>', 'of its transport key, as it was read out over another channel')
    .action(async (flags: CeremonyFlags & { peer: string; fingerprint: string }, command: Command) => {
      const { name, transportKey } = readPeer(s1spPeerSchema, readFileSync(flags.peer))
      const recipient = { name, transportKey: Buffer.from(transportKey, 'hex'), fingerprint: flags.fingerprint }
      const label = await withDco(homeFor(command), hands =>
        makeSharedKey(hands, ceremonyOf(flags), name, [recipient]),
      )
      io.out(`${label}\n`)
    })

  withCeremony(dco.command('dco-key'))
    .description('make the next DCO Key')
    .option('--module <name=file…>', 'another module of this DCO, and its transport key (DER)', collect, [])
    .action(async (flags: CeremonyFlags & { module: string[] }, command: Command) => {
      const recipients = flags.module.map(each => {
        const [name = '', file = ''] = each.split('=')
        const transportKey = readFileSync(file)
        return { name, transportKey, fingerprint: fingerprintOf(transportKey) }
      })
      io.out(`${await withDco(homeFor(command), hands => makeDcoKey(hands, ceremonyOf(flags), recipients))}\n`)
    })

  withCeremony(dco.command('renewal'))
    .description('let records be repackaged from older HSM Keys of a role to the newest')
    .requiredOption('--decision <reference>', 'of the SMKI PMA')
    .option('--s1sp <name>', 'the Shared Keys with that S1SP; otherwise the DCO Keys')
    .action(async (flags: CeremonyFlags & { decision: string; s1sp?: string }, command: Command) => {
      const which = { role: flags.s1sp ? 'Shared Key' : 'DCO Key', s1sp: flags.s1sp } as const
      await withDco(homeFor(command), hands => openRenewal(hands, ceremonyOf(flags), which, flags.decision))
      io.out('open\n')
    })
}

function addPeople(dco: Command, io: Io): void {
  const decision = dco.command('decision').description('decisions of the SMKI PMA on which keys may be made')
  withAccess(decision.command('enter'))
    .requiredOption('--reference <reference>', 'of the SMKI PMA')
    .option('--device <eui64…>', 'only for that Device; may be given again', collect, [])
    .option('--mks-in-question', 'Master Keys are thought compromised')
    .action(async (flags: DecisionFlags, command: Command) => {
      const { reference, device, mksInQuestion } = flags
      const devices = device.length > 0 ? device : undefined
      await withDco(homeFor(command), hands =>
        enterDecision(hands, accessOf(flags), { reference, devices, mksInQuestion: mksInQuestion === true }),
      )
      if (mksInQuestion) io.out(`${mksWarning}\n`)
      io.out('entered; another person confirms it\n')
    })
  withAccess(decision.command('confirm'))
    .requiredOption('--reference <reference>', 'of the SMKI PMA')
    .action(async (flags: AccessFlags & { reference: string }, command: Command) => {
      await withDco(homeFor(command), hands => confirmDecision(hands, accessOf(flags), flags.reference))
      io.out('confirmed\n')
    })

  const counters = dco.command('counters').description('invocation counters that only a person may move')
  withAccess(counters.command('skip'))
    .description('after the store was restored from a copy, before the DCO serves again')
    .action(async (flags: AccessFlags, command: Command) => {
      await withDco(homeFor(command), hands => skipAfterRestore(hands, accessOf(flags)))
      io.out('skipped\n')
    })
  withAccess(counters.command('raise'))
    .requiredOption('--stream <id>', 'device/client/GUEK/generation')
    .requiredOption('--title <hex>', 'the system title that we send under')
    .requiredOption('--next <n>', 'the next counter', wholeNumber)
    .action(async (flags: AccessFlags & { stream: string; title: string; next: number }, command: Command) => {
      const stream = { keyId: flags.stream, title: flags.title }
      await withDco(homeFor(command), hands => raiseByPerson(hands, accessOf(flags), stream, flags.next))
      io.out('raised\n')
    })
}

/** The decision form says it (smets1-keys.md section 6.4). */
const mksWarning =
  'A new key travels wrapped under the MK: rotation shuts out those who are not on the wire at the time, and no one else.'

const homeFor = (command: Command) => dcoHomeAt(homeOf(command).path)
const collect = (one: string, before: string[]) => [...before, one]

interface CeremonyFlags {
  readonly present: string
  readonly reason: string
  readonly ticket: string
  readonly agreement: string
}

interface InitFlags extends CeremonyFlags {
  readonly name: string
  readonly production?: true
  readonly settings?: string
  readonly passphraseFile?: string
}

interface AccessFlags {
  readonly by: string
  readonly reason: string
  readonly ticket: string
}

interface DecisionFlags extends AccessFlags {
  readonly reference: string
  readonly device: string[]
  readonly mksInQuestion?: true
}

function withCeremony(command: Command): Command {
  return command
    .requiredOption('--present <references>', 'card holders who are present, separated by commas')
    .requiredOption('--reason <words>', 'why')
    .requiredOption('--ticket <reference>', 'under which it is done')
    .requiredOption('--agreement <reference>', 'of the SMKI PMA to the way in which HSM Keys are distributed')
}

const ceremonyOf = ({ present, reason, ticket, agreement }: CeremonyFlags): Ceremony => ({
  present: present.split(',').map(each => each.trim()),
  reason,
  ticket,
  agreement,
})

function withAccess(command: Command): Command {
  return command
    .requiredOption('--by <reference>', 'the person, by reference')
    .requiredOption('--reason <words>', 'why')
    .requiredOption('--ticket <reference>', 'under which it is done')
}

const accessOf = ({ by, reason, ticket }: AccessFlags): Access => ({
  person: by,
  role: 'DCO operator',
  reason,
  ticket,
})

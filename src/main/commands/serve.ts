/** `smki serve`, `smki status` and `smki config`: the service of an environment, and what it is set to. */

import type { Command } from 'commander'
import { readPassphraseFile } from '../../ground/keystore/passphrase.ts'
import { hierarchies } from '../../policy/hierarchies.ts'
import { assumptions, type Settings } from '../../policy/settings.ts'
import { stockLevel } from '../../rooms/authority/stock.ts'
import { batches } from '../../rooms/issuance/batch.ts'
import { currentIntervals } from '../../rooms/repository/lists.ts'
import { type Home, loadSettings } from '../home.ts'
import { uniteShares } from '../quorum.ts'
import { type CustodyShown, custodyShown } from '../recovery-custody.ts'
import { running, type Service, serve } from '../serve.ts'
import { sshHostFingerprint } from '../ssh-host-key.ts'
import { homeOf, type Io, json, table, withStore } from './context.ts'

export function addServe(program: Command, io: Io): void {
  program
    .command('serve')
    .description('run the service of an environment until it is stopped')
    .option('--passphrase-file <file>', 'passphrase or PIN of the issuing key store')
    .option('--share <files...>', 'shares of enough holders of the issuing key store')
    .action(async (flags: { passphraseFile?: string; share?: readonly string[] }, command: Command) => {
      const home = homeOf(command)
      const { passphraseFile, share } = flags
      const passphrase = share
        ? await withStore(command, ({ hands }) => uniteShares(hands, home, 'issuing', share, 'serve'))
        : passphraseFile === undefined
          ? undefined
          : readPassphraseFile(passphraseFile)
      const service = await serve(home, passphrase === undefined ? {} : { passphrase })
      io.out(addresses(service.settings, service.ports))
      io.out(hostKey(home, service.ports))
      const open = assumptions(service.settings).filter(one => one.atDefault)
      io.out(`${open.length} assumed values are at their defaults (smki config --home ${home.path})\n`)
      stopOnSignals(service)
      await service.ended
    })

  program
    .command('status')
    .description('what the service is doing: addresses, stock of Issuing DCAs, lists, open batches')
    .option('--json', 'one JSON object')
    .action(async (flags: { json?: true }, command: Command) => {
      await withStore(command, async ({ home, settings, store, hands }) => {
        const run = running(home)
        const stock = await stockLevel(store, hierarchies(settings)['smki-device'].issuing.keyUse!)
        const lists = (await currentIntervals(store)).map(list => ({
          list: list.name,
          number: list.number,
          nextUpdate: list.nextUpdate,
          hoursLeft: Math.floor((list.nextUpdate.getTime() - hands.clock().getTime()) / 3_600_000),
        }))
        const open = (await batches(store)).filter(
          batch => !['COMPLETED', 'REJECTED', 'TAMPERED'].includes(batch.state),
        )
        const custody = await custodyShown(home, store)
        if (flags.json) return json(io, { running: run ?? null, stock, lists, open, custody })
        io.out(
          run
            ? `Running as process ${run.pid}\n${addresses(settings, run.ports)}${hostKey(home, run.ports)}`
            : 'Not running\n',
        )
        const low =
          stock.inStock <= settings.certificates.issuingDcaStockWarning
            ? ' (low: hold `smki ceremony issuing-dca`)'
            : ''
        io.out(
          `Issuing DCAs: ${stock.current ? `${stock.current.name} has ${stock.current.left} certificates left, ` : ''}${stock.inStock} in stock${low}\n`,
        )
        io.out(
          table([
            ['LIST', 'NUMBER', 'ENDS IN'],
            ...lists.map(list => [list.list, String(list.number), timeLeft(list.hoursLeft)]),
          ]),
        )
        io.out(`Open batches: ${open.length}\n`)
        io.out(custodyText(custody))
        return undefined
      })
    })

  program
    .command('config')
    .description(
      'the assumed values of an environment, and which are at their defaults (every setting with --json)',
    )
    .option('--json', 'one JSON object')
    .action((flags: { json?: true }, command: Command) => {
      const settings = loadSettings(homeOf(command))
      const assumed = assumptions(settings)
      if (flags.json) return json(io, { settings, assumed })
      const rows = assumed.map(one => [
        one.id,
        one.confidence,
        one.key,
        short(JSON.stringify(one.value)),
        one.atDefault ? 'default' : 'set',
        one.says,
      ])
      io.out(table([['REGISTER', 'SURE', 'KEY', 'VALUE', '', 'WHAT'], ...rows]))
      return undefined
    })
}

function short(text: string): string {
  return text.length > 48 ? `${text.slice(0, 47)}…` : text
}

/** Where the keys of recovery are kept, and by how many; nobody is named. */
function custodyText(custody: readonly CustodyShown[]): string {
  return table([
    ['KEPT BY CUSTODIANS', 'IN', 'OPENS WITH'],
    ...custody.map(({ thing, store, quorum }) => [
      thing,
      store === undefined
        ? 'the root key store: not apart'
        : thing === 'symmetric key' && quorum
          ? 'shares'
          : store,
      quorum ? `${quorum.needed} of ${quorum.of} shares` : 'a passphrase: not shared yet',
    ]),
  ])
}

function timeLeft(hours: number): string {
  return hours > 72 ? `${Math.floor(hours / 24)} days` : `${hours} hours`
}

export function addresses({ services }: Settings, ports: Readonly<Record<string, number>>): string {
  const at = (port: number) => `${services.host}:${port}`
  const lines = [
    `  Ad Hoc Device CSR web service   https://${at(ports.device!)}${services.adHocPath}`,
    `  Batched Device CSR web service  https://${at(ports.device!)}/1.0/PortalCSRBatch/`,
    `  SMKI Repository                 https://${at(ports.repository!)}/services/`,
    `  Operator API                    https://${at(ports.operator!)}/openapi.json`,
  ]
  if (ports.dccki !== undefined) lines.push(`  DCCKI                           https://${at(ports.dccki)}/dccki`)
  if (ports.portal !== undefined) lines.push(`  SMKI Portal, with a token       https://${at(ports.portal)}/`)
  if (ports.repositoryPortal !== undefined)
    lines.push(`  Repository Portal               https://${at(ports.repositoryPortal)}/`)
  if (ports.testPortal !== undefined)
    lines.push(`  Portal for newcomers            http://127.0.0.1:${ports.testPortal}/`)
  if (ports.plainRepository !== undefined)
    lines.push(`  … for Smart DCC's client        http://${at(ports.plainRepository)}/`)
  if (ports.sftp !== undefined) lines.push(`  files of the SMKI Repository    sftp://${at(ports.sftp)}/`)
  if (ports.metrics !== undefined)
    lines.push(`  metrics and health              http://${at(ports.metrics)}/health`)
  if (ports.journal !== undefined) lines.push(`  the journal, for everybody      https://${at(ports.journal)}/`)
  return `${lines.join('\n')}\n`
}

/** What Parties compare at their first login. */
function hostKey(home: Home, ports: Readonly<Record<string, number>>): string {
  return ports.sftp === undefined ? '' : `  … known by its host key         ${sshHostFingerprint(home)}\n`
}

export function stopOnSignals(service: Service): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void service.stop())
}

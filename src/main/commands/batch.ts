/** `smki batch` and `smki device-csr`: what a subscriber's system sends, and what the Registration Authority decides. */

import { createWriteStream, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { type Client, fields, openClient, readResult, textOf } from '../../doors/cli/client.ts'
import { resultPath, submitPath } from '../../doors/device-csr/batch.ts'
import { Refusal } from '../../ground/refusal.ts'
import { fromBase64, readPemOrDer, toPem } from '../../ground/x509/pem.ts'
import { batches, decideBatch } from '../../rooms/issuance/batch.ts'
import { parties } from '../../rooms/registration/parties.ts'
import { loadSettings } from '../home.ts'
import { running } from '../serve.ts'
import { batchId, exitCodes, homeOf, type Io, json, table, withStore } from './context.ts'

export function addBatch(program: Command, io: Io): void {
  const group = program.command('batch').description('Batched Device CSRs: submit, result, list, approve, reject')

  group
    .command('submit')
    .description('submit a SubmitCSRBatch document through the web service')
    .argument('<file>', 'the XML document, for example of `smki devices make`')
    .option('--as <party>', 'whose credential is shown', 'meter-maker')
    .option('--json', 'one JSON object')
    .action(async (path: string, flags: Flags, command: Command) => {
      if (path.endsWith('.zip'))
        throw new Refusal('NOT_A_BATCH', 'a zip is for the portal; the web service takes the .xml beside it')
      const file = await open(path)
      const answer = await speak(command, flags.as, 'batch-ws', client =>
        client.post(submitPath, file.createReadStream()).then(textOf),
      )
      const told = fields(answer)
      if (flags.json) json(io, told)
      else io.out(told.BatchId ? `accepted as batch ${told.BatchId}\n` : `${told.ErrorCode} ${told.ErrorText}\n`)
      io.exit(told.BatchId ? exitCodes.ok : exitCodes.no)
    })

  group
    .command('result')
    .description('ask for the result of a batch')
    .argument('<id>', 'the BatchId', batchId)
    .option('--as <party>', 'whose credential is shown', 'meter-maker')
    .option('--out <file>', 'write the CSRBatchResult document here')
    .option('--json', 'one JSON object')
    .action(async (id: bigint, flags: Flags & { out?: string }, command: Command) => {
      await speak(command, flags.as, 'batch-ws', async client => {
        const answer = await client.get(`${resultPath}?BatchId=${id}`)
        if (flags.out !== undefined) return pipeline(answer, createWriteStream(flags.out))
        const counts: Record<string, number> = {}
        const head = await readResult(answer, item => {
          const key = item.code === undefined ? item.status : `${item.status} ${item.code}`
          counts[key] = (counts[key] ?? 0) + 1
        })
        const { BatchStatus, BatchId, ErrorCode, ErrorText } = head
        if (flags.json) json(io, { BatchStatus, BatchId, ErrorCode, ErrorText, counts })
        else if (ErrorCode) io.out(`${ErrorCode} ${ErrorText}\n`)
        else
          io.out(
            `batch ${BatchId} is ${BatchStatus}\n${table(Object.entries(counts).map(([status, count]) => [`  ${status}`, String(count)]))}`,
          )
        return io.exit(ErrorCode ? exitCodes.no : exitCodes.ok)
      })
    })

  group
    .command('list')
    .description('the batches of the environment, newest first')
    .option('--json', 'one JSON object')
    .action(async (flags: Flags, command: Command) => {
      await withStore(command, async ({ store }) => {
        const found = await batches(store)
        if (flags.json) return json(io, found)
        if (found.length === 0) return io.out('no batches yet\n')
        const names = new Map((await parties(store)).map(party => [party.id, party.name]))
        const rows = found.map(one => [
          String(one.id),
          one.state,
          String(one.count),
          names.get(one.party)!,
          one.receivedAt.toISOString(),
          one.decidedBy ?? '',
          one.reason ?? '',
        ])
        io.out(table([['BATCH', 'STATE', 'CSRS', 'PARTY', 'RECEIVED', 'DECIDED BY', 'REASON'], ...rows]))
        return undefined
      })
    })

  for (const [name, approve, past] of [
    ['approve', true, 'approved'],
    ['reject', false, 'rejected'],
  ] as const) {
    group
      .command(name)
      .description(approve ? 'let a waiting batch go on' : 'refuse a waiting batch, for good')
      .argument('<id>', 'the BatchId', batchId)
      .requiredOption('--by <who>', 'reference of the member of the Registration Authority')
      .option('--reason <text>', 'for the record')
      .action(async (id: bigint, flags: { by: string; reason?: string }, command: Command) => {
        await withStore(command, ({ hands }) => decideBatch(hands, id, { approve, ...flags }))
        io.out(`batch ${id} is ${past}\n`)
      })
  }

  program
    .command('device-csr')
    .description('submit one Device CSR through the Ad Hoc web service, and print the certificate')
    .argument('<file>', 'PKCS#10, PEM or DER')
    .option('--as <party>', 'whose credential is shown', 'import-supplier')
    .option('--json', 'one JSON object')
    .action(async (file: string, flags: Flags, command: Command) => {
      const csr = readCsr(readFileSync(file))
      const message =
        '<?xml version="1.0" encoding="UTF-8"?><DeviceCertificateSigningRequest ID="smki-cli"><Version>1.0</Version>' +
        `<CertificateSigningRequest>${csr.toString('base64')}</CertificateSigningRequest></DeviceCertificateSigningRequest>`
      const { adHocPath } = loadSettings(homeOf(command)).services
      const told = fields(
        await speak(command, flags.as, 'adhoc-ws', client => client.post(adHocPath, message).then(textOf)),
      )
      if (flags.json) json(io, told)
      else if (told.Certificate) io.out(toPem('CERTIFICATE', Buffer.from(told.Certificate, 'base64')))
      else io.err(`${told.Status} ${told.ErrorCode}: ${told.ErrorText}\n`)
      io.exit(told.Certificate ? exitCodes.ok : exitCodes.no)
    })
}

/** PEM, DER, or base64 without boundaries, as it lies in a zip for the portal. @throws NotPem */
function readCsr(octets: Buffer): Buffer {
  const text = octets.toString('latin1').trim()
  if (/^[A-Za-z0-9+/=\s]+$/.test(text) && text.startsWith('MII')) return fromBase64(text)
  return readPemOrDer(octets, ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'])[0]!
}

interface Flags {
  readonly as: string
  readonly json?: true
}

/** Speaks to the running service of the environment with a Party's credential. */
async function speak<T>(
  command: Command,
  party: string,
  credential: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const home = homeOf(command)
  const { services } = loadSettings(home)
  if (!/^[a-z0-9-]+$/.test(party)) throw new Refusal('NO_SUCH_PARTY', `${party} is not the name of a Party`)
  const folder = join(home.credentials, party)
  const port = running(home)?.ports.device ?? services.devicePort
  const client = openClient({ folder, credential, host: services.host, port })
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

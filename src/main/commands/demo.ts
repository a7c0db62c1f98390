/** `smki demo`, which `npm start` runs: a complete test SMKI comes up, and a meter maker's batch goes through it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { makeBatchXml, makeMany, type OneOfMany } from '../../../simulator/batch.ts'
import { type Client, fields, openClient, readResult, textOf } from '../../doors/cli/client.ts'
import { progress } from '../../doors/cli/progress.ts'
import { askRepository } from '../../doors/cli/repository-client.ts'
import { resultPath, submitPath } from '../../doors/device-csr/batch.ts'
import { equal } from '../../ground/bytes.ts'
import { readPassphraseFile } from '../../ground/keystore/passphrase.ts'
import { Refusal } from '../../ground/refusal.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readRequest } from '../../ground/x509/request.ts'
import { hierarchies } from '../../policy/hierarchies.ts'
import { stockLevel } from '../../rooms/authority/stock.ts'
import { addIssuingDcas } from '../ceremony.ts'
import { type Home, isMade, loadSettings } from '../home.ts'
import { init } from '../init.ts'
import { openKeyStore } from '../key-stores.ts'
import { type Service, serve } from '../serve.ts'
import { openHomeStore, systemChance, systemClock } from '../world.ts'
import { exitCodes, homeOf, type Io, json, table, wholeNumber } from './context.ts'
import { addresses, stopOnSignals } from './serve.ts'

interface Flags {
  readonly devices: number
  readonly exit?: true
  readonly json?: true
}

export function addDemo(program: Command, io: Io): void {
  program
    .command('demo')
    .description('bring up a test SMKI and send a batch of simulated Devices through it')
    .option('--devices <n>', 'how many Devices; each asks for two certificates', wholeNumber, 100)
    .option('--exit', 'stop when the batch is done')
    .option('--json', 'one JSON object at the end')
    .action(async (flags: Flags, command: Command) => {
      const say = flags.json ? () => {} : io.out
      const home = homeOf(command)
      await prepare(home, 2 * flags.devices, say)
      const service = await serve(home)
      say(whereItIs(service))
      stopOnSignals(service)
      try {
        const story = await tell(home, service, flags.devices, say)
        if (flags.json) json(io, story)
        if (story.wrong > 0)
          throw new Refusal(
            'DEMO_FAILED',
            `${story.wrong} of ${story.requests} requests did not end as they should`,
          )
        if (!flags.exit) {
          say(nextSteps(home, service))
          await service.ended
        }
        io.exit(exitCodes.ok)
      } finally {
        await service.stop()
      }
    })
}

/** Makes the environment when there is none, and more Issuing DCAs when those there are cannot sign so many. */
async function prepare(home: Home, certificates: number, say: (text: string) => void): Promise<void> {
  if (!isMade(home)) {
    say(`No environment in ${home.path} yet: holding the key ceremony of a test environment.\n\n`)
    await init(home, {
      environment: 'demo',
      kind: 'test',
      with: [],
      settings: { services: { portalPort: 8446, repositoryPortalPort: 8449, testPortalPort: 8451 } },
      witness: line => /^(## (?!Assumed)|# |[A-Z][A-Za-z ]+:)/.test(line) && say(`  ${line}\n`),
    })
    say(`\nThe whole transcript is in ${home.ceremony}.\n\n`)
  }
  const settings = loadSettings(home)
  const keyUse = hierarchies(settings)['smki-device'].issuing.keyUse!
  const opened = await openHomeStore(home, { share: false, max: 2 })
  try {
    const { left } = await stockLevel(opened.store, keyUse)
    const missing = Math.ceil((certificates + 1000 - left) / keyUse.certificates)
    if (missing <= 0) return
    say(
      `The stock of Issuing DCAs cannot sign ${certificates} certificates: adding ${missing}, with the root key store.\n`,
    )
    const keys = {
      root: openKeyStore(home, settings, 'root', readPassphraseFile(home.rootPassphrase)),
      issuing: openKeyStore(home, settings, 'issuing', readPassphraseFile(home.issuingPassphrase)),
    }
    await addIssuingDcas(
      { store: opened.store, clock: systemClock, chance: systemChance },
      settings,
      keys,
      missing,
      () => {},
    )
    keys.root.close()
    keys.issuing.close()
  } finally {
    await opened.close()
  }
}

interface Story {
  readonly devices: number
  readonly requests: number
  readonly batches: readonly string[]
  readonly certificates: number
  readonly found: number
  readonly wrong: number
  readonly seconds: Readonly<Record<string, number>>
}

async function tell(home: Home, service: Service, devices: number, say: (text: string) => void): Promise<Story> {
  const { services, issuing } = service.settings
  const folder = join(home.credentials, 'meter-maker')
  const client = openClient({ folder, credential: 'batch-ws', host: services.host, port: service.ports.device! })
  const story = { devices, requests: 2 * devices, batches: [] as string[], certificates: 0, found: 0, wrong: 0 }
  const seconds = { making: 0, batches: 0, repository: 0 }
  // Each run has Devices of its own, of the range 02-D: the time in milliseconds, then a running number of 20 bits.
  const first = (0x02d0_0000_0000_0000n | ((BigInt(systemClock().getTime()) & 0xff_ffff_ffffn) << 20n))
    .toString(16)
    .padStart(16, '0')
  const requests = makeMany({
    count: story.requests,
    firstDeviceId: first,
    usages: ['digitalSignature', 'keyAgreement'],
  })[Symbol.asyncIterator]()
  try {
    for (let left = story.requests; left > 0; left -= issuing.batchMaximum) {
      const count = Math.min(left, issuing.batchMaximum)
      const sent = await timed(seconds, 'making', () => takeSome(requests, count))
      const batch = await timed(seconds, 'batches', () => oneBatch(client, sent, say))
      story.batches.push(batch.id)
      story.certificates += batch.certificates
      story.wrong += batch.wrong
      const found = await timed(seconds, 'repository', () => lookUp(home, service, sent, say))
      story.found += found
      story.wrong += count - found
    }
  } finally {
    await requests.return(undefined)
    client.close()
  }
  say('\n')
  say(
    table(
      Object.entries({
        Devices: story.devices,
        CSRs: story.requests,
        Certificates: story.certificates,
        'Found in the Repository': story.found,
      }).map(([what, n]) => [`  ${what}`, n.toLocaleString('en-GB')]),
    ),
  )
  const rate = Math.round(story.certificates / seconds.batches)
  say(
    `  ${seconds.batches.toFixed(1)} s from the first octet sent to the last received: ${rate.toLocaleString('en-GB')} certificates a second\n`,
  )
  return { ...story, seconds }
}

async function timed<T>(seconds: Record<string, number>, what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const result = await work()
  seconds[what] = (seconds[what] ?? 0) + (performance.now() - began) / 1000
  return result
}

async function takeSome(requests: AsyncIterator<OneOfMany>, count: number): Promise<OneOfMany[]> {
  const bar = progress('a meter maker makes Devices', count)
  const some: OneOfMany[] = []
  while (some.length < count) {
    some.push((await requests.next()).value as OneOfMany)
    bar.at(some.length)
  }
  bar.end()
  return some
}

/** Submits, waits, downloads; and compares each certificate with its CSR, as a Subscriber must (L11.6). */
async function oneBatch(client: Client, sent: readonly OneOfMany[], say: (text: string) => void) {
  say(`A meter maker submits ${sent.length.toLocaleString('en-GB')} CSRs over mutual TLS.\n`)
  const answer = fields(await textOf(await client.post(submitPath, makeBatchXml(sent, { id: 'demo' }))))
  if (answer.BatchId === undefined)
    throw new Refusal('DEMO_FAILED', `the batch was not accepted: ${answer.ErrorCode} ${answer.ErrorText}`)
  const id = answer.BatchId
  const expected = new Map(sent.map(item => [item.id, item]))
  const bar = progress('waiting for the batch', sent.length)
  let state = ''
  let certificates = 0
  let wrong = 0
  while (state !== 'COMPLETED') {
    const head = await readResult(await client.get(`${resultPath}?BatchId=${id}`), item => {
      const asked = expected.get(item.id)
      if (asked && item.certificate !== undefined && fits(Buffer.from(item.certificate, 'base64'), asked))
        certificates++
      else wrong++
      expected.delete(item.id)
      bar.at(certificates)
    })
    if (head.BatchStatus !== state) {
      bar.end()
      say(`  batch ${id} is ${head.BatchStatus}\n`)
    }
    state = head.BatchStatus!
    if (state === 'REJECTED' || state === 'TAMPERED')
      throw new Refusal('DEMO_FAILED', `batch ${id} ended as ${state}`)
    if (state !== 'COMPLETED') await sleep(100)
  }
  bar.end()
  return { id, certificates, wrong: wrong + expected.size }
}

function fits(der: Buffer, asked: OneOfMany): boolean {
  return equal(readCertificate(der).publicKey.spki, readRequest(asked.csr).publicKey.spki)
}

/** Asks the Repository for every Device, as a supplier's system would. Returns how many of the requests it knows. */
async function lookUp(
  home: Home,
  service: Service,
  sent: readonly OneOfMany[],
  say: (text: string) => void,
): Promise<number> {
  const key = readFileSync(join(home.credentials, 'meter-maker', 'repository-api-key'), 'utf8').trim()
  const ca = readFileSync(join(home.credentials, 'meter-maker', 'server-ca.crt.pem'))
  const repository = askRepository({
    host: service.settings.services.host,
    port: service.ports.repository!,
    ca,
    key,
    connections: 8,
  })
  const devices = [...new Set(sent.map(item => item.deviceId))]
  const bar = progress('asking the Repository', devices.length)
  let found = 0
  let asked = 0
  const next = devices[Symbol.iterator]()
  const worker = async () => {
    for (const device of next) {
      const certificates = await repository.search(device)
      found += certificates.length
      bar.at(++asked)
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  bar.end()
  repository.close()
  say(
    `The Repository knows ${found.toLocaleString('en-GB')} certificates of these ${devices.length.toLocaleString('en-GB')} Devices.\n`,
  )
  return found
}

/** One address for whoever comes new; an environment without the Portal for newcomers tells every address. */
function whereItIs({ settings, ports }: Service): string {
  if (ports.testPortal === undefined) return `The service runs:\n${addresses(settings, ports)}\n`
  return `The service runs. Its first page: ${firstPage(ports)}\n\n`
}

const firstPage = (ports: Service['ports']) => `http://127.0.0.1:${ports.testPortal}/`

function nextSteps(home: Home, { ports }: Service): string {
  const at = `--home ${home.path}`
  const open =
    ports.testPortal === undefined
      ? ''
      : `\nOpen ${firstPage(ports)} in a browser: the pages say what can be done.\n`
  return `${open}
The system stays up; Ctrl-C stops it. In another terminal:

  bin/smki status ${at}
  bin/smki batch list ${at}
  bin/smki devices make --count 10 --out devices
  bin/smki batch submit devices/batch.xml ${at}
  bin/smki certificate export --out certificates ${at}
  bin/smki lint certificates
  bin/smki journal verify ${at}
`
}

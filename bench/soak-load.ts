/** The load of a soak, in a process of its own: batches, single requests and retrievals, each at an even pace, every answer counted. */

import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeBatchXml } from '../simulator/batch.ts'
import { makeDeviceCsr } from '../simulator/device.ts'
import { type Client, fields, openClient, readResult, textOf } from '../src/doors/cli/client.ts'
import { resultPath, submitPath } from '../src/doors/device-csr/batch.ts'
import { answerParent } from './child.ts'

export interface SoakLoad {
  /** `credentials` of the environment. */
  readonly credentials: string
  readonly devicePort: number
  readonly repositoryPort: number
  readonly adHocPath: string
  readonly seconds: number
  /** CSRs in each batch, one batch every so many seconds. */
  readonly batch: number
  readonly batchSeconds: number
  readonly adHocPerSecond: number
  readonly retrievalsPerSecond: number
}

export interface SoakAnswers {
  readonly batches: number
  /** Certificates in results of batches. */
  readonly batched: number
  /** Answers of the ad hoc service that hold a certificate. */
  readonly single: number
  readonly retrieved: number
  /** What was asked and not answered as it should be, by what came instead. */
  readonly faults: Readonly<Record<string, number>>
}

answerParent(async (load: SoakLoad): Promise<SoakAnswers> => {
  const maker = openClient({
    folder: join(load.credentials, 'meter-maker'),
    credential: 'batch-ws',
    host: '127.0.0.1',
    port: load.devicePort,
    connections: 2,
  })
  const supplier = openClient({
    folder: join(load.credentials, 'import-supplier'),
    credential: 'adhoc-ws',
    host: '127.0.0.1',
    port: load.devicePort,
    connections: 4,
  })
  const counts = { batches: 0, batched: 0, single: 0, retrieved: 0 }
  const faults: Record<string, number> = {}
  const until = performance.now() + load.seconds * 1000
  try {
    // The ad hoc service replaces: its Devices are those of the first batch.
    const devices = devicesFrom(0, load.batch)
    counts.batched += await oneBatch(maker, devices, 'soak-0')
    counts.batches++
    const retrieve = retriever(load)
    await Promise.all([
      paced(1 / load.batchSeconds, until, faults, async index => {
        counts.batched += await oneBatch(
          maker,
          devicesFrom((index + 1) * load.batch, load.batch),
          `soak-${index + 1}`,
        )
        counts.batches++
      }),
      paced(load.adHocPerSecond, until, faults, async index => {
        await oneSingle(supplier, load.adHocPath, devices[index % devices.length]!)
        counts.single++
      }),
      paced(load.retrievalsPerSecond, until, faults, async index => {
        await retrieve(devices[index % devices.length]!)
        counts.retrieved++
      }),
    ])
    return { ...counts, faults }
  } finally {
    maker.close()
    supplier.close()
  }
})

const devicesFrom = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    (0x02e4_0000_0000_0000n + BigInt(first + i)).toString(16).padStart(16, '0'),
  )

/** So many a second; the next begins when its moment has come, and the one before has been answered. */
async function paced(
  perSecond: number,
  until: number,
  faults: Record<string, number>,
  act: (index: number) => Promise<void>,
): Promise<void> {
  for (let [index, due] = [0, performance.now()]; performance.now() < until; index++) {
    await sleep(Math.max(0, due - performance.now()))
    // Behind its time it does not hurry: a slow answer is not followed by a burst.
    due = Math.max(due + 1000 / perSecond, performance.now() - 1000)
    try {
      await act(index)
    } catch (cause) {
      const name = (cause as Error).message.slice(0, 100)
      faults[name] = (faults[name] ?? 0) + 1
    }
  }
}

/** @returns how many certificates its result has; every item must be one */
async function oneBatch(client: Client, devices: readonly string[], id: string): Promise<number> {
  const items = devices.map((deviceId, i) => ({
    id: `i${i}`,
    csr: makeDeviceCsr({ deviceId, usage: 'keyAgreement' }).csr,
  }))
  const { BatchId } = fields(await textOf(await client.post(submitPath, makeBatchXml(items, { id }))))
  if (BatchId === undefined) throw new Error('a batch was refused')
  for (;;) {
    await sleep(250)
    const answer = await client.get(`${resultPath}?BatchId=${BatchId}`)
    if (answer.headers['content-length'] !== undefined) {
      await textOf(answer)
      continue
    }
    let certificates = 0
    await readResult(answer, ({ certificate }) => {
      if (certificate !== undefined) certificates++
    })
    if (certificates !== devices.length) throw new Error(`a batch has ${certificates} of ${devices.length}`)
    return certificates
  }
}

async function oneSingle(client: Client, path: string, deviceId: string): Promise<void> {
  const csr = makeDeviceCsr({ deviceId, usage: 'keyAgreement' }).csr.toString('base64')
  const text = await textOf(
    await client.post(
      path,
      '<?xml version="1.0" encoding="UTF-8"?><DeviceCertificateSigningRequest ID="soak"><Version>1.0</Version>' +
        `<CertificateSigningRequest>${csr}</CertificateSigningRequest></DeviceCertificateSigningRequest>`,
    ),
  )
  if (!text.includes('<Status>SUCCESS</Status>')) throw new Error(`ad hoc: ${text.slice(0, 80)}`)
}

function retriever({ credentials, repositoryPort }: SoakLoad): (deviceId: string) => Promise<void> {
  const folder = join(credentials, 'import-supplier')
  const ca = readFileSync(join(folder, 'server-ca.crt.pem'))
  const key = readFileSync(join(folder, 'repository-api-key'), 'utf8').trim()
  const agent = new Agent({ keepAlive: true, maxSockets: 2, ca })
  return deviceId =>
    new Promise((resolve, reject) => {
      const name = deviceId.toUpperCase().match(/../g)!.join('-')
      const sent = request({
        host: '127.0.0.1',
        port: repositoryPort,
        path: `/services/certificatesearch?apikey=${key}`,
        method: 'POST',
        headers: { 'content-type': 'application/xml' },
        agent,
        servername: 'localhost',
      })
      sent.once('error', reject)
      sent.once('response', async answer => {
        let text = ''
        for await (const chunk of answer) text += String(chunk)
        if (answer.statusCode === 200 && text.includes('CertificateSerial')) resolve()
        else reject(new Error(`repository ${answer.statusCode}`))
      })
      sent.end(
        `<CertificateSearchRequest><CertificateSubjectAltName>${name}</CertificateSubjectAltName></CertificateSearchRequest>`,
      )
    })
}

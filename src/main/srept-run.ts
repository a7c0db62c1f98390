/** Runs SREPT scenarios as a subscriber's software would: real requests to the services of a test environment. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BatchItem, makeBatchXml } from '../../simulator/batch.ts'
import { csrWith, makeDeviceCsr } from '../../simulator/device.ts'
import { type Client, fields, openClient, readResult, textOf } from '../doors/cli/client.ts'
import { askRepository } from '../doors/cli/repository-client.ts'
import { resultPath, submitPath } from '../doors/device-csr/batch.ts'
import { toHex } from '../ground/bytes.ts'
import type { Chance, Clock } from '../ground/clock.ts'
import { readCertificate } from '../ground/x509/certificate.ts'

/** A running test environment, as one of its Parties reaches it. */
export interface TestEnvironment {
  /** `credentials/<party>` of it. */
  readonly folder: string
  readonly host: string
  readonly devicePort: number
  readonly repositoryPort: number
  readonly adHocPath: string
  /** Certificates of one Device ID above which it answers ISSUANCE_ANOMALY. */
  readonly threshold: number
  readonly clock: Clock
  readonly chance: Chance
}

export interface ScenarioRun {
  readonly scenario: string
  readonly passed: boolean
  /** What was seen. */
  readonly words: string
}

export interface Run {
  readonly results: readonly ScenarioRun[]
  /** Every request and answer in order: the evidence. */
  readonly transcript: readonly Exchange[]
}

interface Exchange {
  readonly at: string
  readonly asked: string
  readonly answered: string
}

/** Scenarios that a program can show. The others need faults of the service, a portal, or a person. */
export const automaticScenarios: readonly string[] = [
  'adhoc-success',
  'adhoc-unknown-device',
  'adhoc-csr-error',
  'adhoc-format-error',
  'adhoc-issuance-anomaly',
  'batch-pending',
  'batch-completed',
  'batch-format-error',
  'batch-item-success',
  'batch-item-csr-error',
  'batch-item-issuance-anomaly',
  'repo-ws-search',
]

/** Longer than a small batch takes where batches are approved without a person. */
const patienceMs = 60_000

/**
 * Runs those of the scenarios that a program can show, in one go: a batch makes the Devices known that the later
 * requests are about.
 * @throws Refusal CREDENTIAL_MISSING, NOT_RUNNING
 */
export async function runScenarios(environment: TestEnvironment, wanted: readonly string[]): Promise<Run> {
  const { folder, host, devicePort: port, clock, chance } = environment
  const transcript: Exchange[] = []
  const results: ScenarioRun[] = []
  const wants = (prefix: string) => wanted.some(one => one.startsWith(prefix) && automaticScenarios.includes(one))
  const saw = (scenario: string, passed: boolean, words: string) => {
    if (wanted.includes(scenario)) results.push({ scenario, passed, words })
  }
  const say = (asked: string, answered: string) =>
    void transcript.push({ at: clock().toISOString(), asked, answered: answered.slice(0, 4000) })
  if (!wants('adhoc-') && !wants('batch-') && !wants('repo-ws-')) return { results, transcript }

  const [known, crowded, unknown] = [deviceId(chance), deviceId(chance), deviceId(chance)]
  const batch = openClient({ folder, credential: 'batch-ws', host, port })
  try {
    await byBatch({ environment, client: batch, known, crowded, saw, say })
  } finally {
    batch.close()
  }
  if (wants('adhoc-')) {
    const adHoc = openClient({ folder, credential: 'adhoc-ws', host, port })
    try {
      await byAdHoc({ environment, client: adHoc, known, crowded, unknown, saw, say })
    } finally {
      adHoc.close()
    }
  }
  if (wants('repo-ws-')) await bySearch(environment, known, saw, say)
  return { results, transcript }
}

interface Step {
  readonly environment: TestEnvironment
  readonly client: Client
  readonly known: string
  readonly crowded: string
  saw(scenario: string, passed: boolean, words: string): void
  say(asked: string, answered: string): void
}

async function byBatch({ environment, client, known, crowded, saw, say }: Step): Promise<void> {
  const { threshold } = environment
  const items: BatchItem[] = [
    { id: 'ds', csr: makeDeviceCsr({ deviceId: known, usage: 'digitalSignature' }).csr },
    { id: 'ka', csr: makeDeviceCsr({ deviceId: known, usage: 'keyAgreement' }).csr },
    { id: 'broken', csr: brokenCsr(known) },
  ]
  // One more than the threshold; thousands of key pairs would take minutes, and such an environment is no test one.
  for (let i = 0; threshold <= 1000 && i <= threshold; i++) {
    items.push({ id: `c-${i}`, csr: makeDeviceCsr({ deviceId: crowded, usage: 'keyAgreement' }).csr })
  }
  const malformed = await textOf(await client.post(submitPath, '<SubmitCSRBatch ID="srept">'))
  say('a malformed SubmitCSRBatch', malformed)
  const refused = fields(malformed)
  saw('batch-format-error', refused.BatchStatus === 'FORMAT_ERROR', answerOf(refused))

  const accepted = await textOf(await client.post(submitPath, makeBatchXml(items, { id: 'srept' })))
  say(`a SubmitCSRBatch of ${items.length} requests`, accepted)
  const { BatchStatus, BatchId } = fields(accepted)
  saw('batch-pending', BatchStatus === 'PENDING' && BatchId !== undefined, answerOf(fields(accepted)))
  if (BatchId === undefined) return

  const until = Date.now() + patienceMs
  for (;;) {
    const status = new Map<string, string>()
    const answer = await client.get(`${resultPath}?BatchId=${BatchId}`)
    const head = await readResult(answer, item => status.set(item.id, item.status))
    if (head.BatchStatus === 'COMPLETED' || Date.now() > until) {
      const counts = [...Map.groupBy(status.values(), one => one)].map(([of, all]) => `${all.length} ${of}`)
      say(`the result of batch ${BatchId}`, `${answerOf(head)}: ${counts.join(', ')}`)
      saw('batch-completed', head.BatchStatus === 'COMPLETED', answerOf(head))
      const item = (id: string) => status.get(id) ?? 'nothing'
      saw('batch-item-success', item('ds') === 'SUCCESS' && item('ka') === 'SUCCESS', item('ds'))
      saw('batch-item-csr-error', item('broken') === 'CSR_ERROR', item('broken'))
      const last = items.at(-1)!.id
      if (last.startsWith('c-')) {
        saw('batch-item-issuance-anomaly', item(last) === 'ISSUANCE_ANOMALY', item(last))
      }
      return
    }
    await sleep(100)
  }
}

async function byAdHoc(step: Step & { readonly unknown: string }): Promise<void> {
  const { environment, client, known, crowded, unknown, saw, say } = step
  const post = async (what: string, document: string) => {
    const text = await textOf(await client.post(environment.adHocPath, document))
    say(what, text)
    return fields(text)
  }
  const request = (csr: Uint8Array) =>
    '<?xml version="1.0" encoding="UTF-8"?><DeviceCertificateSigningRequest ID="srept"><Version>1.0</Version>' +
    `<CertificateSigningRequest>${Buffer.from(csr).toString('base64')}</CertificateSigningRequest></DeviceCertificateSigningRequest>`
  const ds = (deviceId: string) => makeDeviceCsr({ deviceId, usage: 'digitalSignature' }).csr

  const good = await post('a CSR of a known Device', request(ds(known)))
  saw('adhoc-success', good.Status === 'SUCCESS' && isCertificate(good.Certificate), answerOf(good))
  const expected: [scenario: string, status: string, what: string, document: string][] = [
    ['adhoc-unknown-device', 'UNKNOWN_DEVICE', 'a CSR of a Device that has no certificate', request(ds(unknown))],
    ['adhoc-csr-error', 'CSR_ERROR', 'a CSR whose signature is broken', request(brokenCsr(known))],
    ['adhoc-format-error', 'FORMAT_ERROR', 'a document that is cut short', request(ds(known)).slice(0, 120)],
  ]
  if (environment.threshold <= 1000) {
    expected.push(['adhoc-issuance-anomaly', 'ISSUANCE_ANOMALY', 'one CSR too many', request(ds(crowded))])
  }
  for (const [scenario, status, what, document] of expected) {
    const told = await post(what, document)
    saw(scenario, told.Status === status, answerOf(told))
  }
}

async function bySearch(
  environment: TestEnvironment,
  known: string,
  saw: Step['saw'],
  say: Step['say'],
): Promise<void> {
  const { folder, host, repositoryPort: port } = environment
  const ca = readFileSync(join(folder, 'server-ca.crt.pem'))
  const key = readFileSync(join(folder, 'repository-api-key'), 'utf8').trim()
  const repository = askRepository({ host, port, ca, key, connections: 1 })
  try {
    const found = await repository.search(known)
    say(`a search for ${known}`, `${found.length} certificates: ${found.map(one => one.serial).join(', ')}`)
    saw('repo-ws-search', found.length >= 2, `${found.length} certificates were found`)
  } finally {
    repository.close()
  }
}

/** A Device ID that nobody has: locally administered, the rest by chance. */
function deviceId(chance: Chance): string {
  return `02d5${toHex(chance(6))}`
}

function brokenCsr(device: string): Buffer {
  return csrWith({
    deviceId: device,
    usage: 'digitalSignature',
    sign: () => Buffer.from('3006020101020101', 'hex'),
  })
}

function isCertificate(text: string | undefined): boolean {
  return text !== undefined && readCertificate(Buffer.from(text, 'base64')).publicKey.kind === 'P-256'
}

function answerOf(told: Readonly<Record<string, string>>): string {
  const status = told.BatchStatus ?? told.Status ?? 'nothing readable'
  return told.ErrorCode === undefined ? `answered ${status}` : `answered ${status}, ${told.ErrorCode}`
}

/** The good client, a program of its own: asks each door at an even pace while others attack, and times every answer. */

import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { answerParent } from '../../bench/child.ts'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { devices } from './devices.ts'
import type { Target } from './target.ts'

export interface Pace {
  readonly target: Target
  readonly seconds: number
  /** Between two questions to one door. */
  readonly everyMs: number
}

export interface Seen {
  readonly asked: number
  readonly answered: number
  /** Asked once more on a new connection, because the one they were on was closed before an answer: the time is of both. */
  readonly retried: number
  /** Milliseconds from the question, a new connection every tenth time included, to the last octet. */
  readonly p50: number
  readonly p99: number
  readonly worst: number
  readonly faults: Readonly<Record<string, number>>
}

/** A question waits so long for its answer. */
const patienceMs = 20_000

answerParent(async ({ target, seconds, everyMs }: Pace): Promise<Readonly<Record<string, Seen>>> => {
  const doors = questions(target)
  const seen = await Promise.all(
    Object.entries(doors).map(async ([name, ask]) => [name, await paced(ask, seconds, everyMs)] as const),
  )
  return Object.fromEntries(seen)
})

type Ask = (index: number) => Promise<void>

function questions({ credentials, ports, adHocPath }: Target): Readonly<Record<string, Ask>> {
  const file = (name: string) => readFileSync(join(credentials, name))
  const ca = file('server-ca.crt.pem')
  const credential = (name: string) => ({ ca, key: file(`${name}.key.pem`), cert: file(`${name}.crt.pem`) })
  const apiKey = file('repository-api-key').toString('utf8').trim()
  // Made before the clock starts, each of a Device of its own: no two are asked for at a time.
  const csrs = devices.map(deviceId => makeDeviceCsr({ deviceId, usage: 'keyAgreement' }).csr.toString('base64'))
  const xml = { 'content-type': 'application/xml' }
  return {
    'ad hoc': asking(ports.device!, credential('adhoc-ws'), index => ({
      path: adHocPath,
      headers: xml,
      body:
        `<?xml version="1.0" encoding="UTF-8"?><DeviceCertificateSigningRequest ID="good"><Version>1.0</Version>` +
        `<CertificateSigningRequest>${csrs[index % csrs.length]}</CertificateSigningRequest></DeviceCertificateSigningRequest>`,
      holds: '<Status>SUCCESS</Status>',
    })),
    repository: asking(ports.repository!, { ca }, () => ({
      path: `/services/certificatesearch?apikey=${apiKey}`,
      headers: xml,
      body: '<CertificateSearchRequest><CertificateSubjectAltName>02-E3-00-00-00-00-90-00</CertificateSubjectAltName></CertificateSearchRequest>',
      holds: '<',
    })),
    portal: asking(ports.repositoryPortal!, { ca }, () => ({
      path: '/',
      headers: {},
      body: undefined,
      holds: '<html',
    })),
  }
}

interface Question {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** What the answer must have in it. */
  readonly holds: string
}

function asking(port: number, tls: object, question: (index: number) => Question): Ask {
  const kept = new Agent({ keepAlive: true, maxSockets: 8 })
  return index => {
    const { path, headers, body, holds } = question(index)
    const agent = index % 10 === 0 ? new Agent({ keepAlive: false }) : kept
    return new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers,
        agent,
        servername: 'localhost',
        timeout: patienceMs,
        ...tls,
      })
      sent.once('timeout', () => sent.destroy(new Error('no answer in time')))
      sent.once('error', reject)
      sent.once('response', async answer => {
        try {
          const chunks: Buffer[] = []
          for await (const chunk of answer) chunks.push(chunk as Buffer)
          if (answer.statusCode === 200 && Buffer.concat(chunks).includes(holds)) resolve()
          else reject(new Error(`status ${answer.statusCode}`))
        } catch (cause) {
          reject(cause)
        }
      })
      sent.end(body)
    })
  }
}

/** Questions at even moments, whether the one before has been answered or not: a slow answer hides no other. */
async function paced(ask: Ask, seconds: number, everyMs: number): Promise<Seen> {
  const times: number[] = []
  const faults: Record<string, number> = {}
  const under: Promise<void>[] = []
  let retried = 0
  const began = performance.now()
  for (let index = 0; index * everyMs < seconds * 1000; index++) {
    await new Promise(go => setTimeout(go, Math.max(0, began + index * everyMs - performance.now())))
    const from = performance.now()
    under.push(
      ask(index)
        .catch((cause: NodeJS.ErrnoException) => {
          // As a client must that keeps connections: the service may close one at any time.
          if (cause.code !== 'ECONNRESET') throw cause
          retried++
          return ask(index)
        })
        .then(
          () => void times.push(performance.now() - from),
          (cause: NodeJS.ErrnoException) => {
            const name = cause.code ?? cause.message
            faults[name] = (faults[name] ?? 0) + 1
          },
        ),
    )
  }
  await Promise.all(under)
  times.sort((a, b) => a - b)
  const at = (share: number) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0)
  return { asked: under.length, answered: times.length, retried, p50: at(0.5), p99: at(0.99), worst: at(1), faults }
}

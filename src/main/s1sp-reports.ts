/** The SMKI reads the reports of S1SPs that let it, again and again, and keeps the last of each in memory alone. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { type LiveReport, readSmets1Report } from '../doors/portal/operations/smets1-report.ts'
import type { Clock } from '../ground/clock.ts'
import type { Home } from './home.ts'
import { makePeerTls, type PeerTls, readPeerTls } from './peer-tls.ts'
import { type ReportSource, readAs, reportPath, sourceSchema } from './s1sp-report-door.ts'

/** Where in an environment's home the sources lie, a file each, and the key and certificate that they are asked with. */
export const reportsFiles = (home: Pick<Home, 'path'>) => ({
  sources: join(home.path, 's1sp-reports'),
  tls: join(home.path, 's1sp-reports', 'tls'),
})

/** Makes the certificate that S1SPs know the reader by, once. @param name of the environment */
export function readerTls(home: Pick<Home, 'path'>, name: string): PeerTls {
  const { tls } = reportsFiles(home)
  if (!existsSync(tls)) makePeerTls(tls, name)
  return readPeerTls(tls)
}

/** @throws Refusal SOURCE_UNREADABLE */
export function reportSources(home: Pick<Home, 'path'>): ReportSource[] {
  const { sources } = reportsFiles(home)
  if (!existsSync(sources)) return []
  return readdirSync(sources)
    .filter(file => file.endsWith('.json'))
    .toSorted()
    .map(file => readAs(sourceSchema, readFileSync(join(sources, file)), 'SOURCE_UNREADABLE', file))
}

export interface Reports {
  /** As they are known now: nothing is asked for. */
  latest(): readonly LiveReport[]
  /** Asks every source, those that were joined meanwhile too. */
  refresh(): Promise<void>
  stop(): void
}

const everyMs = 60_000

/** @param onFault is told of a source that cannot be read, once until it can again */
export function followReports(home: Home, clock: Clock, onFault: (name: string, cause: Error) => void): Reports {
  const known = new Map<string, LiveReport>()
  let under: Promise<void> | undefined
  const one = async (source: ReportSource, tls: PeerTls) => {
    const { name } = source
    const before = known.get(name)
    try {
      known.set(name, { name, report: await ask(source, tls), readAt: clock(), fault: undefined })
    } catch (cause) {
      // What was known stands, with its age: the page says that it is not of now.
      known.set(name, { name, report: before?.report, readAt: before?.readAt, fault: (cause as Error).message })
      if (before?.fault === undefined) onFault(name, cause as Error)
    }
  }
  const all = async () => {
    const sources = reportSources(home)
    for (const name of known.keys()) if (!sources.some(of => of.name === name)) known.delete(name)
    if (sources.length === 0) return
    const tls = readPeerTls(reportsFiles(home).tls)
    await Promise.all(sources.map(source => one(source, tls)))
  }
  const refresh = () => {
    under ??= all().finally(() => {
      under = undefined
    })
    return under
  }
  const inBackground = () => void refresh().catch((cause: Error) => onFault('s1sp-reports', cause))
  const timer = setInterval(inBackground, everyMs)
  timer.unref()
  inBackground()
  return {
    latest: () => [...known.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    refresh,
    stop: () => clearInterval(timer),
  }
}

const patienceMs = 20_000
/** Defends memory; a report of all that can go wrong with a hundred thousand Devices has some 20 MB. */
const longest = 64 * 1_048_576

/** @throws Error where the S1SP does not answer, or not with a report */
export async function ask(
  source: ReportSource,
  tls: Pick<PeerTls, 'key' | 'chain'>,
): Promise<LiveReport['report']> {
  const agent = new Agent({ ca: source.authority, key: tls.key, cert: tls.chain, minVersion: 'TLSv1.2' })
  try {
    const octets = await get(new URL(reportPath, source.url), agent)
    const report = readSmets1Report(octets)
    if (!report) throw new Error('what it answered is no report')
    return report
  } finally {
    agent.destroy()
  }
}

function get(url: URL, agent: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, signal: AbortSignal.timeout(patienceMs) }, answer => {
      const chunks: Buffer[] = []
      let octets = 0
      answer.on('data', (chunk: Buffer) => {
        octets += chunk.length
        if (octets > longest) sent.destroy(new Error('its report is longer than any'))
        else chunks.push(chunk)
      })
      answer.on('error', reject)
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(chunks))
        else reject(new Error(`it answered with status ${answer.statusCode}`))
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}

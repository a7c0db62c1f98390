/** Where an S1SP lets an SMKI read its report: one address over mutual TLS, read only. It holds no key of any Device. */

import { hash, type X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { z } from 'zod'
import { toHex, view } from '../ground/bytes.ts'
import { listen, tlsListener } from '../ground/http/listen.ts'
import { Refusal } from '../ground/refusal.ts'
import type { S1spHands } from '../rooms/symmetric/s1sp/hands.ts'
import { type Summary, summaryOf } from '../rooms/symmetric/s1sp/summary.ts'
import { makePeerTls, readPeerTls } from './peer-tls.ts'
import { systemChance } from './world.ts'

export const reportPath = '/report'

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/)
const authority = z.string().startsWith('-----BEGIN CERTIFICATE-----')

/** What an S1SP is told of who reads its report: people compare it, as they do of a DCO (PEM; SHA-256 of the certificate). */
export const readerSchema = z.strictObject({
  name,
  authority,
  certificates: z.array(z.string().regex(/^[0-9a-f]{64}$/)).min(1),
})
export type ReportReader = z.output<typeof readerSchema>

/** What the reader is told in return: where the report is, and the authority of the TLS certificate there. */
export const sourceSchema = z.strictObject({ name, url: z.string().startsWith('https://'), authority })
export type ReportSource = z.output<typeof sourceSchema>

const doorSchema = z.strictObject({
  host: z.string(),
  port: z.int().min(1).max(65535),
  readers: z.array(readerSchema),
})

/** Where in the home of an S1SP the door's own files lie. */
export const reportFiles = (home: string) => ({ door: join(home, 'report.json'), tls: join(home, 'report-tls') })

/**
 * Admits a reader; from its next start on the S1SP serves its report at that address.
 * @param home of the S1SP. @throws Refusal REPORT_ADDRESS unless the host is a name: certificates name hosts
 */
export function admitReader(
  home: string,
  own: string,
  reader: ReportReader,
  address: { readonly host: string; readonly port: number },
): ReportSource {
  const { host, port } = address
  if (host === '' || isIP(host) !== 0)
    throw new Refusal('REPORT_ADDRESS', `${host || 'nothing'} is no name of a host: TLS certificates name hosts`)
  const files = reportFiles(home)
  const before = existsSync(files.door) ? readDoor(files.door) : undefined
  // A certificate names its host: of another host it is another one.
  if (before?.host !== host) rmSync(files.tls, { recursive: true, force: true })
  if (!existsSync(files.tls)) makePeerTls(files.tls, own, [host])
  const readers = [...(before?.readers ?? []).filter(one => one.name !== reader.name), reader]
  writeFileSync(files.door, `${JSON.stringify({ host, port, readers }, null, 2)}\n`, { mode: 0o600 })
  return { name: own, url: `https://${host}:${port}`, authority: readPeerTls(files.tls).authority }
}

export interface RunningReportDoor {
  readonly port: number
  close(): Promise<void>
}

/** Such a report is made at most so often, whoever asks: over millions of Devices it costs seconds. */
const freshMs = 10_000

/**
 * Serves the report to those who were admitted. Who is not is refused, and the environment log says so.
 * @returns undefined where nobody was admitted. @throws Refusal PORT_IN_USE, PORT_DENIED, REPORT_DOOR_UNREADABLE
 */
export async function serveReport(
  home: { readonly path: string; readonly environmentLog: string },
  hands: Pick<S1spHands, 'store' | 'clock'>,
): Promise<RunningReportDoor | undefined> {
  const files = reportFiles(home.path)
  if (!existsSync(files.door)) return undefined
  const { host, port, readers } = readDoor(files.door)
  const { key, chain } = readPeerTls(files.tls)
  const known = new Set(readers.flatMap(one => one.certificates))
  const limits = {
    idleSeconds: 300,
    headSeconds: 10,
    requestSeconds: 60,
    bodyOctets: 1024,
    connections: 20,
    tls13: true,
  }
  const trust = { authorities: readers.map(one => one.authority), lists: [] }
  const refused = (says: string) => {
    const event = { source: 's1sp', at: hands.clock(), kind: 'report.refused', says: says.slice(0, 500) }
    appendFile(home.environmentLog, `${JSON.stringify(event)}\n`, { mode: 0o600 }).catch(() => {})
  }
  const { app } = tlsListener({ key, chain }, limits, trust, (fault, from) => refused(`${fault} from ${from}`))
  const latest = remembered(hands)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    const { raw } = (request.raw.socket as TLSSocket).getPeerX509Certificate() ?? ({} as Partial<X509Certificate>)
    if (raw && known.has(toHex(hash('sha256', raw, 'buffer')))) return undefined
    refused('a certificate that was not admitted')
    return reply.code(403).send({ code: 'READER_NOT_ADMITTED', says: 'that certificate was not admitted' })
  })
  app.setNotFoundHandler((_, reply) =>
    reply.code(404).send({ code: 'NOTHING_THERE', says: `there is ${reportPath} alone` }),
  )
  app.setErrorHandler((cause, _, reply) => {
    const incident = toHex(systemChance(6))
    console.error(`s1sp: incident ${incident}: ${(cause as Error).message}`)
    return reply.code(500).send({ code: 'INCIDENT', says: incident })
  })
  app.get(reportPath, async (_, reply) => reply.type('application/json').send(await latest()))
  const got = await listen(app, host, port)
  return { port: got, close: () => app.close().then(() => {}) }
}

/** One is made at a time, and given to all who ask meanwhile. */
function remembered(hands: Pick<S1spHands, 'store' | 'clock'>): () => Promise<string> {
  let last: { readonly at: number; readonly text: Promise<string> } | undefined
  return () => {
    const now = hands.clock().getTime()
    if (!last || Math.abs(now - last.at) >= freshMs) {
      const text = summaryOf(hands).then((summary: Summary) => JSON.stringify(summary))
      last = { at: now, text }
      text.catch(() => {
        last = undefined
      })
    }
    return last.text
  }
}

function readDoor(file: string): z.output<typeof doorSchema> {
  return readAs(doorSchema, readFileSync(file), 'REPORT_DOOR_UNREADABLE', file)
}

/** @param where it stands, for the Refusal. @throws Refusal with that code */
export function readAs<T extends z.ZodType>(
  schema: T,
  octets: Uint8Array,
  code: string,
  where: string,
): z.output<T> {
  let value: unknown
  try {
    value = JSON.parse(view(octets).toString())
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Refusal(code, `${where} is not what it should be: ${z.prettifyError(parsed.error)}`)
}

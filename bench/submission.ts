/** One batch, as its client sees it: a document is submitted, its result asked for until it is there, and checked. */

import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { readResult } from '../src/doors/cli/client.ts'
import { readCertificate } from '../src/ground/x509/certificate.ts'
import { families } from '../src/rooms/repository/register.ts'
import type { Order, Story } from './batch-client.ts'
import type { Child } from './child.ts'
import type { Environment } from './environment.ts'

/** Milliseconds since 1970, all of one machine's clock. */
export interface Submitted extends Story {
  readonly queued: number
  readonly completed: number
}

export async function submit(
  client: Child,
  { home, settings, port, store }: Environment,
  files: { document: string; result: string },
): Promise<Submitted> {
  const order: Order = {
    folder: join(home.credentials, 'meter-maker'),
    credential: 'batch-ws',
    host: settings.services.host,
    port,
    ...files,
  }
  const story = await client.ask<Story>(order)
  const { rows } = await store.query<{ queued_at: Date; completed_at: Date }>(
    'SELECT queued_at, completed_at FROM batch WHERE id = $1',
    [story.batch],
  )
  return { ...story, queued: rows[0]!.queued_at.getTime(), completed: rows[0]!.completed_at.getTime() }
}

/**
 * Counts afterwards what was promised: every request led to a certificate, each has a serial number of its own, all are
 * complete in the store, and the journal has issued as many.
 * @throws Error otherwise: figures of a run that did less are worth nothing
 */
export async function check({ store }: Environment, batch: string, count: number, result: string): Promise<void> {
  const serials = new Set<string>()
  const others: string[] = []
  await readResult(createReadStream(result), ({ id, status, certificate, code }) => {
    if (certificate === undefined) others.push(`${id} ${status} ${code}`)
    else serials.add(Buffer.from(readCertificate(Buffer.from(certificate, 'base64')).serial).toString('hex'))
  })
  const { rows } = await store.query<{ complete: bigint; serials: bigint; journalled: bigint }>(
    `SELECT count(*) AS complete, count(DISTINCT serial) AS serials,
            (SELECT sum((convert_from(octets, 'UTF8')::json ->> 'count')::bigint)::bigint
               FROM (SELECT octets FROM journal_entry UNION ALL SELECT octets FROM journal_pending) AS journal
              WHERE convert_from(octets, 'UTF8')::json ->> 'act' = 'issue'
                AND convert_from(octets, 'UTF8')::json ->> 'batch' = $1::text) AS journalled
       FROM certificate c JOIN signing s ON s.id = c.signing JOIN portion p ON p.signing = s.id
      WHERE p.batch = $1::text::bigint AND s.state = 'complete' AND s.signatures IS NOT NULL AND c.family = $2`,
    [batch, families.device],
  )
  const found = rows[0]!
  const counted = {
    'certificates in the result': serials.size,
    'certificates complete in the store': Number(found.complete),
    'serial numbers in the store': Number(found.serials),
    'certificates in the journal': Number(found.journalled),
  }
  const wrong = Object.entries(counted).filter(([, number]) => number !== count)
  if (wrong.length === 0 && others.length === 0) return
  const told = wrong.map(([what, number]) => `${number} ${what}`)
  if (others.length > 0) told.unshift(`${others.length} refused (${others.slice(0, 3).join(', ')})`)
  throw new Error(`of ${count} requests: ${told.join(', ')}`)
}

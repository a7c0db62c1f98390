/** Certificates of a store drawn at random, and what is asked of the Repository for them. */

import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '../src/ground/store/store.ts'
import type { Home } from '../src/main/home.ts'
import { families } from '../src/rooms/repository/register.ts'

export interface Drawn {
  readonly serial: Buffer
  readonly eui64: Buffer
}

/** Device Certificates, evenly over all groups. @throws Error when there is none */
export async function draw(store: Pick<Store, 'query'>, count: number): Promise<Drawn[]> {
  const { rows: groups } = await store.query<{ id: bigint; count: number }>(
    "SELECT id, count FROM signing WHERE state = 'complete' AND count > 1",
  )
  if (groups.length === 0) throw new Error('no group of certificates is in the store')
  const chosen = Array.from({ length: count }, () => groups[randomInt(groups.length)]!)
  const { rows } = await store.query<Drawn>(
    `SELECT c.serial, c.eui64 FROM unnest($1::int8[], $2::int2[]) WITH ORDINALITY AS drawn (signing, position, place)
      CROSS JOIN LATERAL (SELECT * FROM certificate o WHERE o.signing = drawn.signing AND o.position = drawn.position
                             AND o.family = ${families.device} OFFSET 0) c ORDER BY place`,
    [chosen.map(one => one.id), chosen.map(one => randomInt(one.count))],
  )
  return rows
}

const hyphenated = (eui64: Buffer) => eui64.toString('hex').toUpperCase().match(/../g)!.join('-')

/** Messages to the Repository Web Service, with the API key of a Party of the test environment. */
export function questions(home: Home, drawn: readonly Drawn[]): { retrievals: Buffer[]; searches: Buffer[] } {
  const key = readFileSync(join(home.credentials, 'import-supplier', 'repository-api-key'), 'utf8').trim()
  const post = (service: string, body: string) => {
    const head = `POST /services/${service}?apikey=${key} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml\r\n`
    return Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`)
  }
  return {
    retrievals: drawn.map(({ serial }) =>
      post(
        'retrievecertificate',
        `<CertificateDataRequest><CertificateSerial>${serial.toString('hex')}</CertificateSerial></CertificateDataRequest>`,
      ),
    ),
    searches: drawn.map(({ eui64 }) =>
      post(
        'certificatesearch',
        `<CertificateSearchRequest><CertificateSubjectAltName>${hyphenated(eui64)}</CertificateSubjectAltName></CertificateSearchRequest>`,
      ),
    ),
  }
}

/** A client of the Repository's web service: search by Device ID. */

import { Agent, request } from 'node:https'
import { Refusal } from '../../ground/refusal.ts'
import { XmlReader } from '../../ground/xml/read.ts'
import { hyphenated } from '../../policy/identifiers.ts'

export interface Found {
  readonly serial: string
  readonly status: string
  readonly usage: string
}

export interface RepositoryClient {
  /** Everything lodged for a Device. @throws Refusal REPOSITORY_REFUSED */
  search(deviceId: string): Promise<Found[]>
  close(): void
}

export function askRepository(to: {
  host: string
  port: number
  ca: Buffer
  key: string
  connections: number
}): RepositoryClient {
  const agent = new Agent({ keepAlive: true, maxSockets: to.connections, ca: to.ca, minVersion: 'TLSv1.2' })
  const path = `/services/certificatesearch?apikey=${encodeURIComponent(to.key)}`
  return {
    search: deviceId =>
      new Promise((resolve, reject) => {
        const body = `<CertificateSearchRequest><CertificateSubjectAltName>${hyphenated(deviceId)}</CertificateSubjectAltName></CertificateSearchRequest>`
        const headers = { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) }
        const sent = request({ host: to.host, port: to.port, agent, method: 'POST', path, headers }, answer => {
          const chunks: Buffer[] = []
          answer.on('data', chunk => chunks.push(chunk as Buffer))
          answer.on('error', reject)
          answer.on('end', () => {
            // 402 is this service's word for "nothing found".
            if (answer.statusCode === 402) resolve([])
            else if (answer.statusCode === 200) resolve(read(Buffer.concat(chunks)))
            else reject(new Refusal('REPOSITORY_REFUSED', `the Repository answered ${answer.statusCode}`))
          })
        })
        sent.on('error', reject)
        sent.end(body)
      }),
    close: () => agent.destroy(),
  }
}

function read(octets: Buffer): Found[] {
  const found: Found[] = []
  let one: Record<string, string> = {}
  const reader = new XmlReader({
    open: name => {
      if (name === 'Result') one = {}
    },
    close: (name, text) => {
      if (name === 'Result')
        found.push({ serial: one.CertificateSerial!, status: one.CertificateStatus!, usage: one.CertificateUsage! })
      else one[name] = text
    },
  })
  reader.write(octets)
  reader.end()
  return found
}

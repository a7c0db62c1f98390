/** A Repository that answers at its doors, with a few certificates in it, and a client over TLS. */

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { pino } from 'pino'
import { makeDeviceCsr, makeKeyPair, spkiOf, type Usage } from '../../simulator/device.ts'
import { openSoftwareKeyStore } from '../../src/ground/keystore/software.ts'
import { homeAt } from '../../src/main/home.ts'
import { init } from '../../src/main/init.ts'
import { type RunningRepositoryDoor, startRepositoryDoor } from '../../src/main/repository-door.ts'
import { type OpenedStore, openHomeStore, systemChance, systemClock } from '../../src/main/world.ts'
import { hierarchies, profileNamed } from '../../src/policy/hierarchies.ts'
import type { Settings } from '../../src/policy/settings.ts'
import { issuingAuthority } from '../../src/rooms/authority/register.ts'
import { issueDevices } from '../../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../../src/rooms/issuance/issuing-dcas.ts'
import { issueOrganisation } from '../../src/rooms/issuance/single.ts'
import { judge } from '../xsd.ts'

export const libxml2 = judge(new URL('../../src/doors/repository/schema/Repository-1.0.xsd', import.meta.url))
/** The key that the published client carries. */
export const clientKey = 'u3bg9gt38htd0j2'
export const folder = mkdtempSync(join(tmpdir(), 'repository-door-'))
export const home = homeAt(join(folder, 'home'))
export const device = '02a1000000000001'
export const supplier = '02a0000000010000'
export const xmlSigner = '02a1000000000087'

export let settings: Settings
export let opened: OpenedStore
export let door: RunningRepositoryDoor
export const lines: string[] = []
export const log = pino({ base: null }, { write: line => void lines.push(line) })
/** Device Certificates, in order of issue: DS, KA, and the DS that replaced the first. */
export let issued: X509Certificate[] = []

before(async () => {
  settings = await init(home, {
    environment: 'door-tests',
    kind: 'test',
    with: [],
    log2N: 10,
    settings: {
      services: { repositoryPort: 0, devicePort: 0, plainRepositoryPort: 0, journalPort: 0 },
      repository: { testKeys: [clientKey] },
    },
    witness: () => {},
  })
  opened = await openHomeStore(home, { share: false })
  await issueXmlSign()
  issued = await issue([device, 'digitalSignature'], [device, 'keyAgreement'], [device, 'digitalSignature'])
  door = await startRepositoryDoor({ settings, home, target: opened.target, log })
})

after(async () => {
  await door?.close()
  await opened?.close()
  rmSync(folder, { recursive: true, force: true })
})

export async function issue(...wanted: [string, Usage][]): Promise<X509Certificate[]> {
  const hands = { store: opened.store, clock: systemClock, chance: systemChance }
  const keys = openKeys()
  try {
    const { keyUse } = hierarchies(settings)['smki-device'].issuing
    const dcas = issuingDcas(hands, keys, profileNamed(settings, 'Device Certificate'), keyUse!, 10)
    const outcomes = await issueDevices(
      { ...hands, authorities: dcas },
      {
        requests: wanted.map(([deviceId, usage]) => makeDeviceCsr({ deviceId, usage }).csr),
        rules: { threshold: 100, knownDevicesOnly: false },
        says: {},
      },
    )
    return outcomes.map(outcome => {
      if ('refusal' in outcome) throw outcome.refusal
      return new X509Certificate(outcome.der)
    })
  } finally {
    keys.close()
  }
}

/** A role whose number is written differently in the certificate (87) and in the Repository's XML (135). */
export async function issueXmlSign(): Promise<void> {
  const hands = { store: opened.store, clock: systemClock, chance: systemChance }
  const keys = openKeys()
  try {
    const record = await issuingAuthority(opened.store, 'smki-organisation')
    const by = { record, keys, profile: profileNamed(settings, 'Organisation Certificate') }
    const publicKey = spkiOf(makeKeyPair().publicKey)
    await issueOrganisation(hands, by, { role: 135, eui64: xmlSigner, usage: 'digitalSignature', publicKey })
  } finally {
    keys.close()
  }
}

export function openKeys() {
  const passphrase = readFileSync(home.issuingPassphrase)
  return openSoftwareKeyStore({ path: home.issuingKeys, passphrase, chance: systemChance, allowWeak: true })
}

export const key = (party: string) =>
  readFileSync(join(home.credentials, party, 'repository-api-key'), 'utf8').trim()
export const address = () => `http://127.0.0.1:${door.ports.plain}/`

export interface Answered {
  status: number
  type: string | undefined
  body: Buffer
}

/** Over TLS, by the runtime's own client, which knows nothing of us but the authority of the server's certificate. */
export function ask(
  method: 'GET' | 'POST',
  path: string,
  body?: string,
  party = 'import-supplier',
): Promise<Answered> {
  const options = {
    host: '127.0.0.1',
    port: door.ports.tls,
    ca: readFileSync(join(home.credentials, party, 'server-ca.crt.pem')),
    method,
    path: `${path}?apikey=${key(party)}`,
    headers: body === undefined ? {} : { 'content-type': 'application/xml' },
    agent: false,
  }
  return new Promise((resolve, reject) => {
    const asked = request(options, response => {
      const parts: Buffer[] = []
      response.on('data', part => parts.push(part))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          type: response.headers['content-type'],
          body: Buffer.concat(parts),
        }),
      )
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

export async function askXml(
  service: string,
  root: string,
  name: string,
  value: string,
): Promise<{ status: number; xml: string }> {
  const { status, type, body } = await ask(
    'POST',
    `/services/${service}`,
    `<${root}><${name}>${value}</${name}></${root}>`,
  )
  assert.equal(type, 'application/xml; charset=utf-8')
  assert.equal(libxml2(body), undefined, String(body))
  return { status, xml: String(body) }
}

export const search = (name: 'CertificateSubjectName' | 'CertificateSubjectAltName', value: string) =>
  askXml('certificatesearch', 'CertificateSearchRequest', name, value)
export const retrieve = (serial: string) =>
  askXml('retrievecertificate', 'CertificateDataRequest', 'CertificateSerial', serial)

/** The texts of every element of that name. */
export const texts = (xml: string, name: string) =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(one => one[1])
export const serialOf = (certificate: X509Certificate) => certificate.serialNumber.padStart(32, '0')

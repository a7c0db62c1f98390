/** The Parties of a test environment, with the credentials and Organisation Certificates that their software needs. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { view } from '../ground/bytes.ts'
import { entry } from '../ground/journal/entry.ts'
import { append } from '../ground/journal/journal.ts'
import type { KeyStore } from '../ground/keystore/keystore.ts'
import { type KeyPair, makeKeyPair } from '../ground/keystore/pair.ts'
import type { Certificate } from '../ground/x509/certificate.ts'
import { toPem } from '../ground/x509/pem.ts'
import { profileNamed } from '../policy/hierarchies.ts'
import { roleName } from '../policy/roles.ts'
import type { Settings } from '../policy/settings.ts'
import type { Hands } from '../rooms/authority/issue-one.ts'
import { authorities, issuingAuthority } from '../rooms/authority/register.ts'
import { issueIki, issueOrganisation } from '../rooms/issuance/single.ts'
import { type CredentialKind, enterApiKey, type NewParty, registerParty } from '../rooms/registration/parties.ts'
import { type Home, privateFolder, writePrivate } from './home.ts'
import { tlsFiles } from './tls-ca.ts'

interface TestParty extends NewParty {
  readonly credentials: readonly CredentialKind[]
  readonly organisation: readonly { role: number; usage: 'digitalSignature' | 'keyAgreement'; name?: string }[]
}

const pair = (role: number) =>
  [
    { role, usage: 'digitalSignature' },
    { role, usage: 'keyAgreement' },
  ] as const

/** EUI-64s of a range that no real company was given (the locally administered bit is set). */
export const testParties: readonly TestParty[] = [
  {
    name: 'import-supplier',
    tradingName: 'Test Import Supplier',
    deviceSubscriber: true,
    roles: [{ role: 0x02, eui64: '02a0000000010000' }],
    credentials: ['ADHOC_WS', 'BATCH_WS'],
    // The third is the prepayment top-up key: one profile, two certificates in use (certificates.md section 4).
    organisation: [
      { role: 0x02, usage: 'digitalSignature', name: 'TESTSUPPLIER' },
      { role: 0x02, usage: 'keyAgreement' },
      { role: 0x02, usage: 'keyAgreement' },
    ],
  },
  {
    name: 'meter-maker',
    tradingName: 'Test Meter Manufacturer',
    deviceSubscriber: true,
    roles: [{ role: 0x7f, eui64: '02a0000000020000' }],
    credentials: ['BATCH_WS'],
    organisation: [],
  },
  {
    name: 'network-operator',
    tradingName: 'Test Network Operator',
    deviceSubscriber: false,
    roles: [{ role: 0x03, eui64: '02a0000000030000' }],
    credentials: ['BATCH_WS'],
    organisation: pair(0x03),
  },
  {
    name: 'dcc',
    tradingName: 'Test DCC',
    deviceSubscriber: true,
    roles: [0x01, 0x04, 0x05, 0x06].map(role => ({ role, eui64: `02a000000004000${role}` })),
    credentials: ['ADHOC_WS', 'BATCH_WS'],
    organisation: [
      { role: 0x01, usage: 'digitalSignature' },
      ...pair(0x04),
      { role: 0x05, usage: 'digitalSignature' },
      { role: 0x06, usage: 'digitalSignature' },
    ],
  },
]

/** Registers them all; each finds what it needs in `credentials/<name>/`, keys readable by us alone. */
export async function makeTestParties(
  hands: Hands,
  home: Home,
  settings: Settings,
  keys: KeyStore,
  witness: (line: string) => void,
): Promise<void> {
  const ica = {
    record: await issuingAuthority(hands.store, 'iki'),
    keys,
    profile: profileNamed(settings, 'IKI Client Certificate'),
  }
  const oca = {
    record: await issuingAuthority(hands.store, 'smki-organisation'),
    keys,
    profile: profileNamed(settings, 'Organisation Certificate'),
  }
  const chain = (await authorities(hands.store)).filter(one => one.pki === 'iki')
  for (const party of testParties) {
    const folder = privateFolder(join(home.credentials, party.name))
    const id = await hands.store.transaction(async client => {
      const id = await registerParty(client, party, hands.clock())
      const roles = party.roles.map(({ role, eui64 }) => `${role} ${eui64}`)
      await append(client, entry('register party', hands.clock(), { party: id, name: party.name, roles }))
      return id
    })
    witness(
      `${party.name}: ${party.roles.map(({ role, eui64 }) => `${roleName(role)} ${eui64.toUpperCase()}`).join(', ')}`,
    )

    for (const kind of party.credentials) {
      const key = makeKeyPair('RSA-2048')
      const systemName = `${party.name}-${kind.toLowerCase().replace('_', '-')}`
      const role = party.roles[0]!.role
      const request = {
        party: id,
        kind,
        role,
        systemName,
        tradingName: party.tradingName,
        publicKey: key.publicKey,
      }
      const certificate = await issueIki(hands, ica, request)
      write(
        folder,
        kind.toLowerCase().replace('_', '-'),
        key,
        certificate,
        chain.filter(one => one.level === 'issuing').map(one => one.certificate),
      )
    }
    for (const [i, { role, usage, name }] of party.organisation.entries()) {
      const key = makeKeyPair('P-256')
      const eui64 = party.roles.find(one => one.role === role)!.eui64
      const request = { role, eui64, usage, publicKey: key.publicKey, ...(name && { commonName: name }) }
      const certificate = await issueOrganisation(hands, oca, request)
      write(
        folder,
        `organisation-${i + 1}-${roleName(role)}-${usage === 'keyAgreement' ? 'ka' : 'ds'}`,
        key,
        certificate,
        [],
      )
    }
    const apiKey = view(hands.chance(32)).toString('base64url')
    await hands.store.transaction(client => enterApiKey(client, id, apiKey, hands.clock()))
    writePrivate(join(folder, 'repository-api-key'), `${apiKey}\n`)
    writePrivate(join(folder, 'server-ca.crt.pem'), readFileSync(tlsFiles(home).ca))
  }
}

function write(
  folder: string,
  name: string,
  key: KeyPair,
  certificate: Certificate,
  chain: readonly Certificate[],
): void {
  const pem = key.pem()
  writePrivate(join(folder, `${name}.key.pem`), pem)
  pem.fill(0)
  writePrivate(
    join(folder, `${name}.crt.pem`),
    [certificate, ...chain].map(one => toPem('CERTIFICATE', one.der)).join(''),
  )
}

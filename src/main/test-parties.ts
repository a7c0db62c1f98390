/** The Parties of a test environment: who they are, and what their software needs. Data; test-registration.ts registers them. */

import type { CertificateKind } from '../policy/registration/credentials.ts'
import type { CertificatePolicy } from '../policy/registration/offices.ts'
import type { SreptInterface } from '../policy/registration/srept.ts'

export interface TestParty {
  /** Short, for folders and commands. */
  readonly name: string
  readonly kind: 'party' | 'dcc'
  readonly legalName: string
  readonly tradingName: string
  /** EUI-64s of a range that no real company was given (the locally administered bit is set). */
  readonly userRoles: readonly { readonly userRole: string; readonly first: string; readonly last: string }[]
  /** What it is an Authorised Subscriber for, and its ARO is authorised for. */
  readonly policies: readonly CertificatePolicy[]
  readonly interfaces: readonly SreptInterface[]
  /** Remote Party Role in the OU of its IKI Certificates. */
  readonly role: number
  readonly credentials: readonly CertificateKind[]
  readonly organisation: readonly TestOrganisationCertificate[]
}

export interface TestOrganisationCertificate {
  readonly role: number
  readonly eui64: string
  readonly usage: 'digitalSignature' | 'keyAgreement'
  readonly commonName?: string
}

const pair = (role: number, eui64: string) =>
  [
    { role, eui64, usage: 'digitalSignature' },
    { role, eui64, usage: 'keyAgreement' },
  ] as const

const both = ['smki-organisation', 'smki-device'] as const

export const testParties: readonly TestParty[] = [
  {
    name: 'import-supplier',
    kind: 'party',
    legalName: 'Test Import Supplier Limited',
    tradingName: 'Test Import Supplier',
    userRoles: [
      { userRole: 'IS', first: '02a0000000010000', last: '02a0000000017fff' },
      { userRole: 'GS', first: '02a0000000018000', last: '02a000000001ffff' },
    ],
    policies: both,
    interfaces: ['PORTAL_ORG', 'PORTAL_DEVICE', 'ADHOC_WS', 'BATCH_WS', 'REPO_WS'],
    role: 0x02,
    credentials: ['ADHOC_WS', 'BATCH_WS'],
    // The third is the prepayment top-up key: one profile, two certificates in use (certificates.md section 4).
    organisation: [
      { role: 0x02, eui64: '02a0000000010000', usage: 'digitalSignature', commonName: 'TESTSUPPLIER' },
      { role: 0x02, eui64: '02a0000000010000', usage: 'keyAgreement' },
      { role: 0x02, eui64: '02a0000000010000', usage: 'keyAgreement' },
    ],
  },
  {
    name: 'meter-maker',
    kind: 'party',
    legalName: 'Test Meter Manufacturer Limited',
    tradingName: 'Test Meter Manufacturer',
    userRoles: [{ userRole: 'OU', first: '02a0000000020000', last: '02a000000002ffff' }],
    policies: ['smki-device'],
    interfaces: ['PORTAL_DEVICE', 'BATCH_WS', 'REPO_WS'],
    role: 0x7f,
    credentials: ['BATCH_WS'],
    organisation: [],
  },
  {
    name: 'network-operator',
    kind: 'party',
    legalName: 'Test Network Operator Limited',
    tradingName: 'Test Network Operator',
    userRoles: [{ userRole: 'ED', first: '02a0000000030000', last: '02a000000003ffff' }],
    policies: both,
    interfaces: ['PORTAL_ORG', 'PORTAL_DEVICE', 'BATCH_WS', 'REPO_WS'],
    role: 0x03,
    credentials: ['BATCH_WS'],
    organisation: pair(0x03, '02a0000000030000'),
  },
  {
    name: 'dcc',
    kind: 'dcc',
    legalName: 'Test DCC Limited',
    tradingName: 'Test DCC',
    userRoles: [{ userRole: 'DCC', first: '02a0000000040000', last: '02a000000004ffff' }],
    policies: both,
    interfaces: ['PORTAL_ORG', 'PORTAL_DEVICE', 'ADHOC_WS', 'BATCH_WS', 'REPO_WS'],
    role: 0x01,
    // Signs the files of the Repository.
    credentials: ['ADHOC_WS', 'BATCH_WS', 'FILE_SIGN'],
    organisation: [
      { role: 0x01, eui64: '02a0000000040001', usage: 'digitalSignature' },
      ...pair(0x04, '02a0000000040004'),
      { role: 0x05, eui64: '02a0000000040005', usage: 'digitalSignature' },
      { role: 0x06, eui64: '02a0000000040006', usage: 'digitalSignature' },
    ],
  },
]

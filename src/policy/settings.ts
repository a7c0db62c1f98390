/** The one configuration file: every key with its default, its meaning and, where the Code leaves it open, its register ID. */

import { z } from 'zod'
import { dcckiSettings } from './dccki/settings.ts'
import { governanceSettings } from './documents/settings.ts'
import { keyStoreSettings } from './key-store.ts'
import { performanceSettings } from './performance/settings.ts'
import { recoverySettings } from './recovery/settings.ts'
import { registrationSettings } from './registration/settings.ts'
import { revocationSettings } from './revocation/settings.ts'

/** An ASSUMED value: `assumed('CERT-A01', 'H', schema, default, says)`; the register IDs are the specification's. */
export const assumed = <T extends z.ZodType>(
  id: string,
  confidence: 'H' | 'M' | 'L',
  type: T,
  byDefault: z.input<T>,
  says: string,
) =>
  (type as z.ZodType)
    .default(byDefault)
    .meta({ id: undefined, assumed: id, confidence, byDefault, says }) as unknown as z.ZodDefault<T>

const oid = z.string().regex(/^[0-2](\.(0|[1-9]\d*))+$/)
const port = z.int().min(0).max(65535)
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/)
const caName = z.string().regex(/^[A-Za-z0-9 '()+,\-./:=?]{1,4}$/)

const schedule = (
  id: string,
  confidence: 'H' | 'M' | 'L',
  everyHours: number,
  validHours: number,
  afterHours: number,
  says: string,
) =>
  assumed(
    id,
    confidence,
    z.strictObject({
      everyHours: z.number().positive(),
      validHours: z.number().positive(),
      afterRevocationHours: z.number().positive(),
    }),
    { everyHours, validHours, afterRevocationHours: afterHours },
    says,
  )

const year = 365 * 24
const testPolicy = '1.2.826.0.1.8641679.1.2.1.4'

/** As `Date` numbers them. */
export const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
export type Weekday = (typeof weekdays)[number]

/** Statuses that a code of ours may stand for. */
const statuses = [
  'UNKNOWN_DEVICE',
  'ISSUANCE_ANOMALY',
  'INELIGIBLE',
  'CSR_ERROR',
  'CA_ERROR',
  'WORKFLOW_ERROR',
] as const

const certificates = z.strictObject({
  rootYears: assumed('CERT-A01', 'H', z.int().min(1).max(100), 50, 'validity of root certificates, years'),
  issuingYears: assumed('CERT-A01', 'H', z.int().min(1).max(100), 25, 'validity of issuing CA certificates, years'),
  organisationYears: assumed(
    'CERT-A01',
    'H',
    z.int().min(1).max(100),
    10,
    'validity of Organisation Certificates, years',
  ),
  rootPathLength: assumed('CERT-A02', 'M', z.int().min(1).max(9), 1, 'pathLenConstraint of roots'),
  issuingDcaUsages: assumed(
    'CERT-A03',
    'M',
    z.array(z.enum(['keyCertSign', 'cRLSign'])).min(1),
    ['keyCertSign'],
    'keyUsage of an Issuing DCA',
  ),
  wrappedContingencyKeyOid: assumed(
    'CERT-A04',
    'H',
    oid,
    '1.3.6.1.5.5.7.1.20',
    'extension that carries the wrapped contingency key',
  ),
  caNameOctets: assumed('CERT-A05', 'H', z.int().min(1).max(64), 4, 'longest common name of an OCA or DCA, octets'),
  organisationNameCharacters: assumed(
    'CERT-A06',
    'L',
    z.int().min(1).max(64),
    16,
    'longest CN of an Organisation Certificate',
  ),
  issuingDcaCertificates: assumed(
    'CERT-A07',
    'M',
    z.int().min(1),
    100_000,
    'Device Certificates that one Issuing DCA key signs at most',
  ),
  issuingDcaMonths: assumed('CERT-A07', 'M', z.int().min(1), 3, 'months that an Issuing DCA key is used at most'),
  ikiYears: assumed('CERT-A08', 'L', z.int().min(1).max(50), 10, 'validity of IKI Certificates, years'),
  dcckiInfrastructureYears: assumed(
    'CERT-A09',
    'L',
    z.int().min(1).max(50),
    3,
    'validity of DCCKI Infrastructure Certificates',
  ),
  dcckiPersonnelYears: assumed(
    'CERT-A09',
    'L',
    z.int().min(1).max(50),
    2,
    'validity of DCCKI Personnel Authentication Certificates',
  ),
  s1spkiYears: assumed('CERT-A10', 'L', z.int().min(1).max(50), 10, 'validity of S1SPKI end entity certificates'),
  policyOrganisation: assumed(
    'CERT-A12',
    'M',
    oid,
    testPolicy,
    'policy OID of the Organisation PKI (test environments: as seen)',
  ),
  policyDevice: assumed(
    'CERT-A12',
    'M',
    oid,
    testPolicy,
    'policy OID of the Device PKI (test environments: as seen)',
  ),
  policyIki: assumed('CERT-A12', 'L', oid, testPolicy, 'policy OID of the IKI'),
  policyDccki: assumed('CERT-A12', 'L', oid, testPolicy, 'policy OID of the DCCKI'),
  policyFoc: assumed('CERT-A12', 'L', oid, testPolicy, 'policy OID of the S1SPKI for FOC'),
  policyMoc: assumed('CERT-A12', 'L', oid, testPolicy, 'policy OID of the S1SPKI for MOC'),
  /** Issuing DCAs that the ceremony makes ahead, and the level below which the stock is warned about. */
  issuingDcaStock: z.int().min(1).max(200).default(3),
  issuingDcaStockWarning: z.int().min(0).default(1),
})

const names = z.strictObject({
  rootOca: caName.default('OA'),
  issuingOca: caName.default('O1'),
  rootDca: caName.default('DA'),
  /** `#` is replaced by the running number of the stock, in upper-case hexadecimal. */
  issuingDca: z
    .string()
    .regex(/^[A-Z]#$/)
    .default('D#'),
  operator: z.string().min(1).max(64).default('OpenSMKI test operator'),
  ikiId: z.string().min(1).max(16).default('1'),
  focOperator: z.string().min(1).max(64).default('FOC S1SP'),
  mocOperator: z.string().min(1).max(64).default('MOC S1SP'),
})

const lists = z.strictObject({
  organisationCrl: schedule('CERT-A11', 'H', 12, 48, 1, 'Organisation CRL'),
  organisationArl: schedule('CERT-A11', 'H', year, year, 24, 'Organisation ARL'),
  deviceArl: schedule('CERT-A11', 'M', year, year, 24, 'Device ARL'),
  ikiCrl: schedule('CERT-A11', 'L', 12, 48, 1, 'IKI CRL'),
  ikiArl: schedule('CERT-A11', 'L', year, year, 24, 'IKI ARL'),
  dcckiCrl: schedule('CERT-A11', 'L', 12, 48, 1, 'DCCKI CRL'),
  dcckiArl: schedule('CERT-A11', 'L', year, year, 24, 'DCCKI ARL'),
  s1spkiCrl: schedule('CERT-A11', 'L', 12, 48, 1, 'S1SPKI CRL'),
  s1spkiArl: schedule('CERT-A11', 'L', year, year, 24, 'S1SPKI ARL'),
})

const services = z.strictObject({
  host: z.string().default('127.0.0.1'),
  /** Names and addresses in the TLS server certificates, besides the host. */
  serverNames: z.array(z.string()).default(['localhost', '127.0.0.1', '::1']),
  /** Ad Hoc and Batched Device CSR web services. */
  devicePort: port.default(8443),
  /** Repository web service. */
  repositoryPort: port.default(8444),
  /** Operator API, for officers of the Registration Authority and of the Parties. */
  operatorPort: port.default(8445),
  /** The plain HTTP listener that Smart DCC's client expects; test environments only; null is off. */
  plainRepositoryPort: port.nullable().default(null),
  /** The journal's public files, for everybody who reaches the port; null publishes nothing. */
  journalPort: port.nullable().default(8447),
  /** The Portal, for officers with the token of an IKI Certificate; null is off (`npm start` sets 8446, 8449 and 8451). */
  portalPort: port.nullable().default(null),
  /** The Repository Portal, by user name and password; null is off. */
  repositoryPortalPort: port.nullable().default(null),
  /** The Repository's files by SFTP, which are made when this is set; null is off. */
  sftpPort: port.nullable().default(null),
  /** SFTP connections at a time. */
  sftpConnections: z.int().min(1).default(200),
  /** SFTP connections of one Party at a time. */
  sftpConnectionsOfParty: z.int().min(1).default(20),
  /** The Portal's page of test identities: plain HTTP on 127.0.0.1, test environments only; null is off. */
  testPortalPort: port.nullable().default(null),
  adHocPath: assumed(
    'SVC-A07',
    'L',
    z.string().startsWith('/'),
    '/1.0/AdHocDeviceCSR/DeviceCertificateSigningRequest',
    'path of the Ad Hoc Device CSR Web Service',
  ),
  tls13: assumed('SVC-A01', 'M', z.boolean(), false, 'TLS 1.3 on the service interface'),
  /** A connection without traffic is closed after so long (the client renegotiates after 5 minutes). */
  idleSeconds: z.int().min(1).default(300),
  /** The head of a request must be there within, and each further octet of its body within; a slower one is cut. */
  headSeconds: z.int().min(1).default(30),
  bodySilenceSeconds: z.int().min(1).default(30),
  /** A request must have arrived whole within. */
  requestSeconds: z.int().min(1).default(600),
  bodyMiB: z.number().positive().default(64),
  /** At each listener, at a time. When all are taken, a newcomer gets the place of whoever was silent longest. */
  connections: z.int().min(1).default(2000),
  /** Of them from one address (of IPv6: one network of 64 bits). Behind a relay, which is one address, as many as of all. */
  connectionsOfAddress: z.int().min(1).default(500),
  /** New connections a second from one address, at each listener; in a burst, those of five seconds. */
  newConnectionsOfAddress: z.number().positive().default(100),
  /** What a body must bring in the mean, once it has had as long as a head; a slower one is cut. 0: any. */
  bodyOctetsPerSecond: z.int().min(0).default(500),
})

const issuing = z.strictObject({
  /** CSRs in one batch (L8.2). */
  batchMaximum: z.int().min(1).default(50_000),
  /** Certificates per Device ID above which the Registration Authority must act first (APPM). */
  deviceThreshold: z.int().min(1).default(100),
  eligibilityOnAdHoc: assumed(
    'SVC-A03',
    'L',
    z.boolean(),
    false,
    'L3.16 checked by the Ad Hoc Device CSR Web Service',
  ),
  /** `automatic`: the Registration Authority's standing rule approves every batch that was accepted. */
  approval: z.enum(['automatic', 'manual']).default('automatic'),
  /** Of zip files from the Portal: `manual` waits for Registration Authority Personnel whatever `approval` says. */
  portalApproval: z.enum(['as approval', 'manual']).default('manual'),
  /** Processing window (APPN); null is always open. */
  window: z
    .strictObject({ from: clock, until: clock, zone: z.string().default('Europe/London') })
    .nullable()
    .default(null),
  pickupDays: z.int().min(1).default(30),
  rejectionDays: assumed(
    'registration-revocation.md 5.3',
    'M',
    z.int().min(1),
    30,
    'days after its issue in which an Organisation Certificate may be rejected; silence is acceptance (L11.7)',
  ),
  afterPickup: assumed('SVC-A08', 'M', z.enum(['FM:AA3', 'WF:BB1']), 'FM:AA3', 'answer after the pick-up window'),
  /** Our own error codes and texts by their default code (and the status of CA:EE1, the 100 rule: SVC-A05). */
  codes: assumed(
    'SVC-A06',
    'L',
    z.record(
      z.string(),
      z.strictObject({
        status: z.enum(statuses).optional(),
        code: z.string().optional(),
        text: z.string().optional(),
      }),
    ),
    {},
    'error codes and texts that differ from the default table',
  ),
  /** Signer processes; the first is the lead, which also does what only one may do. */
  signers: z.int().min(1).max(8).default(1),
  /** How often in ten minutes a signer process that ended is started again; then, or with 0 at once, the service stops. */
  signerRestarts: z.int().min(0).max(100).default(5),
  /** Worker threads of each signer process; 0 divides the processors among them. */
  threads: z.int().min(0).max(64).default(0),
  /** CSRs that are written down, signed and kept together. */
  portion: z.int().min(1).max(2000).default(1000),
})

const repository = z.strictObject({
  badKeyStatus: assumed(
    'REP-A02',
    'L',
    z
      .int()
      .min(400)
      .max(499)
      .refine(status => status !== 401 && status !== 402, '401 and 402 have a meaning of their own'),
    403,
    'HTTP status for a bad API key',
  ),
  inUse: assumed('REP-A04', 'M', z.enum(['immediate']), 'immediate', 'when I becomes N'),
  manufacturingFlag: assumed(
    'REP-A05',
    'L',
    z.enum(['first', 'never']),
    'first',
    'certificates with ManufacturingFlag true',
  ),
  /** API keys accepted in a test environment besides those of the Parties; refused in production. */
  testKeys: z.array(z.string().min(8)).default([]),
})

/** Of the Repository, for SFTP. */
const files = z.strictObject({
  at: assumed(
    'REP-A08',
    'L',
    clock,
    '00:30',
    'time of day, in performance.zone, at which files for SFTP are made of what happened until midnight',
  ),
  fullOn: assumed(
    'REP-A08',
    'L',
    z.array(z.enum(weekdays)),
    ['Sunday'],
    'weekdays on which a full file is made: each that some user has agreed',
  ),
  deltaDays: assumed('REP-A08', 'L', z.int().min(1).max(3660), 35, 'days for which delta files are kept'),
  fullWeeks: assumed('REP-A08', 'L', z.int().min(1).max(520), 5, 'weeks for which full files are kept'),
})

const backup = z.strictObject({
  /** A folder, best on another disk: the embedded store's log is copied there, and backups lie there; null is off. */
  archive: z.string().min(1).nullable().default(null),
  /** How often the log is copied: so much is lost at most with the disk of the store. */
  everySeconds: z.number().positive().default(10),
})

export const settingsSchema = z.strictObject({
  environment: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 _-]{0,31}$/),
  kind: z.enum(['test', 'production']),
  keyStore: keyStoreSettings.prefault({}),
  certificates: certificates.prefault({}),
  names: names.prefault({}),
  lists: lists.prefault({}),
  services: services.prefault({}),
  issuing: issuing.prefault({}),
  repository: repository.prefault({}),
  files: files.prefault({}),
  registration: registrationSettings(assumed).prefault({}),
  revocation: revocationSettings(assumed).prefault({}),
  governance: governanceSettings(assumed).prefault({}),
  dccki: dcckiSettings(assumed).prefault({}),
  performance: performanceSettings(assumed).prefault({}),
  recovery: recoverySettings(assumed).prefault({}),
  backup: backup.prefault({}),
})

export type Settings = z.output<typeof settingsSchema>

export interface Assumption {
  readonly id: string
  readonly key: string
  readonly confidence: 'H' | 'M' | 'L'
  readonly says: string
  readonly value: unknown
  readonly atDefault: boolean
}

/** Every ASSUMED value with what it is set to: the run-time self-description that the specification asks for. */
export function assumptions(settings: object, schema: z.ZodObject = settingsSchema): Assumption[] {
  return Object.entries(schema.shape).flatMap(([group, type]) => {
    const inner = type instanceof z.ZodPrefault ? type.unwrap() : type
    if (!(inner instanceof z.ZodObject)) return []
    const values = (settings as Record<string, Record<string, unknown>>)[group]!
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, type]) => {
      const meta = type.meta() as
        | { assumed?: string; confidence: 'H' | 'M' | 'L'; byDefault: unknown; says: string }
        | undefined
      if (!meta?.assumed) return []
      const atDefault = JSON.stringify(values[key]) === JSON.stringify(meta.byDefault)
      return [
        {
          id: meta.assumed,
          key: `${group}.${key}`,
          confidence: meta.confidence,
          says: meta.says,
          value: values[key],
          atDefault,
        },
      ]
    })
  })
}

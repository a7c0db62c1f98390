/** The certification authority that stands for one of the CA/Browser Forum in a test environment (certificates.md 9). */

import { oids } from '../ground/x509/names.ts'
import type { Profile } from './profile.ts'
import { aki, ca, caUsage, ski } from './rows.ts'

const common = { pki: 'test-tls', family: 'tls', clause: 'certificates.md 9', key: 'RSA-2048' } as const

export const testTlsCa: Profile = {
  ...common,
  name: 'Test TLS CA Certificate',
  subject: [
    { attribute: 'organizationName', string: 'UTF8String' },
    { attribute: 'commonName', string: 'UTF8String' },
  ],
  validity: { years: 25, from: 'moment' },
  extensions: [caUsage, ca(0), ski],
}

export const testTlsServer: Profile = {
  ...common,
  name: 'TLS Server Certificate',
  subject: [{ attribute: 'commonName', string: 'UTF8String' }],
  validity: { years: 1, from: 'moment' },
  extensions: [
    { is: 'keyUsage', critical: true, all: ['digitalSignature', 'keyEncipherment'] },
    { is: 'extendedKeyUsage', critical: false, purposes: [oids.serverAuth] },
    { is: 'serverNames', critical: false },
    ski,
    aki,
  ],
}

/** The certificates by which S1SP and DCO know each other's connections in a test environment: one small authority each. */

import { oids } from '../../ground/x509/names.ts'
import type { Profile } from '../profile.ts'
import { aki, ski } from '../rows.ts'
import { testTlsCa } from '../test-tls.ts'

export const peerTlsCa: Profile = testTlsCa

/** What the S1SP comes to the DCO's door with. */
export const peerTlsClient: Profile = {
  pki: 'test-tls',
  family: 'tls',
  clause: 'smets1-keys.md 6',
  key: 'RSA-2048',
  name: 'TLS Client Certificate',
  subject: [{ attribute: 'commonName', string: 'UTF8String' }],
  validity: { years: 1, from: 'moment' },
  extensions: [
    { is: 'keyUsage', critical: true, all: ['digitalSignature'] },
    { is: 'extendedKeyUsage', critical: false, purposes: [oids.clientAuth] },
    ski,
    aki,
  ],
}

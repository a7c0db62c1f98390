/** The local TLS authority of a test environment, and the server certificate that the doors show. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { wholeSecond } from '../ground/clock.ts'
import type { ServerCredentials } from '../ground/http/listen.ts'
import { type KeyPair, makeKeyPair } from '../ground/keystore/pair.ts'
import { Refusal } from '../ground/refusal.ts'
import { assembleCertificate } from '../ground/x509/assemble.ts'
import { type Certificate, readCertificate } from '../ground/x509/certificate.ts'
import { toPem } from '../ground/x509/pem.ts'
import { conform } from '../policy/conform.ts'
import type { Settings } from '../policy/settings.ts'
import { testTlsCa, testTlsServer } from '../policy/test-tls.ts'
import type { Wanted } from '../policy/wanted.ts'
import type { Hands } from '../rooms/authority/issue-one.ts'
import { planFor } from '../rooms/authority/plan.ts'
import { serialNumbers } from '../rooms/authority/serial.ts'
import { type Home, privateFolder, writePrivate } from './home.ts'

export interface TlsFiles {
  readonly key: string
  /** The server certificate and its authority. */
  readonly chain: string
  readonly ca: string
}

export function tlsFiles(home: Home): TlsFiles {
  return {
    key: join(home.tls, 'server.key.pem'),
    chain: join(home.tls, 'server.crt.pem'),
    ca: join(home.tls, 'ca.crt.pem'),
  }
}

/** What the doors show. @throws Refusal TLS_MISSING */
export function serverCredentials(home: Home): ServerCredentials {
  const { key, chain } = tlsFiles(home)
  try {
    return { key: readFileSync(key), chain: readFileSync(chain) }
  } catch (cause) {
    throw new Refusal('TLS_MISSING', `the doors need a TLS server key in ${key} and its certificates in ${chain}`, {
      cause,
    })
  }
}

/**
 * Makes both, and forgets the authority's key: a test environment that needs another server certificate makes another
 * authority. Neither stands in the register, for they are no certificates of the SMKI.
 */
export function makeTls(hands: Pick<Hands, 'clock' | 'chance'>, home: Home, settings: Settings): Certificate {
  const ca = makeKeyPair('RSA-2048')
  const server = makeKeyPair('RSA-2048')
  const sign = (by: KeyPair, wanted: Omit<Wanted, 'serial' | 'moment'>) => {
    const whole: Wanted = { ...wanted, serial: serialNumbers(hands.chance)(), moment: wholeSecond(hands.clock()) }
    const { tbs } = conform(planFor(whole.profile, whole.issuer)(whole), whole)
    return readCertificate(assembleCertificate(tbs, by.sign(tbs)))
  }
  const root = sign(ca, {
    profile: testTlsCa,
    issuer: 'self',
    subject: { organizationName: settings.names.operator, commonName: `Test TLS CA ${settings.environment}` },
    publicKey: ca.publicKey,
  })
  const { host, serverNames } = settings.services
  const leaf = sign(ca, {
    profile: testTlsServer,
    issuer: root,
    subject: { commonName: serverNames[0] ?? host },
    publicKey: server.publicKey,
    serverNames: serverNames.length > 0 ? serverNames : [host],
  })
  const files = tlsFiles(home)
  privateFolder(home.tls)
  const pem = server.pem()
  writePrivate(files.key, pem)
  pem.fill(0)
  writePrivate(files.chain, toPem('CERTIFICATE', leaf.der) + toPem('CERTIFICATE', root.der))
  writePrivate(files.ca, toPem('CERTIFICATE', root.der))
  return root
}

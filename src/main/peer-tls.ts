/** TLS between S1SP and DCO in a test environment: each makes a small authority, and what it shows under it. */

import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { wholeSecond } from '../ground/clock.ts'
import { type KeyPair, makeKeyPair } from '../ground/keystore/pair.ts'
import { assembleCertificate } from '../ground/x509/assemble.ts'
import { readCertificate } from '../ground/x509/certificate.ts'
import { toPem } from '../ground/x509/pem.ts'
import { conform } from '../policy/conform.ts'
import { peerTlsCa, peerTlsClient } from '../policy/symmetric/tls.ts'
import { testTlsServer } from '../policy/test-tls.ts'
import type { Wanted } from '../policy/wanted.ts'
import { planFor } from '../rooms/authority/plan.ts'
import { serialNumbers } from '../rooms/authority/serial.ts'
import { privateFolder, writePrivate } from './home.ts'
import { systemChance, systemClock } from './world.ts'

/** PEM. */
export interface PeerTls {
  readonly authority: string
  readonly key: Buffer
  /** The certificate, and its authority. */
  readonly chain: string
  /** SHA-256 of the certificate, DER, lower-case hexadecimal: what the other side knows it by. */
  readonly fingerprint: string
}

const files = { authority: 'ca.crt.pem', key: 'key.pem', chain: 'crt.pem', fingerprint: 'fingerprint' } as const

/** Makes an authority and one certificate, and forgets the authority's key. @param serverNames of a server; none of a client */
export function makePeerTls(folder: string, name: string, serverNames: readonly string[] = []): void {
  const ca = makeKeyPair('RSA-2048')
  const own = makeKeyPair('RSA-2048')
  const sign = (by: KeyPair, wanted: Omit<Wanted, 'serial' | 'moment'>) => {
    const serial = serialNumbers(systemChance)()
    const whole: Wanted = { ...wanted, serial, moment: wholeSecond(systemClock()) }
    const { tbs } = conform(planFor(whole.profile, whole.issuer)(whole), whole)
    return readCertificate(assembleCertificate(tbs, by.sign(tbs)))
  }
  const root = sign(ca, {
    profile: peerTlsCa,
    issuer: 'self',
    subject: { organizationName: name, commonName: `TLS CA of ${name}` },
    publicKey: ca.publicKey,
  })
  const server = serverNames.length > 0
  const leaf = sign(ca, {
    profile: server ? testTlsServer : peerTlsClient,
    issuer: root,
    subject: { commonName: server ? serverNames[0]! : name },
    publicKey: own.publicKey,
    ...(server && { serverNames }),
  })
  privateFolder(folder)
  const pem = own.pem()
  writePrivate(join(folder, files.key), pem)
  pem.fill(0)
  writePrivate(join(folder, files.chain), toPem('CERTIFICATE', leaf.der) + toPem('CERTIFICATE', root.der))
  writePrivate(join(folder, files.authority), toPem('CERTIFICATE', root.der))
  writePrivate(join(folder, files.fingerprint), hash('sha256', leaf.der))
}

export function readPeerTls(folder: string): PeerTls {
  const text = (name: string) => readFileSync(join(folder, name), 'utf8')
  return {
    authority: text(files.authority),
    key: readFileSync(join(folder, files.key)),
    chain: text(files.chain),
    fingerprint: text(files.fingerprint),
  }
}

/** Smart DCC's published messages and certificates, read where they lie. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { anchorOf } from '../../simulator/smets2/anchor.ts'
import { fromHex, toHexUpper } from '../../src/ground/bytes.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { readPemOrDer } from '../../src/ground/x509/pem.ts'

const folder = new URL('../../../shared/data/gbcs/', import.meta.url)
const certificateFolder = new URL('../../../shared/data/dcc-certs/', import.meta.url)

export const isThere = existsSync(folder) && existsSync(certificateFolder)
export const skip = isThere
  ? false
  : '../shared/data/gbcs and ../shared/data/dcc-certs are not here (external test data)'

export const messageNames: readonly string[] = isThere
  ? readdirSync(folder).filter(name => name.endsWith('.HEX'))
  : []

export function message(name: string): Buffer {
  return fromHex(readFileSync(new URL(name, folder), 'utf8').trim().toLowerCase())
}

/** Every certificate that can be read; those of the negative tests are not among them. */
export const certificates: readonly Certificate[] = isThere
  ? readdirSync(certificateFolder, { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.pem') && !name.startsWith('negative') && !name.includes('public-keys'))
      .flatMap(name =>
        readPemOrDer(readFileSync(new URL(name, certificateFolder)), [
          'CERTIFICATE',
          'CERTIFICATE REQUEST',
          'PUBLIC KEY',
        ]),
      )
      .flatMap(der => {
        try {
          return [readCertificate(der)]
        } catch {
          return []
        }
      })
  : []

/** By their key identifiers, upper-case hexadecimal. */
export const byKeyId: ReadonlyMap<string, Certificate> = new Map(
  certificates
    .filter(one => one.extensions.some(extension => extension.oid === oids.subjectKeyIdentifier))
    .map(one => [toHexUpper(anchorOf(one).keyId), one]),
)

/** The key of the root ZA, which was never published as a certificate. @returns SubjectPublicKeyInfo */
export function rootKey(): Buffer {
  const name = readdirSync(new URL('issuer-public-keys-recovered/', certificateFolder)).find(one =>
    /ZA/i.test(one),
  )!
  const pem = readFileSync(new URL(`issuer-public-keys-recovered/${name}`, certificateFolder), 'utf8')
  return Buffer.from(/-----BEGIN PUBLIC KEY-----([^-]+)-----END/.exec(pem)![1]!, 'base64')
}

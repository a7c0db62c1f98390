/** How a Device judges a certificate for a cell, as Smart DCC's test Devices did (recovery.md section 10). */

import { verify } from 'node:crypto'
import { type Bytes, view } from '../../src/ground/bytes.ts'
import type { Cell } from '../../src/ground/gbcs/cell.ts'
import type { StatusCode } from '../../src/ground/gbcs/use-cases.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { readBasicConstraints, readKeyUsage } from '../../src/ground/x509/extensions.ts'
import { sameName } from '../../src/ground/x509/name.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { type Anchor, anchorOf } from './anchor.ts'

export interface Judgement {
  readonly status: StatusCode
  /** Of a certificate that may be taken. */
  readonly anchor?: Anchor
}

export interface Circumstances {
  readonly root: Anchor
  /** Certificates of the command's path. */
  readonly path: readonly Bytes[]
  /** Undefined: the validity periods are not looked at. */
  readonly at: Date | undefined
}

/**
 * Each cell is judged alone. An unknown issuer and a path certificate whose signature is broken are both "no trust
 * anchor"; what is wrong with the certificate itself is "bad certificate". The role in the OU is not compared with the
 * cell (rows 15 and 18).
 */
export function judge(der: Bytes, cell: Cell, circumstances: Circumstances): Judgement {
  const certificate = read(der)
  if (!certificate) return { status: 5 }
  if (!hasUsage(certificate, cell.keyUsage)) return { status: 5 }
  const issuer = issuerOf(certificate, circumstances)
  if (!issuer) return { status: 10 }
  if (!isSignedBy(certificate, issuer)) return { status: 5 }
  if (circumstances.at && !isValid(certificate, circumstances.at)) return { status: 5 }
  return { status: 0, anchor: anchorOf(certificate) }
}

export function read(der: Bytes): Certificate | undefined {
  try {
    return readCertificate(der)
  } catch {
    return undefined
  }
}

/** The key that must have signed it: of the root, or of a path certificate that itself leads to the root. */
function issuerOf(certificate: Certificate, { root, path, at }: Circumstances): Bytes | undefined {
  if (root.name && sameName(certificate.issuer, root.name)) return root.publicKey
  for (const der of path) {
    const one = read(der)
    if (!one || !sameName(one.subject, certificate.issuer)) continue
    // A root that is known by its key alone, as in test data without its certificate, has no name to compare.
    const isUnderRoot = root.name === undefined || sameName(one.issuer, root.name)
    if (!isUnderRoot || !isAuthority(one) || !isSignedBy(one, root.publicKey)) continue
    if (at && !isValid(one, at)) continue
    return one.publicKey.spki
  }
  return undefined
}

export function isSignedBy(certificate: Certificate, spki: Bytes): boolean {
  const key = { key: view(spki), format: 'der', type: 'spki' } as const
  try {
    return verify('sha256', certificate.tbs, key, certificate.signature)
  } catch {
    return false
  }
}

export function hasUsage(certificate: Certificate, usage: Cell['keyUsage']): boolean {
  const extension = certificate.extensions.find(one => one.oid === oids.keyUsage)
  if (!extension) return false
  const usages = readKeyUsage(extension.value)
  // A root may sign lists too; an end entity has one usage alone.
  return usage === 'keyCertSign' ? usages.includes(usage) : usages.length === 1 && usages[0] === usage
}

function isAuthority(certificate: Certificate): boolean {
  const extension = certificate.extensions.find(one => one.oid === oids.basicConstraints)
  return extension !== undefined && readBasicConstraints(extension.value).ca && hasUsage(certificate, 'keyCertSign')
}

function isValid({ notBefore, notAfter }: Certificate, at: Date): boolean {
  return notBefore.ms <= at.getTime() && at.getTime() <= notAfter.ms + 999
}

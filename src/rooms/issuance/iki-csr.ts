/** The CSR of a credential: read before it is requested, and held against what was approved before it is issued. */

import { hash } from 'node:crypto'
import type { Bytes } from '../../ground/bytes.ts'
import type { CertificateKind } from '../../policy/registration/credentials.ts'
import { ouOf } from '../../policy/roles.ts'
import type { ReadyCertificate } from '../registration/give.ts'
import { type AdmittedIki, admitIki } from './admit-iki.ts'
import { refuseCsr } from './csr.ts'
import { refuse } from './refusals.ts'
import { roleOfNone } from './single.ts'

/** The profile that a kind of credential is issued by, and with it the kind of its key. */
export function ikiProfileOf(kind: CertificateKind): 'IKI Client Certificate' | 'IKI File Signing Certificate' {
  return kind === 'FILE_SIGN' ? 'IKI File Signing Certificate' : 'IKI Client Certificate'
}

export interface IkiCsr {
  readonly admitted: AdmittedIki
  /** As `requestCredential` asks for them: SHA-256 of the CSR and of its SubjectPublicKeyInfo, hexadecimal. */
  readonly sha256: string
  readonly publicKeySha256: string
}

/**
 * For a door, before it calls `requestCredential` with the role, the system name and the digests that this gives.
 * @throws Refusal with a code of csr.ts
 */
export function readIkiCsr(kind: CertificateKind, octets: Bytes): IkiCsr {
  const admitted = admitIki(octets, kind === 'FILE_SIGN' ? 'P-256' : 'RSA-2048')
  return {
    admitted,
    sha256: hash('sha256', octets, 'hex'),
    publicKeySha256: hash('sha256', admitted.publicKey, 'hex'),
  }
}

/**
 * What is issued is what two people approved: that CSR, with that key, for that name.
 * @throws Refusal CSR_NOT_APPROVED, and those of `readIkiCsr`
 */
export function approvedCsr(ready: ReadyCertificate, octets: Bytes): IkiCsr {
  if (hash('sha256', octets, 'hex') !== ready.csrSha256) throw refuse('CSR_NOT_APPROVED')
  const csr = readIkiCsr(ready.kind as CertificateKind, octets)
  if (csr.publicKeySha256 !== ready.publicKeySha256) throw refuse('CSR_NOT_APPROVED', 'it has another key')
  const { tradingName, role, systemName } = csr.admitted
  const due = ready.role ?? roleOfNone
  if (tradingName !== ready.tradingName || role !== due || systemName !== ready.systemName)
    refuseCsr('CR:CC5', `the subject is not O=${ready.tradingName}, OU=${ouOf(due)}, CN=${ready.systemName}`)
  return csr
}

/** Admits a CSR for an IKI Certificate (certificates.md sections 6 and 12), or says what is wrong with it. */

import type { Bytes } from '../../ground/bytes.ts'
import { tag } from '../../ground/der/read.ts'
import { keyIdentifier } from '../../ground/x509/key.ts'
import { attributeText, type Name } from '../../ground/x509/name.ts'
import { oids } from '../../ground/x509/names.ts'
import { type RemotePartyRole, roleFromOu } from '../../policy/roles.ts'
import { criticalExtension, onlyUsage, provenP256, provenRsa2048, readCsr, refuseCsr } from './csr.ts'

const admits = Symbol('admits') // not exported: only `admitIki` can make one

export interface AdmittedIki {
  readonly [admits]: true
  /** O: the Organisation Trading Name. */
  readonly tradingName: string
  /** OU: the Remote Party Role. */
  readonly role: RemotePartyRole
  /** CN: unique among the Party's CSRs for that interface; that is looked up elsewhere. */
  readonly systemName: string
  readonly publicKey: Bytes
  readonly keyId: Bytes
}

/**
 * @param key RSA-2048 for a client, of a person or a system; P-256 for a signer of files (CERT-A08)
 * @throws Refusal with a code of csr.ts
 */
export function admitIki(octets: Bytes, key: 'RSA-2048' | 'P-256' = 'RSA-2048'): AdmittedIki {
  const csr = readCsr(octets)
  const [tradingName, unit, systemName] = readSubject(csr.subject)
  const role = roleFromOu(unit)
  if (role === undefined)
    refuseCsr('CR:CC5', 'the OU of the subject is no Remote Party Role of two hexadecimal digits')
  onlyUsage(criticalExtension(csr, oids.keyUsage, 'keyUsage'), ['digitalSignature'])
  if (key === 'P-256') provenP256(csr)
  else provenRsa2048(csr)
  return {
    [admits]: true,
    tradingName,
    role,
    systemName,
    publicKey: csr.publicKey.spki,
    keyId: keyIdentifier(csr.publicKey.key),
  }
}

const due = [
  { oid: oids.organizationName, says: 'O, the Organisation Trading Name' },
  { oid: oids.organizationalUnitName, says: 'OU, the Remote Party Role Code' },
  { oid: oids.commonName, says: 'CN, the unique name of the system' },
] as const

/** Exactly these three, each once, in whatever order; 1 to 64 characters (RFC 5280 Appendix A.1). */
function readSubject(name: Name): [string, string, string] {
  const attributes = name.rdns.flat()
  if (name.rdns.some(rdn => rdn.length !== 1) || attributes.length !== due.length) {
    refuseCsr('CR:CC5', 'the subject is not O, OU and CN, each once')
  }
  const [organisation, unit, common] = due.map(({ oid, says }) => {
    const found = attributes.find(one => one.oid === oid)
    if (!found) return refuseCsr('CR:CC5', `the subject lacks ${says}`)
    const text =
      found.tag === tag.utf8String || found.tag === tag.printableString ? attributeText(found) : undefined
    if (text === undefined || text === '' || [...text].length > 64)
      return refuseCsr('CR:CC5', `${says} is not 1 to 64 characters of text`)
    return text
  })
  return [organisation!, unit!, common!]
}

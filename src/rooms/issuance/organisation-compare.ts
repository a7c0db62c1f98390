/** What a Subscriber shall do with a downloaded Certificate (L11.5): compare it with its CSR. */

import { type Bytes, equal, toHex } from '../../ground/bytes.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readKeyUsage } from '../../ground/x509/extensions.ts'
import { attributeText, type Name } from '../../ground/x509/name.ts'
import { oidName, oids } from '../../ground/x509/names.ts'
import { readRequest } from '../../ground/x509/request.ts'

/**
 * Every inconsistency, in words: public key, each attribute of the subject, key usage. None means that the Certificate is
 * what was asked for. The type of a string is not one: a CSR may have a PrintableString where the Certificate has UTF-8.
 * @throws NotDer
 */
export function inconsistencies(csr: Bytes, certificate: Bytes): string[] {
  const asked = readRequest(csr)
  const got = readCertificate(certificate)
  const found: string[] = []
  if (!equal(asked.publicKey.spki, got.publicKey.spki)) found.push('the public key is not that of the CSR')
  const before = attributesOf(asked.subject)
  const after = attributesOf(got.subject)
  for (const type of new Set([...before.keys(), ...after.keys()])) {
    if (before.get(type) !== after.get(type)) {
      const say = (value: string | undefined) => value ?? 'nothing'
      found.push(`${oidName(type)} is ${say(after.get(type))}, and ${say(before.get(type))} was asked for`)
    }
  }
  const usage = (extensions: readonly { oid: string; value: Bytes }[]) => {
    const value = extensions.find(one => one.oid === oids.keyUsage)?.value
    return value ? readKeyUsage(value).toSorted().join(', ') : 'nothing'
  }
  const [wanted, given] = [usage(asked.extensions), usage(got.extensions)]
  if (wanted !== given) found.push(`keyUsage is ${given}, and ${wanted} was asked for`)
  return found
}

/** By type; an OU is two hexadecimal digits of either case. */
function attributesOf(name: Name): Map<string, string> {
  return new Map(
    name.rdns.flat().map(one => {
      const text = attributeText(one) ?? toHex(one.content)
      return [one.oid, one.oid === oids.organizationalUnitName ? text.toUpperCase() : text]
    }),
  )
}

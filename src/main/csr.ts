/** CSRs of the Parties and officers of a test environment, as their own software would make them. */

import type { Bytes } from '../ground/bytes.ts'
import {
  bitString,
  boolean,
  integer,
  namedBits,
  nothing,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  tagged,
  utf8String,
} from '../ground/der/write.ts'
import type { KeyPair } from '../ground/keystore/pair.ts'
import { oids } from '../ground/x509/names.ts'
import { ouOf } from '../policy/roles.ts'

/** An IKI CSR of a system or a person (certificates.md section 12): O, OU and CN; RSA-2048, or P-256 for signing files. */
export function ikiCsr(
  pair: KeyPair,
  subject: { readonly tradingName: string; readonly role: number; readonly systemName: string },
): Buffer {
  const name = sequence(
    relative(oids.organizationName, utf8String(subject.tradingName)),
    relative(oids.organizationalUnitName, utf8String(ouOf(subject.role))),
    relative(oids.commonName, utf8String(subject.systemName)),
  )
  const rsa = sequence(oid(oids.sha256WithRsa), nothing())
  return signed(pair, name, 'digitalSignature', pair.kind === 'P-256' ? sequence(oid(oids.ecdsaWithSha256)) : rsa)
}

/** An Organisation CSR (certificates.md section 12): the role, the EUI-64 as 64 bits, and a common name if there is one. */
export function organisationCsr(
  pair: Pick<KeyPair, 'publicKey' | 'sign'>,
  subject: { readonly commonName?: string | undefined; readonly role: number; readonly eui64: Bytes },
  usage: Usage,
): Buffer {
  const name = sequence(
    ...(subject.commonName === undefined ? [] : [relative(oids.commonName, utf8String(subject.commonName))]),
    relative(oids.organizationalUnitName, printableString(ouOf(subject.role))),
    relative(oids.uniqueIdentifier, bitString(subject.eui64)),
  )
  return signed(pair, name, usage, sequence(oid(oids.ecdsaWithSha256)))
}

type Usage = 'digitalSignature' | 'keyAgreement'

const relative = (type: string, value: Bytes) => setOf(sequence(oid(type), value))

function signed(pair: Pick<KeyPair, 'publicKey' | 'sign'>, subject: Bytes, usage: Usage, algorithm: Bytes): Buffer {
  const keyUsage = sequence(
    oid(oids.keyUsage),
    boolean(true),
    octetString(namedBits(usage === 'digitalSignature' ? 0 : 4)),
  )
  const information = sequence(
    integer(0),
    subject,
    pair.publicKey,
    tagged(0, sequence(oid(oids.extensionRequest), setOf(sequence(keyUsage)))),
  )
  return sequence(information, algorithm, bitString(pair.sign(information)))
}

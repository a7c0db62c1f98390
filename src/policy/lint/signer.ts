/** The issuer that was given to a linter: a certificate, or a bare public key. */

import type { Bytes } from '../../ground/bytes.ts'
import { Der } from '../../ground/der/read.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readPublicKey } from '../../ground/x509/key.ts'
import { readPem, readPemOrDer } from '../../ground/x509/pem.ts'
import type { Signer } from './view.ts'

/**
 * The first certificate or public key of a file, PEM or DER. Nothing says here that it may be trusted.
 * @throws NotDer, NotPem
 */
export function readSigner(octets: Bytes): Signer {
  const [der] = readPemOrDer(octets, ['CERTIFICATE', 'PUBLIC KEY'])
  return isPublicKey(octets, der!) ? { publicKey: onlyKey(der!), name: undefined } : ofCertificate(der!)
}

function ofCertificate(der: Bytes): Signer {
  const { publicKey, subject } = readCertificate(der)
  return { publicKey, name: subject }
}

function onlyKey(octets: Bytes): Signer['publicKey'] {
  const der = new Der(octets)
  const publicKey = readPublicKey(der)
  der.finish('the public key')
  return publicKey
}

/** By its label, or in bare DER by the BIT STRING that follows its algorithm. */
function isPublicKey(octets: Bytes, der: Bytes): boolean {
  if (octets[0] !== 0x30) {
    return (
      readPem(Buffer.from(octets).toString('latin1')).find(block => block.der.equals(der))?.label === 'PUBLIC KEY'
    )
  }
  const whole = new Der(der).sequence('the issuer')
  whole.any('the algorithm')
  return whole.peek() === 0x03
}

/** Writes PKCS #12 files (RFC 7292): a private key that lives outside every key store, with its certificates. */

import { createCipheriv, createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import { view } from '../bytes.ts'
import type { Chance } from '../clock.ts'
import * as der from '../der/write.ts'
import type { KeyPair } from './pair.ts'

export interface Pkcs12 {
  readonly pair: Pick<KeyPair, 'pkcs8'>
  /** That of the key first, then those of its authorities; DER. */
  readonly certificates: readonly Bytes[]
  /** What programs show: printable ASCII. */
  readonly friendlyName: string
  /** 4 to 128 printable ASCII characters, as octets; the caller zeroes them. */
  readonly password: Bytes
  readonly chance: Chance
  /** Cost of trying a password. */
  readonly iterations?: number
}

/**
 * Key and certificates each under PBES2 (RFC 8018: PBKDF2 with HMAC-SHA-256, AES-256-CBC), the whole under HMAC-SHA-256
 * (RFC 7292 section 4 and Appendix B). The file opens with nothing but the password: keep it as private as the key.
 * @throws RangeError for a password or name that is not of printable ASCII, or no certificate
 */
export function writePkcs12({ pair, certificates, friendlyName, password, chance, ...more }: Pkcs12): Buffer {
  const { iterations = 600_000 } = more
  if (password.length < 4 || password.length > 128 || !isPrintable(password))
    throw new RangeError('a password of a PKCS #12 file is 4 to 128 printable ASCII characters')
  if (!isPrintable(Buffer.from(friendlyName))) throw new RangeError('a friendly name is printable ASCII')
  const [own] = certificates
  if (!own) throw new RangeError('a PKCS #12 file has the certificate of its key')
  const under: Under = { password, chance, iterations }
  const localKeyId = createHash('sha1').update(own).digest()
  const named = [
    attribute(types.friendlyName, bmpString(friendlyName)),
    attribute(types.localKeyId, octets(localKeyId)),
  ]

  const bags = certificates.map((certificate, i) => certificateBag(certificate, i === 0 ? named : []))
  const key = pair.pkcs8()
  try {
    const { algorithm, ciphertext } = encrypted(key, under)
    const keyBag = bag(types.shroudedKeyBag, der.sequence(algorithm, octets(ciphertext)), named)
    const contents = der.sequence(
      contentInfo(types.encryptedData, encryptedData(der.sequence(...bags), under)),
      contentInfo(types.data, octets(der.sequence(keyBag))),
    )
    return der.sequence(der.integer(3), contentInfo(types.data, octets(contents)), macData(contents, under))
  } finally {
    key.fill(0)
  }
}

/** RFC 7292, RFC 5652 section 4 and 8, RFC 2985, RFC 8018 appendix C, RFC 5754. */
const types = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certificateBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacWithSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const

interface Under {
  readonly password: Bytes
  readonly chance: Chance
  readonly iterations: number
}

const { octetString: octets } = der

/** ContentInfo: a type and its content, [0] EXPLICIT. */
function contentInfo(type: string, content: Bytes): Buffer {
  return der.sequence(der.oid(type), der.tagged(0, content))
}

/** SafeBag: its attributes are a SET OF, left out when there is none. */
function bag(type: string, value: Bytes, attributes: readonly Buffer[]): Buffer {
  const last = attributes.length > 0 ? [der.setOf(...attributes)] : []
  return der.sequence(der.oid(type), der.tagged(0, value), ...last)
}

function attribute(type: string, value: Bytes): Buffer {
  return der.sequence(der.oid(type), der.setOf(value))
}

function certificateBag(certificate: Bytes, attributes: readonly Buffer[]): Buffer {
  const value = der.sequence(der.oid(types.x509Certificate), der.tagged(0, octets(certificate)))
  return bag(types.certificateBag, value, attributes)
}

/** EncryptedData (RFC 5652 section 8) of SafeContents. */
function encryptedData(contents: Bytes, under: Under): Buffer {
  const { algorithm, ciphertext } = encrypted(contents, under)
  const content = der.taggedPrimitive(0, ciphertext)
  return der.sequence(der.integer(0), der.sequence(der.oid(types.data), algorithm, content))
}

/** The AlgorithmIdentifier of PBES2 with fresh salt and IV, and the ciphertext. */
function encrypted(
  plain: Bytes,
  { password, chance, iterations }: Under,
): { algorithm: Buffer; ciphertext: Buffer } {
  const salt = Buffer.from(chance(16))
  const iv = Buffer.from(chance(16))
  const key = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  try {
    const cipher = createCipheriv('aes-256-cbc', key, iv)
    const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()])
    const prf = der.sequence(der.oid(types.hmacWithSha256), der.nothing())
    const derivation = der.sequence(octets(salt), der.integer(iterations), der.integer(32), prf)
    const algorithm = der.sequence(
      der.oid(types.pbes2),
      der.sequence(
        der.sequence(der.oid(types.pbkdf2), derivation),
        der.sequence(der.oid(types.aes256Cbc), octets(iv)),
      ),
    )
    return { algorithm, ciphertext }
  } finally {
    key.fill(0)
  }
}

/** MacData: HMAC over the AuthenticatedSafe, by a key of Appendix B with ID 3. */
function macData(contents: Bytes, { password, chance, iterations }: Under): Buffer {
  const salt = Buffer.from(chance(16))
  const key = derive(password, salt, iterations)
  try {
    const mac = createHmac('sha256', key).update(contents).digest()
    const digestInfo = der.sequence(der.sequence(der.oid(types.sha256), der.nothing()), octets(mac))
    return der.sequence(digestInfo, octets(salt), der.integer(iterations))
  } finally {
    key.fill(0)
  }
}

/** RFC 7292 Appendix B.2 for 32 octets of SHA-256, one block: u = 32, v = 64. The password is a BMPString with its end. */
function derive(password: Bytes, salt: Bytes, iterations: number): Buffer {
  const diversifier = Buffer.alloc(64, 3)
  const text = Buffer.alloc(2 * password.length + 2)
  password.forEach((octet, i) => {
    text[2 * i + 1] = octet
  })
  const repeated = Buffer.concat([filled(salt), filled(text)])
  let block = createHash('sha256').update(diversifier).update(repeated).digest()
  text.fill(0)
  repeated.fill(0)
  for (let i = 1; i < iterations; i++) {
    const next = createHash('sha256').update(block).digest()
    block.fill(0)
    block = next
  }
  return block
}

/** Repeated to a whole number of blocks of 64 octets. */
function filled(from: Bytes): Buffer {
  const to = Buffer.alloc(64 * Math.ceil(from.length / 64))
  for (let i = 0; i < to.length; i++) to[i] = from[i % from.length]!
  return to
}

function bmpString(text: string): Buffer {
  return der.element(0x1e, Buffer.from(text, 'utf16le').swap16())
}

function isPrintable(octets: Bytes): boolean {
  return view(octets).every(octet => octet >= 0x20 && octet < 0x7f)
}

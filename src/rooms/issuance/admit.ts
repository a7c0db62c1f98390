/** Admits a Device CSR: the form that Appendix F asks for, read once, or the code that says what is wrong. */

import { type Bytes, toHex } from '../../ground/bytes.ts'
import { type Extension, type KeyUsage, readGeneralNames } from '../../ground/x509/extensions.ts'
import { keyIdentifier } from '../../ground/x509/key.ts'
import { oids } from '../../ground/x509/names.ts'
import { onlyUsage, provenP256, provenP256Aside, readCsr, refuseCsr, requested, strictly } from './csr.ts'

const admits = Symbol('admits') // not exported: only `admit` can make one

/** A Device CSR of the right form, whose signer holds the key. */
export interface Admitted {
  readonly [admits]: true
  /** 16 lower-case hexadecimal digits. */
  readonly deviceId: string
  readonly eui64: Bytes
  readonly hwType: string
  readonly usage: Extract<KeyUsage, 'digitalSignature' | 'keyAgreement'>
  /** The whole SubjectPublicKeyInfo. */
  readonly publicKey: Bytes
  readonly keyId: Bytes
}

/**
 * The checks of service-interface.md section 3.2, rows 5 and 6. Criticality of the requested extensions is not
 * validated on any channel (APPM); extensions that no profile knows are left aside (certificates.md section 12).
 * @throws Refusal with a code of the Device CSR web services
 */
export function admit(octets: Bytes): Admitted {
  const asked = read(octets)
  provenP256(asked.csr)
  return admitted(asked)
}

/** The same while this thread does something else. @throws as `admit`, later */
export async function admitAside(octets: Bytes): Promise<Admitted> {
  const asked = read(octets)
  await provenP256Aside(asked.csr)
  return admitted(asked)
}

function read(octets: Bytes) {
  const csr = readCsr(octets)
  if (csr.subject.rdns.length > 0) refuseCsr('CR:CC5', 'the subject of a Device CSR is empty')
  const asked = requested(csr, oids.keyUsage) ?? refuseCsr('CR:CC6', 'the request asks for no keyUsage')
  const usage = onlyUsage(asked, ['digitalSignature', 'keyAgreement'])
  return { csr, usage, ...moduleOf(requested(csr, oids.subjectAltName)) }
}

function admitted({ csr, usage, hwType, hwSerialNum }: ReturnType<typeof read>): Admitted {
  const deviceId = toHex(hwSerialNum)
  const keyId = keyIdentifier(csr.publicKey.key)
  return { [admits]: true, deviceId, eui64: hwSerialNum, hwType, usage, publicKey: csr.publicKey.spki, keyId }
}

function moduleOf(asked: Extension | undefined): { hwType: string; hwSerialNum: Bytes } {
  if (!asked) refuseCsr('CR:CC7', 'the request asks for no subjectAltName')
  const names = strictly('CR:CC7', 'the requested subjectAltName cannot be read', () =>
    readGeneralNames(asked.value),
  )
  const [name, ...more] = names
  if (more.length > 0 || name?.kind !== 'hardwareModuleName') {
    refuseCsr('CR:CC7', 'subjectAltName is one hardwareModuleName and nothing else')
  }
  if (name.hwSerialNum.length !== 8) {
    refuseCsr('CR:CC7', `hwSerialNum is the Device ID, 8 octets; the request has ${name.hwSerialNum.length}`)
  }
  return name
}

/** A Device CSR beside the Certificate that came of it, as its Subscriber takes reasonable steps to compare them (L11.6). */

import { type Bytes, equal, toHex } from '../../ground/bytes.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readGeneralNames, readKeyUsage } from '../../ground/x509/extensions.ts'
import { oids } from '../../ground/x509/names.ts'
import { admit } from './admit.ts'

/** What a Device CSR asks for, or a Device Certificate has. */
export interface DeviceFields {
  /** 16 lower-case hexadecimal digits; undefined of a certificate that names no Device. */
  readonly deviceId: string | undefined
  /** The manufacturer's object identifier for this kind of Device. */
  readonly hwType: string | undefined
  readonly usage: string
  /** The whole SubjectPublicKeyInfo. */
  readonly publicKey: Bytes
}

export interface DeviceCompared {
  readonly asked: DeviceFields
  readonly got: DeviceFields
  /** Each in words; none when the Certificate is what was asked for. */
  readonly inconsistencies: readonly string[]
}

/** @throws Refusal as `admit` for a CSR that is none; NotDer for a certificate that is none */
export function compareDevice(csr: Bytes, certificate: Bytes): DeviceCompared {
  const { deviceId, hwType, usage, publicKey } = admit(csr)
  const asked = { deviceId, hwType, usage, publicKey }
  const got = fieldsOf(certificate)
  const inconsistencies: string[] = []
  if (!equal(asked.publicKey, got.publicKey)) inconsistencies.push('the public key is not that of the CSR')
  const say = (name: string, is: string | undefined, was: string) => {
    if (is !== was) inconsistencies.push(`${name} is ${is ?? 'nothing'}, and ${was} was asked for`)
  }
  say('the Device ID', got.deviceId, deviceId)
  say('the kind of Device', got.hwType, hwType)
  say('keyUsage', got.usage, usage)
  return { asked, got, inconsistencies }
}

function fieldsOf(certificate: Bytes): DeviceFields {
  const { extensions, publicKey } = readCertificate(certificate)
  const value = (oid: string) => extensions.find(one => one.oid === oid)?.value
  const [names, usage] = [value(oids.subjectAltName), value(oids.keyUsage)]
  const module = (names ? readGeneralNames(names) : []).find(one => one.kind === 'hardwareModuleName')
  return {
    deviceId: module && toHex(module.hwSerialNum),
    hwType: module?.hwType,
    usage: usage ? readKeyUsage(usage).toSorted().join(', ') : 'nothing',
    publicKey: publicKey.spki,
  }
}

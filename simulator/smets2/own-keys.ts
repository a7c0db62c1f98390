/** CS02c, CS02d and CS02e at the Device: its own key pairs and certificates, renewed one usage at a time. */

import { createPrivateKey, createPublicKey } from 'node:crypto'
import { type Bytes, equal, toHex } from '../../src/ground/bytes.ts'
import {
  type DeviceKeyUsage,
  readCertificateCommand,
  readUsageCommand,
  type updateResults,
  writeGiven,
  writeUpdated,
} from '../../src/ground/gbcs/certificate.ts'
import type { GbcsMessage } from '../../src/ground/gbcs/message.ts'
import { useCases } from '../../src/ground/gbcs/use-cases.ts'
import type { AgreementKey } from '../../src/ground/keystore/agreement.ts'
import { type KeyPair, makeKeyPair } from '../../src/ground/keystore/pair.ts'
import type { Certificate } from '../../src/ground/x509/certificate.ts'
import { readGeneralNames } from '../../src/ground/x509/extensions.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { makeDeviceCsr } from '../device.ts'
import { hasUsage, read } from './judge.ts'
import { type DeviceState, requireFresh, requireMac, requireSignedBy, signedAnswer } from './state.ts'

export interface OwnKeys {
  readonly keys: { digitalSignature: KeyPair | undefined; keyAgreement: KeyPair | undefined }
  /** Made by CS02c, in use once CS02d brought their certificate. */
  readonly waiting: { digitalSignature?: KeyPair; keyAgreement?: KeyPair }
  /** DER. */
  readonly certificates: { digitalSignature?: Bytes; keyAgreement?: Bytes }
  agreement?: AgreementKey | undefined
}

/** The responsible supplier asks; who that is, the cell says. */
const supplier = { role: 2, keyUsage: 'digitalSignature', cellUsage: 'management' } as const

export function certificateCommand(state: DeviceState, message: GbcsMessage): Buffer {
  requireMac(state, message)
  requireSignedBy(state, supplier, message)
  requireFresh(state, '2', message.counter)
  state.counters.set('2', message.counter)
  const { counter, messageCode } = message
  return signedAnswer(state, message.originator, {
    cra: 2,
    counter,
    messageCode,
    payload: answerTo(state, message),
  })
}

function answerTo(state: DeviceState, { messageCode, payload }: GbcsMessage): Bytes {
  if (messageCode === useCases.CS02d) return writeUpdated(take(state, readCertificateCommand(payload)))
  const usage = readUsageCommand(payload)
  if (state.switches.failing === usage) return writeGiven({ fault: 3 })
  if (messageCode === useCases.CS02c) return writeGiven({ given: request(state, usage) })
  const certificate = state.own.certificates[usage]
  return writeGiven(certificate ? { given: certificate } : { fault: 2 })
}

/** A new key pair each time: what waited before is forgotten. */
function request(state: DeviceState, usage: DeviceKeyUsage): Bytes {
  const pair = makeKeyPair('P-256')
  state.own.waiting[usage] = pair
  const der = pair.pkcs8()
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const { csr } = makeDeviceCsr({
    deviceId: toHex(state.id),
    usage,
    keyPair: { privateKey, publicKey: createPublicKey(privateKey) },
  })
  return csr
}

/** Row 20: a wrong key usage is told before a wrong signature. */
function take(state: DeviceState, der: Bytes): keyof typeof updateResults {
  const certificate = read(der)
  if (!certificate) return 1
  const usage = (['digitalSignature', 'keyAgreement'] as const).find(one => hasUsage(certificate, one))
  if (!usage) return 3
  if (!isOurs(certificate, state.id)) return 2
  const pair = state.own.waiting[usage]
  if (!pair) return 4
  if (!equal(pair.publicKey, certificate.publicKey.spki)) return 5
  state.own.keys[usage] = pair
  state.own.certificates[usage] = der
  delete state.own.waiting[usage]
  if (usage === 'keyAgreement') state.own.agreement = undefined
  return 0
}

function isOurs(certificate: Certificate, id: Bytes): boolean {
  const extension = certificate.extensions.find(one => one.oid === oids.subjectAltName)
  if (!extension) return false
  return readGeneralNames(extension.value).some(name => 'hwSerialNum' in name && equal(name.hwSerialNum, id))
}

/** Proof by likeness: octets that are those of a certificate proven before, but for the four values that are each one's own. */

import { type Bytes, equal } from '../ground/bytes.ts'
import { extension as find, type TbsCertificate } from '../ground/x509/certificate.ts'
import { readGeneralNames, readSubjectKeyIdentifier } from '../ground/x509/extensions.ts'
import { oids } from '../ground/x509/names.ts'
import { methodTwo } from './method-two.ts'
import type { Profile } from './profile.ts'
import type { Wanted } from './wanted.ts'

/**
 * What the rules of conform.ts look at besides those four values. Two decisions that are alike in all of it lead to the
 * same octets elsewhere, so what was proven of one elsewhere is proven of the other.
 */
interface Common {
  readonly profile: Profile
  readonly issuer: Wanted['issuer']
  readonly usage: Wanted['usage']
  readonly hwType: string
  /** Milliseconds since 1970. */
  readonly moment: number
}

interface Proven extends Common {
  /** The whole to-be-signed certificate, in which the four values are written over each time. */
  readonly expected: Buffer
  /** The beginning of every SubjectPublicKeyInfo of its kind, to the octet that says "uncompressed". */
  readonly keyHeader: Bytes
  /** Where the values begin, as the reader found them. */
  readonly at: { readonly serial: number; readonly point: number; readonly keyId: number; readonly device: number }
}

const recent: Proven[] = []
/** A thread works on a portion or two at a time, of two usages and one or two authorities. */
const recentAtMost = 8
let turn = 0

/** Of a P-256 key: octets of its SubjectPublicKeyInfo, and of its header. */
const [spkiLength, headerLength] = [91, 27]

/** Whether a certificate like that was proven, and these octets are it with the values that were decided now. */
export function isLikeProven(tbs: Bytes, wanted: Wanted): boolean {
  const common = commonOf(wanted)
  const near = common && recent.find(one => alike(one, common))
  if (!near || tbs.length !== near.expected.length) return false
  const { serial, publicKey, hardwareModule } = wanted
  if (serial.length !== 16 || serial[0]! < 0x01 || serial[0]! > 0x7f) return false
  if (publicKey.length !== spkiLength || !equal(publicKey.subarray(0, headerLength), near.keyHeader)) return false
  if (hardwareModule!.hwSerialNum.length !== 8) return false
  const { expected, at } = near
  expected.set(serial, at.serial)
  expected.set(publicKey.subarray(headerLength), at.point)
  expected.write(methodTwo(publicKey.subarray(headerLength - 1)), at.keyId, 'hex')
  expected.set(hardwareModule!.hwSerialNum, at.device)
  return expected.equals(tbs)
}

/** For whoever has just proven these octets by every rule. @param certificate read from them: its parts are views of them */
export function rememberProven(tbs: Bytes, certificate: TbsCertificate, wanted: Wanted): void {
  const common = commonOf(wanted)
  const { spki, kind } = certificate.publicKey
  const keyId = find(certificate, oids.subjectKeyIdentifier)
  const name = find(certificate, oids.subjectAltName)
  if (!common || !keyId || !name || kind !== 'P-256' || spki.length !== spkiLength) return
  const [module] = readGeneralNames(name.value)
  if (module?.kind !== 'hardwareModuleName') return
  const begin = (part: Bytes) => part.byteOffset - tbs.byteOffset
  const proven: Proven = {
    ...common,
    expected: Buffer.from(tbs),
    keyHeader: Buffer.from(spki.subarray(0, headerLength)),
    at: {
      serial: begin(certificate.serial),
      point: begin(spki) + headerLength,
      keyId: begin(readSubjectKeyIdentifier(keyId.value)),
      device: begin(module.hwSerialNum),
    },
  }
  const known = recent.findIndex(one => alike(one, common))
  if (known >= 0) recent[known] = proven
  else recent[turn++ % recentAtMost] = proven
}

/** Undefined for what has values of its own elsewhere: such a certificate is proven by every rule, each time. */
function commonOf(wanted: Wanted): Common | undefined {
  const { profile, issuer, usage, moment, subject, hardwareModule, serverNames, contingencyKey } = wanted
  if (!hardwareModule || issuer === 'self' || serverNames || contingencyKey) return undefined
  for (const _ in subject) return undefined
  return { profile, issuer, usage, hwType: hardwareModule.hwType, moment: moment.getTime() }
}

function alike(one: Common, other: Common): boolean {
  return (
    one.issuer === other.issuer &&
    one.moment === other.moment &&
    one.usage === other.usage &&
    one.hwType === other.hwType &&
    one.profile === other.profile
  )
}

/** The keys that sign and add MACs in a recovery and are none of the DCC's asleep: the broker's, and those of Subscribers. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { equal, fromHex, toHex } from '../ground/bytes.ts'
import { type AgreementKey, agreementKey } from '../ground/keystore/agreement.ts'
import { type KeyPair, readKeyPair } from '../ground/keystore/pair.ts'
import { Refusal } from '../ground/refusal.ts'
import type { Certificate } from '../ground/x509/certificate.ts'
import { readKeyUsage } from '../ground/x509/extensions.ts'
import { attributes, attributeText } from '../ground/x509/name.ts'
import { oids } from '../ground/x509/names.ts'
import { roleFromOu } from '../policy/roles.ts'
import { heldAs } from '../rooms/recovery/cells.ts'
import type { PartySigner, Signers } from '../rooms/recovery/signers.ts'
import { certificateIn } from './recovery-officer.ts'

interface Held {
  readonly certificate: Certificate
  readonly pair: KeyPair
  readonly role: number
  readonly usage: 'digitalSignature' | 'keyAgreement'
  /** EUI-64, 16 hexadecimal digits. */
  readonly holder: string
  readonly keyId: string
}

/** Remote Party Role `accessControlBroker`. */
const accessControlBroker = 4

/**
 * Signers from folders: every `NAME.crt.pem` of an Organisation with `NAME.key.pem` beside it.
 * @throws Refusal BROKER_MISSING when no folder has the Access Control Broker's keys; KEY_NOT_OF_CERTIFICATE, KEY_UNUSABLE
 */
export function signersFrom(folders: readonly string[]): Pick<Signers, 'parties' | 'broker'> {
  const all = folders.flatMap(organisationKeys)
  const parties = new Map<string, PartySigner>(
    all
      .filter(one => one.usage === 'digitalSignature')
      .map(({ keyId, holder, pair }) => [
        keyId,
        { originator: fromHex(holder), sign: octets => pair.sign(octets) },
      ]),
  )
  const brokers = all.filter(one => one.role === accessControlBroker)
  const signing = newest(brokers, 'digitalSignature')[0]
  const agreement: AgreementKey[] = newest(brokers, 'keyAgreement').map(one => agreementKey(one.pair))
  if (!signing || agreement.length === 0)
    throw new Refusal(
      'BROKER_MISSING',
      `no folder has the keys of the Access Control Broker (${folders.join(', ')}): name it with --keys`,
    )
  const { pair, holder } = signing
  return { parties, broker: { originator: fromHex(holder), sign: octets => pair.sign(octets), agreement } }
}

const newest = (all: readonly Held[], usage: Held['usage']): Held[] =>
  all.filter(one => one.usage === usage).toSorted((a, b) => b.certificate.notBefore.ms - a.certificate.notBefore.ms)

function organisationKeys(folder: string): Held[] {
  const names = readdirSync(folder).filter(name => name.endsWith('.crt.pem'))
  return names.flatMap(name => {
    const [crt, key] = [join(folder, name), join(folder, name.replace(/crt\.pem$/, 'key.pem'))]
    const certificate = existsSync(key) ? certificateIn(crt) : undefined
    const found = certificate && describe(certificate)
    if (!found) return []
    const pair = readKeyPair(readFileSync(key))
    if (!equal(pair.publicKey, certificate.publicKey.spki))
      throw new Refusal('KEY_NOT_OF_CERTIFICATE', `${key} is not the key of ${crt}`)
    return [{ certificate, pair, ...found }]
  })
}

/** Whose it is and for what; undefined of a certificate that is no Organisation's. */
function describe(certificate: Certificate): Omit<Held, 'certificate' | 'pair'> | undefined {
  const { subject, extensions } = certificate
  if (attributes(subject, oids.uniqueIdentifier).length === 0) return undefined
  const [unit] = attributes(subject, oids.organizationalUnitName)
  const role = roleFromOu((unit && attributeText(unit)) ?? '')
  const usages = extensions.find(one => one.oid === oids.keyUsage)
  const usage = usages && readKeyUsage(usages.value)[0]
  if (role === undefined || (usage !== 'digitalSignature' && usage !== 'keyAgreement')) return undefined
  const { uniqueId, keyId } = heldAs(certificate.der)
  return { role, usage, holder: toHex(uniqueId), keyId: toHex(keyId) }
}

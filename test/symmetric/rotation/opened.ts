/** Looks into a package, as nothing in the programs can: for tests that compare it with what a meter holds. */

import { createDecipheriv } from 'node:crypto'
import type { KeyStore } from '../../../src/ground/keystore/keystore.ts'
import { readRecord } from '../../../src/rooms/symmetric/record.ts'

/** The key in a record, deciphered with the HSM Key that the software key store of the test keeps. */
export function openPackageForTest({ keys }: { keys: { dco: KeyStore } }, octets: Uint8Array): Buffer {
  const { record } = readRecord(octets)
  const label = keys.dco.labels().find(label => label.endsWith(record.hsmKey))!
  return keys.dco.withSecret(label, secret => {
    const key = Buffer.from(secret).subarray(-16)
    const cipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
    return cipher.update(record.package)
  })
}

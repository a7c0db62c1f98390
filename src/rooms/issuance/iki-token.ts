/** What stands in for a Cryptographic Credential Token in a test environment: key and certificates as one PKCS #12 file. */

import type { Bytes } from '../../ground/bytes.ts'
import type { Chance } from '../../ground/clock.ts'
import type { KeyPair } from '../../ground/keystore/pair.ts'
import { writePkcs12 } from '../../ground/keystore/pkcs12.ts'
import type { Settings } from '../../policy/settings.ts'
import { refuse } from './refusals.ts'

export interface TestToken {
  readonly pair: KeyPair
  /** Of the person first, then of the Issuing ICA and its root; DER. */
  readonly certificates: readonly Bytes[]
  /** The person's reference. */
  readonly holder: string
  /** 4 to 128 printable ASCII characters; the caller zeroes them. */
  readonly pin: Bytes
}

/**
 * The file is for browsers and tools of test environments. A real token makes its key itself and never gives it away
 * (APPM, APPN): in production nobody else has the key to write it down.
 * @throws Refusal TOKEN_FOR_TESTS_ONLY
 */
export function writeTestToken(
  { kind }: Pick<Settings, 'kind'>,
  chance: Chance,
  { pair, certificates, holder, pin }: TestToken,
): Buffer {
  if (kind !== 'test') throw refuse('TOKEN_FOR_TESTS_ONLY')
  return writePkcs12({ pair, certificates, friendlyName: holder, password: pin, chance, iterations: 10_000 })
}

/** Who signs and who adds MACs: keys of Subscribers that are at hand, the broker's, and a key of the DCC that is awake. */

import type { Bytes } from '../../ground/bytes.ts'
import type { AgreementKey } from '../../ground/keystore/agreement.ts'
import type { Wave } from '../../policy/recovery/cases.ts'
import { authorisingCell } from './build.ts'
import { type Holding, showCell } from './cells.ts'
import type { Awake } from './custody.ts'

/** A party that signs its own commands. */
export interface PartySigner {
  /** Its EUI-64, 8 octets: the originator of its commands. */
  readonly originator: Bytes
  /** SEQUENCE { r, s }, DER. */
  sign(octets: Bytes): Bytes
}

/** The Access Control Broker: it adds the MAC, and asks Devices what they hold. */
export interface Broker extends PartySigner {
  /** Its keys for key agreement, the newest first: Devices that were not reached yet know an older one. */
  readonly agreement: readonly AgreementKey[]
}

export interface Signers {
  /** By key identifier, 16 hexadecimal digits, of the digitalSignature certificate. */
  readonly parties: ReadonlyMap<string, PartySigner>
  readonly broker: Broker
  readonly awake?: Awake | undefined
}

/** Who signs that wave's command to a Device that holds these cells; undefined when nobody is here who can. */
export function signerFor(
  { parties, broker, awake }: Signers,
  { signer }: Wave,
  mode: number,
  cells: readonly Holding[],
): { readonly originator: Bytes } | undefined {
  if (signer === 'broker') return broker
  if (signer !== 'holder') return awake?.signs === signer ? awake : undefined
  const cell = showCell(authorisingCell(mode))
  const held = cells.find(one => one.cell === cell)
  return held && parties.get(held.keyId)
}

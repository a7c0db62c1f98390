/** Key records at the DCO: admitted before anything is opened, and made whole with seal and signature. */

import type { Bytes } from '../../../ground/bytes.ts'
import { toHex } from '../../../ground/bytes.ts'
import type { KeyType, Opened } from '../../../ground/keystore/dlms-cipher.ts'
import { type Packaged, roleOf, type SymmetricModule } from '../../../ground/keystore/symmetric.ts'
import type { KeyHolder } from '../../../policy/symmetric/keys.ts'
import { bodyOf, type KeyRecord, keyIdOfRecord, readRecord, type SealedRecord, writeRecord } from '../record.ts'
import { no } from '../refusals.ts'
import { type Hands, signer } from './hands.ts'

const admitted = Symbol('admitted')

/** A record whose seal holds, and which is of the type, Device and client that are due. Only `admit` makes one. */
export interface Admitted<T extends KeyType = KeyType> {
  readonly [admitted]: T
  readonly record: KeyRecord & { readonly type: T }
}

/** What a record is to be. What is left out may be anything. */
export interface Due<T extends KeyType> {
  readonly types: readonly T[]
  readonly device: string
  readonly holder?: KeyHolder | undefined
}

/**
 * The checks of section 3, in this order: seal, type, Device and client, HSM Key. Nothing is opened here.
 * @throws Refusal RECORD_UNREADABLE, RECORD_CORRUPT, RECORD_WRONG_TYPE, RECORD_WRONG_DEVICE, RECORD_WRONG_HSM_KEY
 */
export async function admit<T extends KeyType>(
  hands: Hands,
  s1sp: string,
  octets: Bytes,
  due: Due<T>,
): Promise<Admitted<T>> {
  const sealed = readRecord(octets)
  const { record } = sealed
  // 1. Before anything that it says is believed.
  if (!(await isSealed(hands, sealed))) throw no('RECORD_CORRUPT', undefined, { details: { record: record.id } })
  // 2. What it is, and whose.
  if (!(due.types as readonly KeyType[]).includes(record.type)) {
    throw no('RECORD_WRONG_TYPE', `${record.type} where ${due.types.join(' or ')} is due`)
  }
  if (record.device !== due.device || (due.holder !== undefined && record.holder !== due.holder)) {
    throw no('RECORD_WRONG_DEVICE')
  }
  // 3. What it is under follows from its type: a sealed record that says otherwise is a fault of a DCO, and no key.
  const hsmKey = await hands.hsm.find(record.hsmKey)
  const shared = hsmKey?.role === 'Shared Key'
  if (
    hsmKey?.role !== roleOf[record.type] ||
    hsmKey.generation !== record.hsmGeneration ||
    (shared && hsmKey.s1sp !== s1sp)
  ) {
    throw no('RECORD_WRONG_HSM_KEY')
  }
  return { [admitted]: record.type as T, record: record as KeyRecord & { type: T } }
}

/** Whether the seal is one of this DCO's. */
export async function isSealed(hands: Hands, { record, body, seal }: SealedRecord): Promise<boolean> {
  const key = await hands.hsm.find(record.sealedBy)
  return (
    key?.role === 'seal' &&
    record.madeBy === hands.settings.name &&
    hands.module.checkSeal(record.sealedBy, body, seal)
  )
}

/** The keys that are opened for one message; none of them outlives it. */
export class Openings {
  readonly #module: SymmetricModule
  readonly #open: Opened[] = []

  constructor(module: SymmetricModule) {
    this.#module = module
  }

  /** Only what was admitted can be opened. */
  open<T extends KeyType>({ record }: Admitted<T>): Opened<T> {
    return this.keep(this.#module.openPackage(record.type, keyIdOfRecord(record), packagedIn(record)))
  }

  keep<T extends KeyType>(key: Opened<T>): Opened<T> {
    this.#open.push(key)
    return key
  }

  close(): void {
    for (const key of this.#open.splice(0)) key.close()
  }
}

export const packagedIn = ({ hsmKey, packaging, package: octets }: KeyRecord): Packaged => ({
  hsmKey,
  packaging,
  octets,
})

/** What is decided about a new record; the rest is the DCO's. */
export interface NewRecord {
  readonly device: string
  readonly holder: KeyHolder
  readonly type: KeyType
  readonly generation: number
  readonly packaged: Packaged
  readonly hsmGeneration: number
  readonly association?: string | undefined
}

/** Seals and signs a record for a package that the module just made. */
export async function makeRecord(hands: Hands, made: NewRecord): Promise<SealedRecord> {
  const { packaged, ...what } = made
  const { label } = await hands.hsm.seal()
  const record: KeyRecord = {
    ...what,
    id: toHex(hands.chance(16)),
    packaging: packaged.packaging,
    hsmKey: packaged.hsmKey,
    package: packaged.octets,
    madeAt: hands.clock(),
    madeBy: hands.settings.name,
    sealedBy: label,
    signedBy: hands.settings.name,
  }
  const body = bodyOf(record)
  return writeRecord(record, hands.module.sealRecord(label, body), signer(hands, 'records').sign)
}

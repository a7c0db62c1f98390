/** Retrieval by serial number and search by EUI-64, for many who ask at the same time. */

import { toHex } from '../../ground/bytes.ts'
import type { Clock } from '../../ground/clock.ts'
import { findBySerials, type Known, knownByEui64s, type Lodged, type Reader } from './find.ts'
import { together } from './together.ts'

export interface Retrieved {
  readonly lodged: Lodged
  /** Authorities that gave the same serial number to another certificate: none, unless something is wrong. */
  readonly sharedWith: readonly number[]
}

export function retriever(store: Reader, clock: Clock): (serial: Buffer) => Promise<Retrieved | undefined> {
  return together(async serials => {
    const bySerial = Map.groupBy(await findBySerials(store, serials, clock()), one => toHex(one.serial))
    const retrieved = ([lodged, ...others]: Lodged[]): Retrieved => ({
      lodged: lodged!,
      sharedWith: others.map(one => one.authority),
    })
    return new Map([...bySerial].map(([serial, found]) => [serial, retrieved(found)]))
  })
}

/** What is known of every certificate of one EUI-64 and family, oldest first; undefined where there is none. */
export function searcher(
  store: Reader,
  clock: Clock,
  family: 'device' | 'organisation',
): (eui64: Buffer) => Promise<readonly Known[] | undefined> {
  return together(async eui64s =>
    Map.groupBy(await knownByEui64s(store, eui64s, family, clock()), one => one.eui64!),
  )
}

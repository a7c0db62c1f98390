/** Which keys there are, whose they are, and what they are packaged under (smets1-keys.md section 2). */

import type { KeyType } from '../../ground/keystore/dlms-cipher.ts'

/** The clients of a Device that have keys, in the order of the Policy, (b)(i). Public has none. */
export const keyedClients = ['data-collection', 'extended-data-collection', 'management', 'firmware'] as const
export type KeyedClient = (typeof keyedClients)[number]

/** Clients that a Device has. */
export const clients = ['public', ...keyedClients] as const
export type Client = (typeof clients)[number]

/** Whose a key is on its Device: a client's; or, of the MK, the Device's own. */
export type KeyHolder = KeyedClient | 'device'
export const keyHolders = [...keyedClients, 'device'] as const

export const keyTypes = ['MK', 'AK', 'GUEK', 'GBEK', 'DK'] as const satisfies readonly KeyType[]

/** Keys that last, and are rotated. A GBEK is there only where the model says so (KEY-A01); a DK lives for one association. */
export const lastingTypes = ['MK', 'AK', 'GUEK', 'GBEK'] as const satisfies readonly KeyType[]
export type LastingType = (typeof lastingTypes)[number]

/** Whether a key of that type can belong to that holder: an MK to the Device alone, all others to a client alone. */
export function belongs(type: KeyType, holder: KeyHolder): boolean {
  return (type === 'MK') === (holder === 'device')
}

/** What a side may do with a key: have it as a package, use it inside a module. */
export type May = 'package' | 'use'

/** Who may have what (smets1-keys.md section 2; Policy (b)(i), (d)(iv)). Nobody has a key in the clear. */
export const mayHave: Readonly<Record<'S1SP' | 'DCO', Readonly<Record<KeyType, readonly May[]>>>> = {
  S1SP: {
    MK: ['package'],
    AK: ['package'],
    GUEK: ['package', 'use'],
    GBEK: ['package', 'use'],
    DK: ['package', 'use'],
  },
  DCO: { MK: ['use'], AK: ['use'], GUEK: ['use'], GBEK: ['use'], DK: ['use'] },
}

/** Generation 0 came from outside (inherited); 1 and up were made by a DCO. */
export const inherited = 0

/**
 * Which key it is, whatever package it lies in: counters are kept by it. A Device's EUI-64 is 16 lower-case digits; the
 * generation of a DK is that of nothing, so its association stands there.
 */
export function keyIdOf(key: {
  readonly device: string
  readonly holder: KeyHolder
  readonly type: KeyType
  readonly generation: number
  readonly association?: string | undefined
}): string {
  const { device, holder, type, generation, association } = key
  return `${device}/${holder}/${type}/${association ?? generation}`
}

/** How a group is written down and kept: a portion of a batch with its batch's own rows, single requests in one statement. */

import type { Bytes } from '../../../ground/bytes.ts'
import type { Entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import type { Client, Store } from '../../../ground/store/store.ts'
import { intendAtOnce, keepAtOnce, signingNumbers } from '../../repository/at-once.ts'
import { type Intended, intend, keep } from '../../repository/register.ts'

/** Octets of an ECDSA-Sig-Value of P-256 at most. */
const slot = 72

export interface Writing {
  /** Committed when it returns: the number of the signing. `says` gives the journal entry of that number. */
  intend(at: Date, group: readonly Intended[], says: (signing: bigint) => Entry): Promise<bigint>
  /** Committed when it returns. @throws SigningLost */
  keep(signing: bigint, signatures: readonly Bytes[], entries: readonly Entry[]): Promise<void>
}

/** What a portion adds to the two transactions. */
export interface Additions {
  readonly intending: (client: Client, signing: bigint) => Promise<void>
  readonly keeping: (client: Client) => Promise<void>
}

/**
 * For hundreds of certificates: COPY, and the caller's own rows in the same transactions.
 * @param signer the signer process, if one signs
 */
export function inTransactions(store: Store, { intending, keeping }: Additions, signer?: number): Writing {
  return {
    intend: (at, group, says) =>
      store.transaction(async client => {
        const signing = await intend(client, at, slot, group, signer)
        await append(client, says(signing))
        await intending(client, signing)
        return signing
      }),
    keep: (signing, signatures, entries) =>
      store.transaction(async client => {
        await keep(client, signing, slot, signatures)
        for (const one of entries) await append(client, one)
        await keeping(client)
      }),
  }
}

/** For single requests: one statement each, so that nobody waits for round trips. @param signer as above */
export function atOnce(store: Store, signer?: number): Writing {
  const nextSigning = signingNumbers(store)
  return {
    async intend(at, group, says) {
      const signing = await nextSigning()
      await intendAtOnce(store, signing, at, slot, group, says(signing), signer)
      return signing
    },
    keep: (signing, signatures, entries) => keepAtOnce(store, signing, slot, signatures, entries),
  }
}

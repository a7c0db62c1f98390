/** What a Relying Party needs beside a certificate: those above it, and the current lists, octet for octet. */

import { toHex } from '../../ground/bytes.ts'
import type { Clock } from '../../ground/clock.ts'
import type { Store } from '../../ground/store/store.ts'
import { keyIdentifier } from '../../ground/x509/key.ts'
import { authorities } from '../../rooms/authority/register.ts'
import { currentLists } from '../../rooms/repository/lists.ts'
import { remembered } from './remembered.ts'

export interface Chain {
  /** DER, by the authority's key identifier in lower-case hexadecimal. */
  readonly certificates: ReadonlyMap<string, Buffer>
  readonly lists: ReadonlyMap<string, Buffer>
}

/** A new list is served at the latest after so long; however many ask, the register is read once in it. */
const lifeMs = 1000

export function chains(store: Pick<Store, 'query'>, clock: Clock): () => Promise<Chain> {
  const memory = remembered<Chain>(clock, lifeMs)
  return async () => (await memory('', () => readChain(store)))!
}

async function readChain(store: Pick<Store, 'query'>): Promise<Chain> {
  const [records, lists] = await Promise.all([authorities(store), currentLists(store)])
  const keyIds = new Map(records.map(one => [one.id, toHex(keyIdentifier(one.certificate.publicKey.key))]))
  return {
    certificates: new Map(records.map(one => [keyIds.get(one.id)!, Buffer.from(one.certificate.der)])),
    lists: new Map(lists.map(list => [keyIds.get(list.authority)!, list.der])),
  }
}

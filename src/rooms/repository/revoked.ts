/** Whether a certificate is marked as revoked: known at once, before the list that names it is made. */

import type { Bytes } from '../../ground/bytes.ts'
import type { Store } from '../../ground/store/store.ts'

/** @param one the issuer's number in the register of authorities, and the serial number of 16 octets */
export async function isMarkedRevoked(
  store: Pick<Store, 'query'>,
  { authority, serial }: { readonly authority: number; readonly serial: Bytes },
): Promise<boolean> {
  const { rowCount } = await store.query('SELECT FROM revoked WHERE authority = $1 AND serial = $2', [
    authority,
    serial,
  ])
  return rowCount !== 0
}

/** The row that asks for one certificate is answered in the transactions that write its signing down and keep its certificate. */

import type { Client } from '../../ground/store/store.ts'
import type { Beside } from '../authority/issue-one.ts'
import type { Hands } from '../registration/act.ts'
import { giveUp } from '../repository/register.ts'

/** Tables whose rows are `approved` until they name, by `authority` and `serial`, the certificate they came to. */
export type Asking = 'organisation_csr' | 'profiled_request'

/** One certificate for one row, however often and by however many it is tried. @throws the try that comes too late */
export function answering(hands: Hands, table: Asking, id: bigint, authority: number): Beside {
  let own: bigint | undefined
  return {
    // Names the signing. What an earlier try had written down and not kept is given up here, and cannot be kept any more.
    async intending(client, signing) {
      await takeOver(client, hands.clock(), table, id, signing)
      own = signing
    },
    async keeping(client, certificate) {
      const { rowCount } = await client.query(
        `UPDATE ${table} SET state = 'issued', answered_at = $3, authority = $4, serial = $5
          WHERE id = $1 AND state = 'approved' AND signing = $2`,
        [id, own, hands.clock(), authority, certificate.serial],
      )
      if (rowCount !== 1) throw new Taken(table, id)
    },
  }
}

/** Another took it over, or answered it. */
class Taken extends Error {
  override name = 'Taken'
  constructor(table: Asking, id: bigint) {
    super(`${table} ${id} was answered by another`)
  }
}

async function takeOver(client: Client, at: Date, table: Asking, id: bigint, signing: bigint): Promise<void> {
  const { rows } = await client.query<{ signing: bigint | null }>(
    `SELECT signing FROM ${table} WHERE id = $1 AND state = 'approved' FOR UPDATE`,
    [id],
  )
  if (!rows[0]) throw new Taken(table, id)
  if (rows[0].signing !== null) await giveUp(client, at, [rows[0].signing])
  await client.query(`UPDATE ${table} SET signing = $2 WHERE id = $1`, [id, signing])
}

/** Signings as they stand in the register: what each wrote down, and what came of it. */

import { view } from '../../ground/bytes.ts'
import { copyOut } from '../../ground/store/copy-out.ts'
import type { Store } from '../../ground/store/store.ts'
import { assembleCertificate } from '../../ground/x509/assemble.ts'
import type { Reader } from './find.ts'
import { fromSlot } from './register.ts'

/** The certificates of one signing, in order of position: the results of a batch are made from these. */
export async function certificatesOf(store: Reader, signing: bigint): Promise<Buffer[]> {
  const { rows } = await store.query<{ tbs: Buffer; slot: Buffer }>({
    name: 'certificates_of',
    text: `SELECT c.tbs, substr(s.signatures, c.position::int * s.slot + 1, s.slot) AS slot
             FROM certificate c JOIN signing s ON s.id = c.signing AND s.state = 'complete'
            WHERE c.signing = $1 ORDER BY c.position`,
    values: [signing],
  })
  return rows.map(row => assembleCertificate(row.tbs, fromSlot(row.slot)))
}

/**
 * The same for results by the ten thousand: COPY gives the octets as they are, not as text of twice the length, and the
 * signatures are asked for once, not piece by piece.
 */
export async function certificatesInBulk(store: Pick<Store, 'transaction'>, signing: bigint): Promise<Buffer[]> {
  const certificates: Buffer[] = []
  await store.transaction(async client => {
    const { rows } = await client.query<{ slot: number; signatures: Buffer }>({
      name: 'signatures_of',
      text: "SELECT slot, signatures FROM signing WHERE id = $1 AND state = 'complete'",
      values: [signing],
    })
    const signed = rows[0]
    if (!signed) return
    const { slot, signatures } = signed
    const query = `SELECT position, tbs FROM certificate WHERE signing = ${signing} ORDER BY position`
    await copyOut(client, query, ([position, tbs]) => {
      const at = view(position!).readInt16BE() * slot
      certificates.push(assembleCertificate(tbs!, fromSlot(signatures.subarray(at, at + slot))))
    })
  })
  return certificates
}

/** What a signing wrote down before it signed, in order of position. */
export async function tbsOf(store: Reader, signing: bigint): Promise<Buffer[]> {
  const { rows } = await store.query<{ tbs: Buffer }>({
    name: 'tbs_of',
    text: 'SELECT tbs FROM certificate WHERE signing = $1 ORDER BY position',
    values: [signing],
  })
  return rows.map(row => row.tbs)
}

/** Every signing that led to certificates. */
export async function completeSignings(store: Reader): Promise<bigint[]> {
  const { rows } = await store.query<{ id: bigint }>("SELECT id FROM signing WHERE state = 'complete' ORDER BY id")
  return rows.map(row => row.id)
}

/** Signings as they stand in the register: what each wrote down, and what came of it. */

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

/** The same for results by the ten thousand: COPY gives the octets as they are, not as text of twice the length. */
export async function certificatesInBulk(store: Pick<Store, 'transaction'>, signing: bigint): Promise<Buffer[]> {
  const certificates: Buffer[] = []
  const query = `SELECT c.tbs, substr(s.signatures, c.position::int * s.slot + 1, s.slot)
      FROM certificate c JOIN signing s ON s.id = c.signing AND s.state = 'complete'
     WHERE c.signing = ${signing} ORDER BY c.position`
  await store.transaction(client =>
    copyOut(client, query, ([tbs, slot]) => certificates.push(assembleCertificate(tbs!, fromSlot(slot!)))),
  )
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

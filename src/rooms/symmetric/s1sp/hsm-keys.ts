/** Shared Keys from the S1SP's side: a signed package is checked, imported into the module, and proven (section 6.6). */

import { hash } from 'node:crypto'
import { type Bytes, fromHex, toHex } from '../../../ground/bytes.ts'
import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import type { SymmetricModule } from '../../../ground/keystore/symmetric.ts'
import { fingerprintOf, openHsmPackage, openHsmReceipt, writeHsmReceipt } from '../hsm-package.ts'
import type { Signer } from '../signed.ts'
import { ask, newMessage } from './ask.ts'
import type { S1spHands } from './hands.ts'
import { believed, type StoredKey } from './records.ts'
import { no } from './refusals.ts'

export interface ImportParties {
  /** Ours: no operation of it on the Shared Key is open to this program but import and proof. */
  readonly module: Pick<SymmetricModule, 'identity' | 'hsmKeys' | 'importHsmKey' | 'proveHsmKey' | 'transportKey'>
  /** Label of our transport key. */
  readonly transport: string
  readonly self: Signer
  /** The DCO's keys for distribution and for messages, by name. */
  readonly sender: { readonly name: string; readonly publicKey: Bytes }
}

/** What persons compare over another channel before the DCO wraps anything to it: 64 hexadecimal digits. */
export function transportFingerprint({ module, transport }: ImportParties): string {
  return fingerprintOf(module.transportKey(transport))
}

/**
 * Takes in every package that waits, and proves each import: the module packages a random value, the DCO opens it.
 * @returns labels of the keys that are in use from now on
 * @throws Refusal PACKAGE_…, HSM_KEY_NOT_PROVEN, KEY_EXISTS
 */
export async function takeHsmKeys(hands: S1spHands, parties: ImportParties): Promise<string[]> {
  const message = newMessage(hands, 'collect-hsm-keys', {})
  const { packages } = await ask(hands, message)
  const taken: string[] = []
  for (const envelope of packages) taken.push(...(await takeOne(hands, parties, fromHex(envelope), message.id)))
  return taken
}

async function takeOne(
  hands: S1spHands,
  parties: ImportParties,
  envelope: Bytes,
  message: string,
): Promise<string[]> {
  const { module, transport, sender, self } = parties
  const transportKey = module.transportKey(transport)
  // 1. Signature, recipient and fingerprint; that the label is new the module sees to besides.
  const what = openHsmPackage(envelope, { sender, recipient: self.name, transportKey, known: [] })
  const label = what.hsmKey
  const { rows } = await hands.store.query<{ package: Buffer; receipt: Buffer | null }>(
    'SELECT package, receipt FROM hsm_key WHERE label = $1',
    [label],
  )
  const known = rows[0]
  if (known?.receipt) return []
  if (known && hash('sha256', known.package) !== hash('sha256', envelope)) {
    // Another package under a label that we know: it is refused, as a label is never used again.
    openHsmPackage(envelope, { sender, recipient: self.name, transportKey, known: [label] })
  }
  // 2. Written down, then imported: after a stop in between, the module has the key or has it not.
  await hands.store.query(
    'INSERT INTO hsm_key (label, generation, package) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
    [label, what.generation, envelope],
  )
  if (!module.hsmKeys().some(key => key.label === label)) {
    module.importHsmKey({ label, role: what.role, transport, wrapped: what.wrapped })
  }
  await hands.store.transaction(async client => {
    const { rowCount } = await client.query(
      'UPDATE hsm_key SET imported = $1 WHERE label = $2 AND imported IS NULL',
      [hands.clock(), label],
    )
    const { generation, agreement } = what
    const body = { message, hsmKey: label, generation, agreement, module: module.identity }
    if (rowCount === 1) await append(client, entry('hsm-key.imported', hands.clock(), body))
  })
  // 3. Our receipt and the proof of import go to the DCO, and its receipt comes back.
  const { generation } = what
  const stated = { hsmKey: label, generation, recipient: self.name, package: hash('sha256', envelope) }
  const ours = writeHsmReceipt({ ...stated, at: hands.clock().toISOString() }, self)
  const { octets, hash: digest } = module.proveHsmKey(label)
  const proof = { hsmKey: label, octets: toHex(octets), hash: toHex(digest), receipt: toHex(ours) }
  const proving = newMessage(hands, 'prove-hsm-key', proof)
  const { receipt } = await ask(hands, proving)
  const theirs = openHsmReceipt(fromHex(receipt), sender)
  if (theirs.hsmKey !== label || theirs.package !== stated.package) {
    throw no('ANSWER_NOT_BELIEVED', 'a receipt for another package')
  }
  await hands.store.transaction(async client => {
    await client.query('UPDATE hsm_key SET receipt = $1 WHERE label = $2', [fromHex(receipt), label])
    const receipts = { ours: hash('sha256', ours), theirs: hash('sha256', fromHex(receipt)) }
    await append(
      client,
      entry('hsm-key.proven', hands.clock(), { message: proving.id, hsmKey: label, ...receipts }),
    )
  })
  return [label]
}

/**
 * Renewal of an HSM Key: the packages that are still needed are packaged anew by the DCO, old to new under the same kind
 * of key. The records keep holder, type and generation; nothing about a Device changes.
 * @returns how many records were renewed
 */
export async function renewRecords(hands: S1spHands, former: string): Promise<number> {
  let renewed = 0
  for (let after = ''; ; ) {
    const { rows } = await hands.store.query<StoredKey>(
      `SELECT id, device, holder, type, generation, stage, octets, rotation, message, corrupt FROM key_record
       WHERE id > $1 AND stage = 'active' AND octets IS NOT NULL AND NOT corrupt
       ORDER BY id LIMIT 500`,
      [after],
    )
    if (rows.length === 0) return renewed
    after = rows.at(-1)!.id
    const under = rows.filter(key => believed(key.octets!, hands.recordKey).record.hsmKey === former)
    if (under.length === 0) continue
    const records = under.map(({ octets }) => octets!.toString('hex'))
    const message = newMessage(hands, 'renew-records', { records })
    const { records: fresh } = await ask(hands, message)
    await hands.store.transaction(async client => {
      for (const [i, key] of under.entries()) {
        const { record, octets } = believed(fromHex(fresh[i] ?? ''), hands.recordKey)
        const same =
          record.device === key.device &&
          record.holder === key.holder &&
          record.type === key.type &&
          record.generation === key.generation
        if (!same) throw no('ANSWER_NOT_BELIEVED', 'a record of another key')
        await client.query('UPDATE key_record SET id = $1, octets = $2 WHERE id = $3', [record.id, octets, key.id])
        const { device, holder, type, generation } = key
        const body = { message: message.id, device, holder, type, generation, record: record.id, former: key.id }
        await append(client, entry('record.renewed', hands.clock(), body))
      }
    })
    renewed += under.length
  }
}

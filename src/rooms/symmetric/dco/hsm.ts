/** HSM Keys: made with a quorum present, sent in signed packages, and used once the recipient has shown it has them (6.6). */

import { hash } from 'node:crypto'
import { type Bytes, fromHex, toHex } from '../../../ground/bytes.ts'
import type { Client } from '../../../ground/store/store.ts'
import { fingerprintOf, openHsmReceipt, writeHsmPackage, writeHsmReceipt } from '../hsm-package.ts'
import { no } from '../refusals.ts'
import { signer, type World } from './hands.ts'
import { hsmKeys } from './hsm-register.ts'
import { actOfQuorum } from './people.ts'
import type { Planner } from './plan.ts'

/** What every act of the ceremony says: who was present, why, and which agreement of the SMKI PMA it follows. */
export interface Ceremony {
  readonly present: readonly string[]
  readonly reason: string
  readonly ticket: string
  readonly agreement: string
}

/** Whose module is to hold it too. Its fingerprint was compared by persons over another channel. */
export interface Recipient {
  readonly name: string
  /** SubjectPublicKeyInfo, DER. */
  readonly transportKey: Bytes
  /** As the persons read it to one another. */
  readonly fingerprint: string
}

/**
 * Makes the next Shared Key with an S1SP, for its module and, if there are others, those of this DCO. New packages are
 * made under it once the S1SP has proven that it has it.
 * @returns its label
 * @throws Refusal PERSON_NOT_ALLOWED, REASON_MISSING, RECIPIENT_NOT_ALLOWED, SENDER_UNKNOWN
 */
export function makeSharedKey(
  world: World,
  ceremony: Ceremony,
  s1sp: string,
  recipients: readonly Recipient[],
): Promise<string> {
  const { settings } = world
  if (!settings.s1sps.some(({ name }) => name === s1sp)) throw no('SENDER_UNKNOWN', s1sp)
  const allowed = [s1sp, ...settings.modules]
  const wrong = recipients.find(({ name }) => !allowed.includes(name))
  if (wrong) throw no('RECIPIENT_NOT_ALLOWED', `the Shared Key with ${s1sp} is not for ${wrong.name}`)
  return make(world, ceremony, { role: 'Shared Key', s1sp }, recipients)
}

/** Makes the next DCO Key, for modules of this DCO and for nobody else. @returns its label; as `makeSharedKey` */
export function makeDcoKey(
  world: World,
  ceremony: Ceremony,
  recipients: readonly Recipient[] = [],
): Promise<string> {
  const wrong = recipients.find(({ name }) => !world.settings.modules.includes(name))
  if (wrong) throw no('RECIPIENT_NOT_ALLOWED', `the DCO Key is not for ${wrong.name}`)
  return make(world, ceremony, { role: 'DCO Key', s1sp: null }, recipients)
}

/** Makes the key that seals records, which never leaves its module but for others of this DCO. */
export function makeSealKey(world: World, ceremony: Ceremony): Promise<string> {
  return make(world, ceremony, { role: 'seal', s1sp: null }, [])
}

/**
 * Opens the renewal of every HSM Key of a role but the newest: records under it may be repackaged under the newest.
 * @param decision of the SMKI PMA
 */
export async function openRenewal(
  world: World,
  ceremony: Ceremony,
  which: { readonly role: 'DCO Key' | 'Shared Key'; readonly s1sp?: string | undefined },
  decision: string,
): Promise<void> {
  const says = { role: which.role, s1sp: which.s1sp ?? null, decision }
  await actOfQuorum(world, ceremony.present, ceremony, 'hsm-key.renewal-opened', says, client =>
    client.query(
      `UPDATE dco_hsm_key k SET renewing = $3 WHERE role = $1 AND s1sp IS NOT DISTINCT FROM $2 AND EXISTS (
         SELECT FROM dco_hsm_key n WHERE n.role = k.role AND n.s1sp IS NOT DISTINCT FROM k.s1sp
           AND n.generation > k.generation)`,
      [which.role, which.s1sp ?? null, decision],
    ),
  )
}

async function make(
  world: World,
  ceremony: Ceremony,
  what: { readonly role: 'DCO Key' | 'Shared Key' | 'seal'; readonly s1sp: string | null },
  recipients: readonly Recipient[],
): Promise<string> {
  const { role, s1sp } = what
  for (const { name, transportKey, fingerprint } of recipients) {
    if (fingerprintOf(transportKey) !== fingerprint) throw no('PACKAGE_NOT_FOR_US', `the fingerprint of ${name}`)
  }
  const { agreement, present } = ceremony
  const made = (await hsmKeys(world.store)).filter(row => row.role === role && row.s1sp === s1sp)
  const generation = 1 + (made.at(-1)?.generation ?? 0)
  // A label is never used again, also where the module has a key that this store knows nothing of: made, and then lost
  // with the transaction that was to keep it.
  const label = `${names[role]}${s1sp ? `-${s1sp}` : ''}-${generation}-${toHex(world.chance(4))}`
  const says = { hsmKey: label, role, generation, s1sp, recipients: recipients.map(({ name }) => name), agreement }
  await actOfQuorum(world, present, ceremony, 'hsm-key.made', says, async client => {
    const at = world.clock()
    await client.query(
      'INSERT INTO dco_hsm_key (label, role, generation, s1sp, made_at, proven_at) VALUES ($1, $2, $3, $4, $5, $6)',
      [label, role, generation, s1sp, at, role === 'Shared Key' ? null : at],
    )
    // With the people present and the row in place: now it exists. If the transaction is lost after this, the module
    // holds a key under a label that nothing refers to.
    const wrapped = world.module.makeHsmKey(
      label,
      role,
      recipients.map(({ transportKey }) => transportKey),
    )
    world.environment?.tell({ event: 'hsm-key.made', about: { hsmKey: label, role } })
    if (role === 'seal') return
    for (const [i, { name, fingerprint }] of recipients.entries()) {
      const envelope = writeHsmPackage(
        {
          hsmKey: label,
          generation,
          role,
          between: s1sp,
          sender: world.settings.name,
          recipient: name,
          fingerprint,
          at: at.toISOString(),
          agreement,
          wrapped: Buffer.from(wrapped[i]!),
        },
        signer(world, 'distribution'),
      )
      await client.query('INSERT INTO dco_hsm_package (label, recipient, envelope) VALUES ($1, $2, $3)', [
        label,
        name,
        envelope,
      ])
    }
  })
  return label
}

const names = { 'DCO Key': 'dco-key', 'Shared Key': 'shared-key', seal: 'seal' } as const

/** What waits for the S1SP that asks; the signed package is for its module alone. */
export const collectHsmKeys: Planner<'collect-hsm-keys'> = async ({ hands, s1sp }) => {
  const { rows } = await hands.store.query<{ label: string; envelope: Buffer }>(
    `SELECT p.label, p.envelope FROM dco_hsm_package p JOIN dco_hsm_key k ON k.label = p.label
      WHERE p.recipient = $1 AND k.role = 'Shared Key' AND k.s1sp = $1 AND p.proven_at IS NULL
      ORDER BY k.generation`,
    [s1sp.name],
  )
  return {
    content: { packages: rows.map(({ envelope }) => toHex(envelope)) },
    tells: rows.map(({ label }) => ({ act: 'hsm-key.distributed', body: { hsmKey: label, recipient: s1sp.name } })),
  }
}

/** The S1SP's module shows that it has the key: it packaged a random value, which is no key and becomes no record. */
export const proveHsmKey: Planner<'prove-hsm-key'> = async ({ hands, module, s1sp, question, now }) => {
  const { hsmKey, octets, hash: due } = question
  const { rows } = await hands.store.query<{ generation: number; envelope: Buffer }>(
    `SELECT k.generation, p.envelope FROM dco_hsm_package p JOIN dco_hsm_key k ON k.label = p.label
      WHERE k.label = $1 AND p.recipient = $2 AND k.role = 'Shared Key' AND k.s1sp = $2`,
    [hsmKey, s1sp.name],
  )
  const row = rows[0]
  if (!row) throw no('HSM_KEY_UNKNOWN', hsmKey)
  if (!module.checkHsmKeyProof(hsmKey, { octets, hash: due })) throw no('HSM_KEY_NOT_PROVEN', hsmKey)
  const theirs = hands.settings.s1sps.find(({ name }) => name === s1sp.name)!
  const said = openHsmReceipt(question.receipt, { name: s1sp.name, publicKey: fromHex(theirs.publicKey) })
  const digest = hash('sha256', row.envelope)
  if (said.hsmKey !== hsmKey || said.generation !== row.generation || said.package !== digest) {
    throw no('HSM_KEY_NOT_PROVEN', 'the receipt is for another package')
  }
  const receipt = writeHsmReceipt(
    { hsmKey, generation: row.generation, recipient: s1sp.name, package: digest, at: now.toISOString() },
    signer(hands, 'distribution'),
  )
  hands.environment?.tell({ event: 'hsm-key.imported', about: { hsmKey, recipient: s1sp.name } })
  const keep = async (client: Client): Promise<void> => {
    await client.query('UPDATE dco_hsm_key SET proven_at = COALESCE(proven_at, $2) WHERE label = $1', [hsmKey, now])
    await client.query(
      'UPDATE dco_hsm_package SET proven_at = $3, receipt = $4 WHERE label = $1 AND recipient = $2',
      [hsmKey, s1sp.name, now, question.receipt],
    )
  }
  const body = { hsmKey, generation: row.generation, recipient: s1sp.name, package: digest }
  return { content: { receipt: toHex(receipt) }, tells: [{ act: 'hsm-key.imported', body }], keep }
}

/** A DCCKI Subscriber submits a CSR: it is checked, decided and put on record in one transaction (dccki.md sections 3, 4). */

import { hash } from 'node:crypto'
import type { Bytes } from '../../ground/bytes.ts'
import { toHex } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { DcckiRules } from '../../policy/dccki/settings.ts'
import type { Profile } from '../../policy/profile.ts'
import type { Hands } from '../registration/act.ts'
import { judgeDccki } from './dccki-judge.ts'
import { bySender, type Sender } from './dccki-sender.ts'
import type { Refuse } from './hold.ts'
import { orRefusal } from './organisation-judge.ts'
import { admitProfiled } from './profiled-csr.ts'
import { asksSays, keepRequest, type ProfiledRequest, requestOf, sameRequest } from './profiled-request.ts'

/** The profiles of the DCCKI's end entities, and the group `dccki` of the settings. */
export interface DcckiSubmitting {
  readonly profiles: readonly Profile[]
  readonly rules: Pick<DcckiRules, 'kinds' | 'approval'>
}

/**
 * What is decided of the CSR, for or against it, is the answer, on record and in the journal; what is approved is issued
 * by the signer afterwards (`askProfiled`). The same CSR sent again is the same request.
 * @param csr PKCS#10, DER
 * @throws Refusal as `bySender`, and what `stopped` answers: then there is no record but the journal's
 */
export function submitDccki(
  hands: Hands,
  { profiles, rules }: DcckiSubmitting,
  sender: Sender,
  csr: Bytes,
  stopped?: Refuse,
): Promise<ProfiledRequest> {
  return bySender(hands, sender, 'submit DCCKI CSR', async ({ client, at, party, by, note }) => {
    const stop = await stopped?.(client, { interface: 'DCCKI', party }, at)
    if (stop) throw stop

    // 1. The same once more, because the answer was lost, is not a second one. Parties are held: one after the other.
    const sha256 = hash('sha256', csr, 'buffer')
    const before = await sameRequest(client, 'dccki', party, sha256)
    if (before) return before

    // 2. Form, names, right, key.
    const admitted = await orRefusal(() => admitProfiled(csr, profiles))
    const asks = admitted instanceof Refusal ? undefined : admitted
    // In turn with every other request for this key.
    if (asks) await client.query('SELECT pg_advisory_xact_lock($1)', [Buffer.from(asks.keyId).readBigInt64BE()])
    const decision = await judgeDccki(client, rules, party, admitted)

    // 3. On record, whatever it is. Of what is no CSR the digest is enough.
    const kept = asks ? csr : csr.subarray(0, longestKept)
    const id = await keepRequest({ client, at }, { pki: 'dccki', party, by, csr: kept, sha256 }, asks, decision)
    await note(journalled[decision.state], {
      request: String(id),
      party,
      csr: toHex(sha256),
      ...(asks && asksSays(asks)),
      ...(decision.refusal && { code: decision.refusal.code }),
    })
    return requestOf(client, id)
  })
}

/** As csr.ts reads at most. */
const longestKept = 4096

const journalled = {
  verified: 'verify DCCKI CSR',
  approved: 'approve DCCKI CSR',
  refused: 'refuse DCCKI CSR',
  ineligible: 'refuse DCCKI CSR',
} as const

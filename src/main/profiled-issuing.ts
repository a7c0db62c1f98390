/** Who issues for the DCCKI and the S1SPKIs, and by which policy each request is judged once more. */

import type { KeyStore } from '../ground/keystore/keystore.ts'
import { hierarchies } from '../policy/hierarchies.ts'
import { s1spkiPolicy } from '../policy/s1spki/policy.ts'
import type { Settings } from '../policy/settings.ts'
import { issuingAuthority } from '../rooms/authority/register.ts'
import { judgeDccki } from '../rooms/issuance/dccki-judge.ts'
import type { ProfiledIssuing } from '../rooms/issuance/profiled-issue.ts'
import type { ProfiledPki } from '../rooms/issuance/profiled-request.ts'
import { judgeS1spki } from '../rooms/issuance/s1spki-submit.ts'
import type { Hands } from '../rooms/registration/act.ts'

/** For `issueProfiled`. @throws Refusal NO_AUTHORITY where the environment has no such PKI */
export function profiledIssuing(
  { store, clock }: Pick<Hands, 'store' | 'clock'>,
  keys: KeyStore,
  settings: Settings,
): (pki: ProfiledPki) => Promise<ProfiledIssuing> {
  // Of an S1SPKI several may issue one after the other: the newest does (SEED-001).
  const issuing = async (pki: ProfiledPki) => {
    const record = await issuingAuthority(store, pki, clock())
    // Its key may have come from a ceremony that was held while we ran.
    if (!keys.has(record.keyLabel)) keys.reload()
    return record
  }
  return async pki => ({
    record: await issuing(pki),
    keys,
    profiles: hierarchies(settings)[pki].endEntities,
    judge: (request, admitted) =>
      pki === 'dccki'
        ? judgeDccki(store, settings.dccki, request.party!, admitted, request.id)
        : judgeS1spki(store, s1spkiPolicy(settings, pki), admitted, request.id),
  })
}

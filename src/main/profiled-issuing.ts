/** Who issues for the DCCKI and the S1SPKIs, and by which policy each request is judged once more. */

import type { KeyStore } from '../ground/keystore/keystore.ts'
import type { Store } from '../ground/store/store.ts'
import { hierarchies } from '../policy/hierarchies.ts'
import { s1spkiPolicy } from '../policy/s1spki/policy.ts'
import type { Settings } from '../policy/settings.ts'
import { type AuthorityRecord, authorities, issuingAuthority } from '../rooms/authority/register.ts'
import { judgeDccki } from '../rooms/issuance/dccki-judge.ts'
import type { ProfiledIssuing } from '../rooms/issuance/profiled-issue.ts'
import type { ProfiledPki } from '../rooms/issuance/profiled-request.ts'
import { judgeS1spki } from '../rooms/issuance/s1spki-submit.ts'
import type { Hands } from '../rooms/registration/act.ts'

/** For `issueProfiled`. @throws Refusal NO_AUTHORITY where the environment has no such PKI */
export function profiledIssuing(
  { store }: Pick<Hands, 'store'>,
  keys: KeyStore,
  settings: Settings,
): (pki: ProfiledPki) => Promise<ProfiledIssuing> {
  return async pki => ({
    record: await newest(store, pki),
    keys,
    profiles: hierarchies(settings)[pki].endEntities,
    judge: (request, admitted) =>
      pki === 'dccki'
        ? judgeDccki(store, settings.dccki, request.party!, admitted, request.id)
        : judgeS1spki(store, s1spkiPolicy(settings, pki), admitted, request.id),
  })
}

/** Of an S1SPKI several may issue one after the other: the newest does (SEED-001). */
async function newest(store: Pick<Store, 'query'>, pki: ProfiledPki): Promise<AuthorityRecord> {
  const found = (await authorities(store)).filter(one => one.pki === pki && one.state === 'current')
  return found.at(-1) ?? issuingAuthority(store, pki)
}

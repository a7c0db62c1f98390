/** Issues the IKI Certificates of approved requests where the issuing keys are at hand: in a ceremony. */

import type { KeyStore } from '../ground/keystore/keystore.ts'
import { profileNamed } from '../policy/hierarchies.ts'
import type { CertificateKind } from '../policy/registration/credentials.ts'
import type { Settings } from '../policy/settings.ts'
import type { Hands } from '../rooms/authority/issue-one.ts'
import { issuingAuthority } from '../rooms/authority/register.ts'
import { admitIki } from '../rooms/issuance/admit-iki.ts'
import { issueIki } from '../rooms/issuance/single.ts'
import { readyCertificate } from '../rooms/registration/give.ts'
import { no } from '../rooms/registration/refusals.ts'
import { digestsOf, type IssueCredential } from './registration-office.ts'

/** The Issuing ICA's part of it: the CSR must be the one whose digest was approved. */
export async function credentialIssuer(hands: Hands, settings: Settings, keys: KeyStore): Promise<IssueCredential> {
  const ica = {
    record: await issuingAuthority(hands.store, 'iki'),
    keys,
    profile: profileNamed(settings, 'IKI Client Certificate'),
  }
  return async (credential, csr) => {
    const ready = await readyCertificate({ ...hands, rules: settings.registration }, credential)
    const { publicKey } = admitIki(csr)
    if (digestsOf(csr).sha256 !== ready.csrSha256) throw no('CREDENTIAL_REQUEST_UNFIT', 'another CSR was approved')
    const { party, role, systemName, tradingName } = ready
    const kind = ready.kind as CertificateKind
    return issueIki(hands, ica, { party, kind, role, systemName, tradingName, life: credential, publicKey })
  }
}

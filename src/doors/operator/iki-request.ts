/** The CSR of an IKI credential as it is handed in, and what the Registration Authority keeps of it. */

import {
  type AnyCredentialKind,
  type CertificateKind,
  credentialKinds,
} from '../../policy/registration/credentials.ts'
import { readIkiCsr } from '../../rooms/issuance/iki-csr.ts'
import { readPortalCsr } from '../../rooms/issuance/organisation-input.ts'
import { no } from '../../rooms/registration/refusals.ts'

export interface IkiRequestRead {
  readonly tradingName: string
  readonly role: number
  readonly systemName: string
  /** Of the CSR, and of the SubjectPublicKeyInfo in it; hexadecimal. */
  readonly digests: { readonly sha256: string; readonly publicKeySha256: string }
}

/**
 * Reads PEM, or base64 of the DER, and admits it: form, key, proof of possession (certificates.md section 12).
 * @throws Refusal CREDENTIAL_REQUEST_UNFIT for a kind that is made from no CSR; CR:… for what is wrong with it
 */
export function readIkiRequest(kind: AnyCredentialKind, text: string): IkiRequestRead {
  if (credentialKinds[kind].form !== 'certificate') throw no('CREDENTIAL_REQUEST_UNFIT', 'CSR')
  const { admitted, sha256, publicKeySha256 } = readIkiCsr(kind as CertificateKind, readPortalCsr(text))
  const { tradingName, role, systemName } = admitted
  return { tradingName, role, systemName, digests: { sha256, publicKeySha256 } }
}

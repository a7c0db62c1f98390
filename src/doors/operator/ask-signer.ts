/** Asks the signer, which alone holds keys, for what was approved. */

import { Refusal } from '../../ground/refusal.ts'
import { toPem } from '../../ground/x509/pem.ts'
import { askIki, askOrganisation, askProfiled, type RoomAnswer } from '../../rooms/issuance/signing.ts'
import type { OperatorDoor } from './door.ts'

export interface Signer {
  /** The certificate of an approved Organisation CSR, PEM. @throws Refusal with the signer's code; CA:FF1 not now */
  organisation(submission: bigint): Promise<string>
  /** The IKI Certificate of an approved credential, PEM. @throws Refusal likewise */
  iki(credential: number, csr: Uint8Array): Promise<string>
  /** The certificate of an approved request of the DCCKI or an S1SPKI, PEM. @throws Refusal likewise */
  profiled(request: bigint): Promise<string>
}

/** One signer after the other: each answers several at a time. */
export function askSigner({ signers }: Pick<OperatorDoor, 'signers'>): Signer {
  let turn = 0
  const next = () => signers[turn++ % signers.length]!
  return {
    organisation: async submission => certificateOf(await askOrganisation(next(), submission)),
    profiled: async request => certificateOf(await askProfiled(next(), request)),
    iki: async (credential, csr) => certificateOf(await askIki(next(), credential, csr)),
  }
}

function certificateOf(answer: RoomAnswer): string {
  if ('certificate' in answer) return toPem('CERTIFICATE', answer.certificate)
  throw new Refusal(answer.code, answer.text)
}

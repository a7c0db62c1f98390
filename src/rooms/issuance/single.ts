/** Issues one Organisation or IKI Certificate for a Party. */

import type { Bytes } from '../../ground/bytes.ts'
import { fromHex, toHex, toHexUpper } from '../../ground/bytes.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import type { Certificate } from '../../ground/x509/certificate.ts'
import type { Profile } from '../../policy/profile.ts'
import { ouOf, roleOf } from '../../policy/roles.ts'
import { type Hands, issueOne } from '../authority/issue-one.ts'
import type { AuthorityRecord } from '../authority/register.ts'
import { authority } from '../authority/sign.ts'
import { type NewCredential, recordCredential } from '../registration/parties.ts'
import { heldBy } from '../repository/holdings.ts'

interface By {
  readonly record: AuthorityRecord
  readonly keys: KeyStore
  readonly profile: Profile
}

export interface OrganisationRequest {
  readonly role: number
  /** 16 hexadecimal digits. */
  readonly eui64: string
  readonly usage: 'digitalSignature' | 'keyAgreement'
  readonly publicKey: Bytes
  readonly commonName?: string
}

/** @throws RangeError for a role that no end entity has, or that has no number (CERT-A13). */
export async function issueOrganisation(hands: Hands, by: By, request: OrganisationRequest): Promise<Certificate> {
  if (!roleOf(request.role)?.endEntity)
    throw new RangeError(`no Organisation Certificate has the role ${request.role}`)
  const eui64 = fromHex(request.eui64)
  const held = await heldBy(hands.store, [eui64])
  const subject = {
    ...(request.commonName !== undefined && { commonName: request.commonName }),
    organizationalUnitName: ouOf(request.role),
    uniqueIdentifier: toHex(eui64),
  }
  return issueOne(
    hands,
    authority(by.keys, by.record.keyLabel, by.record.certificate),
    { profile: by.profile, subject, publicKey: request.publicKey, usage: request.usage },
    {
      authority: by.record.id,
      role: request.role,
      eui64,
      ordinal: Math.max(0, ...held.map(one => one.ordinal)) + 1,
    },
    { eui64: toHexUpper(eui64), role: request.role, usage: request.usage },
  )
}

export interface IkiRequest extends NewCredential {
  /** O: the Organisation Trading Name. */
  readonly tradingName: string
  readonly publicKey: Bytes
}

/** The certificate and its registration record come to be in one transaction. */
export async function issueIki(hands: Hands, by: By, request: IkiRequest): Promise<Certificate> {
  const { tradingName, publicKey, ...credential } = request
  const { party, kind, role, systemName } = credential
  const subject = {
    organizationName: tradingName,
    organizationalUnitName: ouOf(role ?? 0x7f),
    commonName: systemName,
  }
  return issueOne(
    hands,
    authority(by.keys, by.record.keyLabel, by.record.certificate),
    { profile: by.profile, subject, publicKey },
    { authority: by.record.id, ...(role !== undefined && { role }) },
    { party, credential: kind },
    (client, certificate) => recordCredential(client, certificate, credential, hands.clock()),
  )
}

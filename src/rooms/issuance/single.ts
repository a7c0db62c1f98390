/** Issues one Organisation or IKI Certificate for a Party. */

import type { Bytes } from '../../ground/bytes.ts'
import { fromHex, toHex, toHexUpper } from '../../ground/bytes.ts'
import type { JsonValue } from '../../ground/journal/entry.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import type { Certificate } from '../../ground/x509/certificate.ts'
import type { Profile } from '../../policy/profile.ts'
import { ouOf, roleOf } from '../../policy/roles.ts'
import { type Beside, type Hands, issueOne } from '../authority/issue-one.ts'
import type { AuthorityRecord } from '../authority/register.ts'
import { authority } from '../authority/sign.ts'
import { type NewCredential, recordCredential } from '../registration/parties.ts'
import { heldBy } from '../repository/holdings.ts'

/** Who issues: an authority, the store that holds its key, and the profile. */
export interface By {
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

/**
 * @param says stands on the journal entries besides, `beside` runs in the two transactions.
 * @throws RangeError for a role that no end entity has, or that has no number (CERT-A13).
 */
export async function issueOrganisation(
  hands: Hands,
  by: By,
  request: OrganisationRequest,
  says: Readonly<Record<string, JsonValue>> = {},
  beside: Beside = {},
): Promise<Certificate> {
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
    { eui64: toHexUpper(eui64), role: request.role, usage: request.usage, ...says },
    beside,
  )
}

export interface IkiRequest extends NewCredential {
  /** O: the Organisation Trading Name. */
  readonly tradingName: string
  readonly publicKey: Bytes
}

/** In the OU of an IKI Certificate whose holder has no Remote Party Role: `other`. */
export const roleOfNone = 0x7f

/**
 * The certificate and its registration record come to be in one transaction, with what runs `beside`.
 * @throws Refusal as `recordCredential`
 */
export async function issueIki(
  hands: Hands,
  by: By,
  request: IkiRequest,
  beside: Beside = {},
): Promise<Certificate> {
  const { tradingName, publicKey, ...credential } = request
  const { party, kind, role, systemName } = credential
  const subject = {
    organizationName: tradingName,
    organizationalUnitName: ouOf(role ?? roleOfNone),
    commonName: systemName,
  }
  return issueOne(
    hands,
    authority(by.keys, by.record.keyLabel, by.record.certificate),
    { profile: by.profile, subject, publicKey },
    { authority: by.record.id, ...(role !== undefined && { role }) },
    { party, credential: kind },
    {
      ...beside,
      async keeping(client, certificate) {
        await recordCredential(client, certificate, credential, hands.clock())
        await beside.keeping?.(client, certificate)
      },
    },
  )
}

/** Judges an admitted DCCKI CSR: whose the names in it are, whether the kind is for the Subscriber, whose key it is (dccki.md 3). */

import type { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import { dcckiKindOf, dcckiKinds, personnelReference, whyNotDccki } from '../../policy/dccki/requests.ts'
import type { DcckiRules } from '../../policy/dccki/settings.ts'
import { connectionOf } from '../registration/dccki-connection.ts'
import { subscriberOf } from '../registration/eligible.ts'
import { organisationOf } from '../registration/party.ts'
import { contains, readEui64 } from '../registration/ranges.ts'
import { no } from '../registration/refusals.ts'
import { certifiedFor } from '../repository/holdings.ts'
import { families } from '../repository/register.ts'
import { refuseCsr } from './csr.ts'
import { orRefusal } from './organisation-judge.ts'
import type { AdmittedProfiled } from './profiled-csr.ts'
import { type Decision, keyOfAnother, type Reader } from './profiled-request.ts'
import { refuse } from './refusals.ts'

/**
 * Rows 1 and 3 to 5 of dccki.md section 3, in their order; the first that does not hold is the answer.
 * @param admitted the CSR; or why it is none (row 2)
 * @param except the request itself, once it is on record
 */
export async function judgeDccki(
  store: Reader,
  rules: Pick<DcckiRules, 'kinds' | 'approval'>,
  party: number,
  admitted: AdmittedProfiled | Refusal,
  except?: bigint,
): Promise<Decision> {
  const subscriber = await subscriberOf(store, party)
  if (!subscriber.authorised.dccki) return refused(no('NOT_AUTHORISED_SUBSCRIBER', 'under the DCCKI policy'))
  if (!('subject' in admitted)) return refused(admitted)

  const organisation = await organisationOf(store, party)
  const connection = await connectionOf(store, party)
  const kind = dcckiKindOf(admitted.profile.name)
  const misnamed = await orRefusal(() => {
    const { organizationName, organizationalUnitName: unit, commonName } = admitted.subject
    if (organizationName !== organisation.tradingName) refuseCsr('CR:CC5', 'O is not the name of the Subscriber')
    if (!/^[0-9A-F]{16}$/.test(unit)) refuseCsr('CR:CC5', 'OU is no EUI-64 of 16 hexadecimal digits, upper case')
    if (!subscriber.ranges.some(range => contains(range, readEui64(unit)))) throw no('EUI64_NOT_OWN')
    if (dcckiKinds[kind].commonName === 'reference') {
      if (!personnelReference.safeParse(commonName).success) refuseCsr('CR:CC5', 'CN is no reference of a person')
      return
    }
    const hosts = connection?.hosts ?? []
    const stranger = [commonName, ...admitted.names].find(name => !hosts.includes(name))
    // Without a connection the kind is not for it, and it is told that.
    if (connection && stranger !== undefined)
      refuseCsr('CR:CC5', 'CN or subjectAltName has a host name that is not on record for the Subscriber')
  })
  if (misnamed) return refused(misnamed)

  const has = {
    kind: organisation.kind,
    connection: connection !== undefined,
    userRole: subscriber.ranges.length > 0,
  }
  const reason = whyNotDccki(rules.kinds[kind], has)
  if (reason !== undefined) return { state: 'ineligible', refusal: refuse('DCCKI_INELIGIBLE', reason) }

  if (await isOfAnother(store, 'dccki', admitted, except)) return refused(refuse('KEY_OF_ANOTHER_SUBJECT'))
  return { state: rules.approval[kind] === 'automatic' ? 'approved' : 'verified' }
}

/** One key serves one subject: certified in another family, or asked for under another name, it is an anomaly. */
export async function isOfAnother(
  store: Reader,
  pki: Parameters<typeof keyOfAnother>[1],
  admitted: AdmittedProfiled,
  except?: bigint,
): Promise<boolean> {
  const certified = await certifiedFor(store as Pick<Store, 'query'>, [admitted.keyId])
  const family = families[admitted.profile.family]
  return certified.some(one => one.family !== family) || keyOfAnother(store, pki, admitted, except)
}

const refused = (refusal: Refusal): Decision => ({ state: 'refused', refusal })

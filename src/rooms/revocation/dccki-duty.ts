/** The duty to revoke DCCKI Certificates of who is no Authorised DCCKI Subscriber any more (dccki.md 6): found, opened as cases. */

import { toHex } from '../../ground/bytes.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { requests } from '../issuance/profiled-request.ts'
import type { Actor, Given } from '../registration/act.ts'
import { organisations } from '../registration/party.ts'
import { standingOf } from '../registration/standing.ts'
import { findBySerials } from '../repository/find.ts'
import { caseAbout } from './case.ts'
import { actAlone, type RevocationHands, type RevocationRules } from './hands.ts'
import { type CertificateRef, revocableAt } from './object.ts'
import { no } from './refusals.ts'
import { type OpenedCase, openCase } from './request.ts'

export interface DcckiDuty {
  readonly party: number
  readonly name: string
  /** Its DCCKI Certificates that are good, and that no case is about yet. */
  readonly certificates: readonly CertificateRef[]
}

type Reader = Pick<Store, 'query'> | Client

/** Every Party that ceased, or whose application ended; suspended ones too where the settings say so. */
export async function dcckiDuties(store: Reader, at: Date, rules: RevocationRules): Promise<DcckiDuty[]> {
  const duties: DcckiDuty[] = []
  for (const { id, name } of await organisations(store)) {
    if (!(await isDue(store, id, rules))) continue
    const certificates = await goodOnes(store, id, at)
    if (certificates.length > 0) duties.push({ party: id, name, certificates })
  }
  return duties
}

/**
 * Opens a case for each, as the request of whoever of the Registration Authority does it; others verify and approve.
 * Under a deferral they wait (L16).
 * @throws Refusal GROUND_UNFIT when there is no duty towards that Party
 */
export function openDcckiDuties(
  hands: RevocationHands,
  by: Actor,
  party: number,
  given: Given,
): Promise<OpenedCase[]> {
  return actAlone(hands, by, 'open duties', { party }, undefined, async acting => {
    const { client, at } = acting
    if (!(await isDue(client, party, hands.revocation)))
      throw no('GROUND_UNFIT', 'the Party is an Authorised DCCKI Subscriber')
    const opened: OpenedCase[] = []
    for (const ref of await goodOnes(client, party, at)) {
      const found = await revocableAt(client, hands.schedules, ref, at)
      opened.push(await openCase(acting, hands, found, { ground: 'not authorised', origin: 'duty' }, given))
    }
    await acting.note('open duties', { party, pki: 'dccki', cases: opened.map(one => one.case) })
    return opened
  })
}

async function isDue(store: Reader, party: number, { dutyOnSuspension }: RevocationRules): Promise<boolean> {
  const { state, policies } = await standingOf(store, party)
  const { authorised, missing } = policies.dccki
  // Who never applied has no certificate to revoke.
  return state === 'ceased' || (!authorised && (missing.includes('application') || dutyOnSuspension))
}

async function goodOnes(store: Reader, party: number, at: Date): Promise<CertificateRef[]> {
  const issued = await requests(store, { pki: 'dccki', party, state: 'issued' }, 10_000)
  const certificates = issued.map(one => one.certificate!)
  const serials = certificates.map(one => one.serial)
  const lodged = await findBySerials(store as Pick<Store, 'query'>, serials, at)
  const good: CertificateRef[] = []
  for (const { authority, serial } of certificates) {
    const ref = { authority, serial: toHex(serial) }
    const inUse = lodged.some(one => one.authority === authority && one.serial.equals(serial) && one.status === 'I')
    if (inUse && !(await caseAbout(store, ref))) good.push(ref)
  }
  return good
}

/** Organisation CSRs after an Issuing OCA was replaced: whose certificates are still those of the old one. */

import { fromHex, toBigInt, toHex } from '../../ground/bytes.ts'
import type { Store } from '../../ground/store/store.ts'
import { ownersOf } from '../registration/owner.ts'
import { everyCertificate } from '../repository/find.ts'

/** An Organisation Certificate that is to be replaced, or was. */
export interface ToReplace {
  /** Number of the Party in whose range its EUI-64 lies; undefined of an identifier that is nobody's. */
  readonly party: number | undefined
  readonly eui64: string
  readonly role: number
  readonly usage: string
  /** 32 hexadecimal digits. */
  readonly serial: string
  /** The serial number of the certificate by the new authority that takes its place. */
  readonly replacedBy: string | undefined
}

/**
 * Every Organisation Certificate of one authority that was in use, oldest first, each with what takes its place: the next
 * certificate by the other authority for the same EUI-64, role and usage that takes no other's.
 * @param from the authority that was Compromised, @param to the one that issues now: numbers of the register
 */
export async function toReplace(
  store: Pick<Store, 'query'>,
  from: number,
  to: number,
  now: Date,
): Promise<ToReplace[]> {
  const old: Omit<ToReplace, 'party' | 'replacedBy'>[] = []
  const fresh = new Map<string, string[]>()
  for await (const one of everyCertificate(store, now)) {
    if (one.family !== 'organisation' || one.eui64 === undefined || one.role === undefined) continue
    const { eui64, role, usage } = one
    const serial = toHex(one.serial)
    if (one.authority === from && (one.status === 'I' || one.status === 'R'))
      old.push({ eui64, role, usage, serial })
    const place = `${eui64} ${role} ${usage}`
    if (one.authority === to) fresh.set(place, [...(fresh.get(place) ?? []), serial])
  }
  const found: ToReplace[] = []
  for (const one of old) {
    const [party] = await ownersOf(store, toBigInt(fromHex(one.eui64)))
    const replacedBy = fresh.get(`${one.eui64} ${one.role} ${one.usage}`)?.shift()
    found.push({ ...one, party, replacedBy })
  }
  return found
}

/** Parties that have CSRs to submit still, with how many; `undefined` stands for the DCC's own identifiers. */
export function outstanding(of: readonly ToReplace[]): Map<number | undefined, number> {
  const left = of.filter(one => one.replacedBy === undefined)
  return new Map([...Map.groupBy(left, one => one.party)].map(([party, some]) => [party, some.length]))
}

/** Decides for each admitted request whether a certificate may be issued: what is held already speaks for or against it. */

import { toHex } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import type { DeviceCode } from '../../policy/smki-device/codes.ts'
import { type Held, holdings, isDevice } from '../repository/holdings.ts'
import { usages } from '../repository/register.ts'
import type { Admitted } from './admit.ts'

export interface DecisionRules {
  /** Certificates per Device ID from which on the Registration Authority must act first. */
  readonly threshold: number
  /** Row 8: the Ad Hoc service replaces certificates; a Device must have had one. */
  readonly knownDevicesOnly: boolean
}

const decides = Symbol('decides') // not exported: only `decide` can make one

/** A request that leads to a certificate: the next of its Device ID. */
export interface Decided extends Admitted {
  readonly [decides]: true
  readonly ordinal: number
}

/**
 * Rows 8 to 10 of service-interface.md section 3.2, in order, for a group of requests that are issued together: each
 * is judged with what those before it in the group will have got.
 * @param requests `undefined` where a request was refused already
 */
export async function decide(
  store: Pick<Store, 'query'>,
  requests: readonly (Admitted | undefined)[],
  rules: DecisionRules,
): Promise<(Decided | Refusal<DeviceCode> | undefined)[]> {
  const admitted = requests.filter(request => request !== undefined)
  if (admitted.length === 0) return requests.map(() => undefined)
  const facts = await gather(store, admitted)
  return requests.map(request => request && judge(request, facts, rules))
}

interface Facts {
  /** By Device ID. */
  readonly devices: Map<string, { issued: number; ordinal: number; keys: Set<string> }>
  /** Key identifier to the Device ID that it was certified for first. */
  readonly owners: Map<string, string>
  readonly thresholds: ReadonlyMap<string, number>
}

async function gather(store: Pick<Store, 'query'>, admitted: readonly Admitted[]): Promise<Facts> {
  const ids = [...new Map(admitted.map(one => [one.deviceId, one.eui64])).values()]
  const keyIds = admitted.map(one => one.keyId)
  const { held, certified, thresholds } = await holdings(store, ids, keyIds)
  const devices: Facts['devices'] = new Map()
  for (const one of held) enter(devices, one)
  return {
    devices,
    owners: new Map(certified.map(one => [one.keyId, one.eui64 ?? ''])),
    thresholds,
  }
}

function enter(devices: Facts['devices'], one: Held): void {
  const device = deviceOf(devices, one.eui64!)
  device.ordinal = Math.max(device.ordinal, one.ordinal)
  if (!one.counts || !isDevice(one)) return
  device.issued++
  device.keys.add(`${one.usage} ${one.keyId}`)
}

function deviceOf(devices: Facts['devices'], deviceId: string) {
  const known = devices.get(deviceId)
  if (known) return known
  const device = { issued: 0, ordinal: 0, keys: new Set<string>() }
  devices.set(deviceId, device)
  return device
}

function judge(request: Admitted, facts: Facts, rules: DecisionRules): Decided | Refusal<DeviceCode> {
  const device = deviceOf(facts.devices, request.deviceId)
  const keyId = toHex(request.keyId)
  const usage = usages[request.usage === 'digitalSignature' ? 'DS' : 'KA']
  const threshold = facts.thresholds.get(request.deviceId) ?? rules.threshold
  const owner = facts.owners.get(keyId)

  if (rules.knownDevicesOnly && device.issued === 0) {
    return no('UD:DD1', `no Device Certificate was issued before for ${request.deviceId.toUpperCase()}`)
  }
  if (device.issued >= threshold) {
    return no(
      'CA:EE1',
      `${device.issued} certificates were issued for this Device ID; its threshold is ${threshold}`,
    )
  }
  if (device.keys.has(`${usage} ${keyId}`)) {
    return no('CR:9999', 'Request for duplicate certificate not permitted')
  }
  if (owner !== undefined && owner !== request.deviceId) {
    return no(
      'CA:EE2',
      'this key was certified for another subject; the Registration Authority must look at it first',
    )
  }
  device.issued++
  device.ordinal++
  device.keys.add(`${usage} ${keyId}`)
  facts.owners.set(keyId, request.deviceId)
  return { ...request, [decides]: true, ordinal: device.ordinal }
}

function no(code: DeviceCode, sentence: string): Refusal<DeviceCode> {
  return new Refusal<DeviceCode>(code, sentence)
}

/** Where simulated meters come from: identities and first keys by number, so that their former holder has them too. */

import { createHash } from 'node:crypto'
import type { MeterKeys } from './memory.ts'
import type { MeterModel } from './model.ts'

/** EUI-64, 16 lower-case hexadecimal digits: from a block that is set aside for documentation. */
export function deviceIdOf(number: number): string {
  return `00005e${(0x90_1000_0000 + number).toString(16).padStart(10, '0')}`
}

/** The system title of a simulated meter is its EUI-64. */
export const titleOf = (number: number): Buffer => Buffer.from(deviceIdOf(number), 'hex')

/** The keys that the meter of that number left its maker with. They are no secret to whoever knows the seed. */
export function factoryKeys(seed: string, number: number, model: MeterModel): MeterKeys {
  const key = (which: string) => createHash('sha256').update(`${seed}/${number}/${which}`).digest().subarray(0, 16)
  const clients = model.clients.map(
    ({ address }) => [address, { ak: key(`ak/${address}`), guek: key(`guek/${address}`) }] as const,
  )
  return {
    mk: key('mk'),
    ...(model.holdsBroadcastKey && { gbek: key('gbek') }),
    clients: new Map(clients),
  }
}

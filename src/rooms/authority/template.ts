/** A plan that copies: certificates that differ in four values are one template, with those values put in. */

import type { Bytes } from '../../ground/bytes.ts'
import { keyIdentifier } from '../../ground/x509/key.ts'
import type { Wanted } from '../../policy/wanted.ts'
import type { Plan } from './plan.ts'

interface Template {
  readonly usage: Wanted['usage']
  readonly hwType: string
  /** Milliseconds since 1970. */
  readonly moment: number
  readonly octets: Buffer
  /** Where each value begins. */
  readonly at: Places
}

interface Places {
  readonly serial: number
  readonly key: number
  readonly keyId: number
  readonly device: number
}

/** Portions of a batch that are under way, in two usages. */
const atMost = 8

/** As `plan`, octet for octet, for Device Certificates at the price of a copy; whatever else it is asked for, `plan` answers. */
export function templated(plan: Plan): Plan {
  const templates: Template[] = []
  let turn = 0

  return wanted => {
    const { hardwareModule, serial, publicKey, usage } = wanted
    if (!fits(wanted)) return plan(wanted)
    const hwType = hardwareModule!.hwType
    const moment = wanted.moment.getTime()
    let template = templates.find(one => one.moment === moment && one.usage === usage && one.hwType === hwType)
    if (!template) {
      const made = templateOf(plan, wanted)
      if (!made) return plan(wanted)
      template = { ...made, usage, hwType, moment }
      templates[turn++ % atMost] = template
    }
    const octets = Buffer.from(template.octets)
    octets.set(serial, template.at.serial)
    octets.set(publicKey, template.at.key)
    octets.set(wanted.keyId ?? keyIdentifier(publicKey.subarray(26)), template.at.keyId)
    octets.set(hardwareModule!.hwSerialNum, template.at.device)
    return octets
  }
}

/** Each of the four values has the length that it has in the template, and there is no fifth. */
function fits({ hardwareModule, serial, publicKey, subject, serverNames, contingencyKey }: Wanted): boolean {
  if (hardwareModule?.hwSerialNum.length !== 8 || serverNames || contingencyKey) return false
  if (serial.length !== 16 || serial[0]! < 0x01 || serial[0]! > 0x7f || publicKey.length !== 91) return false
  for (const _ in subject) return false
  return true
}

// Values that no certificate has elsewhere. What a requester chose may stand in it twice, so the search is for these.
const marks = {
  serial: Buffer.alloc(16, 0x5e),
  key: Buffer.alloc(91, 0x6b),
  device: Buffer.alloc(8, 0xd5),
}

function templateOf(plan: Plan, wanted: Wanted): Pick<Template, 'octets' | 'at'> | undefined {
  const octets = plan({
    ...wanted,
    serial: marks.serial,
    publicKey: marks.key,
    hardwareModule: { hwType: wanted.hardwareModule!.hwType, hwSerialNum: marks.device },
  })
  const keyId = keyIdentifier(marks.key.subarray(26))
  const at = {
    serial: onlyPlace(octets, marks.serial),
    key: onlyPlace(octets, marks.key),
    keyId: onlyPlace(octets, keyId),
    device: onlyPlace(octets, marks.device),
  }
  return Object.values(at).every(place => place >= 0) ? { octets, at } : undefined
}

/** Below zero unless it stands there once. */
function onlyPlace(octets: Buffer, value: Bytes): number {
  const first = octets.indexOf(value)
  return octets.indexOf(value, first + 1) < 0 ? first : -1
}

/** Bad Device CSRs with the code that the specification gives each (service-interface section 4). */

import type { Device } from '../../simulator/device.ts'
import { refused } from '../../simulator/peculiar.ts'

type Code = 'CR:CC1' | 'CR:CC2' | 'CR:CC3' | 'CR:CC4' | 'CR:CC5' | 'CR:CC6' | 'CR:CC7' | 'CR:CC8'

/** Every name that the simulator has must stand here: the type says so. */
const expected: Record<keyof typeof refused, Code> = {
  'the version is 1': 'CR:CC4',
  'the subject is not empty': 'CR:CC5',

  'the key is P-384': 'CR:CC8',
  // Its signature algorithm is the first thing that is wrong with it.
  'the key is RSA': 'CR:CC1',
  'the curve has explicit parameters': 'CR:CC8',
  'the point is compressed': 'CR:CC8',
  'the point is in the hybrid form': 'CR:CC8',
  'the point is off the curve': 'CR:CC8',
  'the point is at infinity': 'CR:CC8',

  'there is no keyUsage': 'CR:CC6',
  'keyUsage is empty': 'CR:CC6',
  'keyUsage has trailing zero bits': 'CR:CC6',
  'keyUsage names both usages': 'CR:CC6',
  'keyUsage names another usage': 'CR:CC6',
  // One extension twice is no list of extensions (RFC 5280 4.2).
  'keyUsage stands there twice': 'CR:CC2',

  'there is no subjectAltName': 'CR:CC7',
  'subjectAltName is an empty list': 'CR:CC7',
  'subjectAltName is a dNSName': 'CR:CC7',
  'subjectAltName holds two names': 'CR:CC7',
  'hwSerialNum has 7 octets': 'CR:CC7',
  'hwSerialNum has 9 octets': 'CR:CC7',

  'there is no extensionRequest': 'CR:CC6',
  'the extensionRequest stands there twice': 'CR:CC2',
  'there is an unknown attribute': 'CR:CC2',

  'the signature is bad': 'CR:CC3',
  'the signature is by another key': 'CR:CC3',
  'the signature is over SHA-384': 'CR:CC1',
  'the signature algorithm has NULL parameters': 'CR:CC1',
  'the signature value is not in the fewest octets': 'CR:CC3',

  'an octet follows the request': 'CR:CC2',
  'the request is cut short': 'CR:CC2',
  'the length is in the form of BER': 'CR:CC2',
  'the length is longer than it needs to be': 'CR:CC2',
  'there are no octets': 'CR:CC2',
}

export interface BadRequest {
  readonly what: string
  readonly code: Code
  readonly csr: Buffer
}

export function badRequests(device: Device): BadRequest[] {
  const names = Object.keys(expected) as (keyof typeof refused)[]
  return [
    ...names.map(what => ({ what, code: expected[what], csr: refused[what](device) })),
    { what: 'it is text', code: 'CR:CC2', csr: Buffer.from('this is no request at all') },
    { what: 'it has 10,000 octets', code: 'CR:CC2', csr: Buffer.alloc(10_000, 0x30) },
  ]
}

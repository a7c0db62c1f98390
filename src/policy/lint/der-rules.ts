/** Faults of encoding, each with a rule of its own (lessons, row 10): the reader names them, these rows show them. */

import type { DerFault } from '../../ground/der/read.ts'
import { type Rule, rule } from './rule.ts'
import type { Fault } from './view.ts'

/** One row for each fault that the reader knows: the type holds the table complete. */
const faults: Readonly<Record<DerFault, readonly [says: string, clause: string]>> = {
  truncated: ['every element is whole', 'X.690 8.1.3'],
  trailing: ['nothing follows where an element ends', 'X.690 8.1'],
  tag: ['each element has the tag that its place demands', 'RFC 5280 A'],
  length: ['lengths are definite and in the fewest octets', 'X.690 10.1'],
  boolean: ['a BOOLEAN is 00 or FF', 'X.690 11.1'],
  integer: ['an INTEGER is in the fewest octets, and not negative where it must not be', 'X.690 8.3.2'],
  bit_string: ['a BIT STRING has its unused bits zero, and only bits that mean something', 'X.690 11.2'],
  null: ['a NULL has no content', 'X.690 8.8'],
  oid: ['an OBJECT IDENTIFIER has its arcs in the fewest octets', 'X.690 8.19'],
  time: ['a time is an instant that exists, in whole seconds, ended by Z', 'RFC 5280 4.1.2.5'],
  string: ['the octets of a string are characters of its type', 'X.690 8.23'],
  set_order: ['the elements of a SET OF are in ascending order', 'X.690 11.6'],
  default: ['a DEFAULT value is left out', 'X.690 11.5'],
  empty: ['what must hold at least one thing is not empty', 'RFC 5280 A'],
  duplicate: ['what may stand there once does not stand there twice', 'RFC 5280 4.2'],
  structure: ['the parts fit the version', 'RFC 5280 4.1'],
}

export const derRules: readonly Rule[] = [
  ...(Object.keys(faults) as DerFault[]).map(fault => faultRule(fault, `der_${fault}`, ...faults[fault])),
  faultRule(
    'key_usage_trailing_zeros',
    'key_usage_trailing_zeros',
    'keyUsage ends with its last one bit',
    'X.690 11.2.2',
  ),
  faultRule(
    'printable_string',
    'printable_string_characters',
    "a PrintableString holds only letters, digits, space and '()+,-./:=?",
    'X.680 41.4',
  ),
]

/** The rule that a fault of the whole file breaks. */
export function ruleOfFault(fault: DerFault): Rule {
  return derRules.find(one => one.id === `der_${fault}`)!
}

function faultRule(fault: Fault['fault'], id: string, says: string, clause: string): Rule {
  return rule({
    id,
    says,
    clause,
    of: view => view.faults.filter(one => one.fault === fault),
    holds: found => found.length === 0,
    shows: found => found.map(one => one.says).join('; '),
  })
}

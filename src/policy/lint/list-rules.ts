/** Rules about revocation lists: their version, their entries, and that they are complete. */

import { toHexUpper } from '../../ground/bytes.ts'
import { oidName, oids } from '../../ground/x509/names.ts'
import type { Entries } from './entries.ts'
import { listKinds } from './kind.ts'
import type { Field } from './profile.ts'
import { type Rule, rule, type Severity } from './rule.ts'

const partial: readonly string[] = [oids.deltaCrlIndicator, oids.issuingDistributionPoint, oids.freshestCrl]
const kinds = [...listKinds, 'unknown'] as const

export const listRules: readonly Rule[] = [
  rule({
    id: 'list_version_2',
    says: 'a list is of version 2',
    clause: 'certificates.md 10, RFC 5280 5.1.2.1',
    kinds,
    of: view => (view.form === 'list' ? view.version : undefined),
    holds: version => version === 2,
    shows: version => `version ${version}`,
  }),
  rule({
    id: 'list_complete',
    says: 'a list is a complete one: no delta, no pointer to deltas, no distribution point',
    clause: 'certificates.md 10, CERT-A11',
    kinds,
    of: view => (view.form === 'list' ? view.extensions.map(one => one.oid) : undefined),
    holds: found => !found.some(oid => partial.includes(oid)),
    shows: found =>
      found
        .filter(oid => partial.includes(oid))
        .map(oidName)
        .join(', '),
  }),
  rule({
    id: 'crl_number_octets',
    says: 'cRLNumber has at most 20 octets',
    clause: 'RFC 5280 5.2.3',
    kinds,
    of: view => (view.form === 'list' ? view.crlNumber : undefined),
    holds: number => number.length <= 20,
    shows: toHexUpper,
  }),
  entryRule(
    'notPositive',
    'list_serials_positive',
    'error',
    'revoked serial numbers are positive',
    'RFC 5280 4.1.2.2',
  ),
  entryRule(
    'outOfOrder',
    'list_ascending',
    'warning',
    'entries stand in the order of their serial numbers',
    'certificates.md 10',
  ),
  entryRule('repeated', 'list_no_repeats', 'error', 'no serial number stands there twice', 'RFC 5280 5.3'),
  entryRule(
    'criticalReason',
    'reason_not_critical',
    'error',
    'the reason of an entry is not critical',
    'RFC 5280 5.3.1, certificates.md 10',
  ),
  entryRule(
    'unspecifiedReason',
    'reason_unspecified_omitted',
    'warning',
    'the reason "unspecified" is left out',
    'RFC 5280 5.3.1, certificates.md 10',
  ),
  entryRule(
    'suspension',
    'no_suspension',
    'error',
    'nothing is suspended: no certificateHold, no removeFromCRL',
    'certificates.md 10, CERT-A11',
  ),
  entryRule(
    'otherExtension',
    'entry_extensions',
    'error',
    'an entry has no extension but its reason',
    'certificates.md 10, CERT-A11',
    'entries',
  ),
]

function entryRule(
  key: Exclude<keyof Entries, 'count' | 'oddTime' | 'fault'>,
  id: string,
  severity: Severity,
  says: string,
  clause: string,
  field?: Field,
): Rule {
  return rule({
    id,
    severity,
    says,
    clause,
    kinds,
    ...(field && { field }),
    of: view => view.entries,
    holds: entries => entries[key] === undefined,
    shows: entries => entries[key]!,
  })
}

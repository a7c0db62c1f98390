/** Holds a whole path, from the target up to its anchor, against every rule that no one certificate can answer. */

import type { KeyUsage } from '../extensions.ts'
import { oidName } from '../names.ts'
import type { Opened } from './opened.ts'
import type { Place } from './own.ts'
import { policyFault } from './policies.ts'
import { type PathRefusal, refuse } from './refusals.ts'

/** What the one who asks means to do with the target. */
export interface Wanted {
  /** Every one of these bits, where the target has a keyUsage. */
  readonly usage?: readonly KeyUsage[] | undefined
  /** An extendedKeyUsage, which every certificate of the path must allow that has the extension. */
  readonly purpose?: string | undefined
  /** Certificate policies of which one must hold along the path. */
  readonly acceptedPolicies?: readonly string[] | undefined
}

/** The place of the certificate at `index` of a path: an anchor that is the target is an anchor. */
export function placeIn(path: readonly Opened[], index: number): Place {
  return index === path.length - 1 ? 'anchor' : index === 0 ? 'target' : 'ca'
}

/** Validity, path length, policies, use. */
export function pathFaults(path: readonly Opened[], at: number | undefined, wanted: Wanted): PathRefusal[] {
  const policy = policyFault(path, wanted.acceptedPolicies)
  return [
    ...useFaults(path, wanted),
    ...validityFaults(path, at),
    ...lengthFaults(path),
    ...(policy ? [policy] : []),
  ]
}

/** RFC 5280 4.1.2.5: from notBefore to notAfter, both included. One may outlive the other: nesting is not asked for. */
export function validityFaults(path: readonly Opened[], at: number | undefined): PathRefusal[] {
  if (at === undefined) return []
  return path.flatMap(({ certificate }) => {
    const { notBefore, notAfter } = certificate
    if (at < notBefore.ms) return [refuse('NOT_YET_VALID', certificate, `valid from ${notBefore.text} on`)]
    return at > notAfter.ms ? [refuse('EXPIRED', certificate, `valid until ${notAfter.text}`)] : []
  })
}

/** RFC 5280 6.1.4 (l), (m). The target is no intermediate certificate, CA or not, and does not count (4.2.1.9). */
function lengthFaults(path: readonly Opened[]): PathRefusal[] {
  const found: PathRefusal[] = []
  let below = 0
  for (let i = 1; i < path.length; i++) {
    const { certificate, constraints, selfIssued } = path[i]!
    const allowed = constraints?.pathLength
    if (allowed !== undefined && below > allowed)
      found.push(
        refuse(
          'PATH_TOO_LONG',
          certificate,
          `${below} intermediate certificates follow, ${allowed} may (RFC 5280 4.2.1.9)`,
        ),
      )
    if (!selfIssued) below++
  }
  return found
}

function useFaults(path: readonly Opened[], { usage = [], purpose }: Wanted): PathRefusal[] {
  const target = path[0]!
  const found: PathRefusal[] = []
  const missing = usage.filter(bit => target.keyUsage && !target.keyUsage.includes(bit))
  if (missing.length > 0)
    found.push(refuse('KEY_USAGE', target.certificate, `keyUsage does not name ${missing.join(', ')}`))
  if (purpose === undefined) return found
  // anyExtendedKeyUsage is not taken for a purpose that is asked for by name (RFC 5280 4.2.1.12 leaves it open).
  for (const { certificate, purposes } of path)
    if (purposes && !purposes.includes(purpose))
      found.push(refuse('PURPOSE', certificate, `extendedKeyUsage does not name ${oidName(purpose)}`))
  return found
}

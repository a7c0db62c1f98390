/** Certificate policies along a path: RFC 5280 section 6.1 without mappings, where the policy tree is a set. */

import { oidName, oids } from '../names.ts'
import type { Opened } from './opened.ts'
import { type PathRefusal, refuse } from './refusals.ts'

/**
 * Why the path is valid for no policy that counts; undefined when it is, or when nobody asked for one.
 *
 * @param path the target first, the anchor last
 * @param accepted the policies of which one must hold (user-initial-policy-set, with initial-explicit-policy); undefined
 *   when any will do, and none, unless a certificate of the path demands one
 *
 * The anchor's own policies, where it has any, and its constraints are counted in (RFC 5937 3.2), which RFC 5280 does
 * not ask for: an authority that is trusted for one policy is not trusted for others.
 */
export function policyFault(
  path: readonly Opened[],
  accepted: readonly string[] | undefined,
): PathRefusal | undefined {
  const anchor = path[path.length - 1]!
  const target = path[0]!
  // How many certificates further on a policy is first required, or anyPolicy no longer counts (RFC 5280 6.1.2 (d, e)).
  let explicit = accepted ? 0 : Number.POSITIVE_INFINITY
  let inhibitAny = Number.POSITIVE_INFINITY
  let valid: ReadonlySet<string> = new Set([oids.anyPolicy])
  // An anchor that is itself the target is the whole path, so its policies count even by their absence.
  if (anchor.policies || path.length === 1) valid = meet(valid, anchor, true)
  explicit = Math.min(explicit, anchor.requireExplicitPolicy ?? explicit)
  inhibitAny = Math.min(inhibitAny, anchor.inhibitAnyPolicy ?? inhibitAny)

  for (let i = path.length - 2; i >= 0; i--) {
    const one = path[i]!
    // 6.1.3 (d), (e)
    valid = meet(valid, one, inhibitAny > 0 || (i > 0 && one.selfIssued))
    // 6.1.3 (f)
    if (explicit === 0 && valid.size === 0) return fault(one, accepted)
    if (i === 0) break
    // 6.1.4 (h), (i), (j)
    if (!one.selfIssued) {
      explicit = Math.max(0, explicit - 1)
      inhibitAny = Math.max(0, inhibitAny - 1)
    }
    explicit = Math.min(explicit, one.requireExplicitPolicy ?? explicit)
    inhibitAny = Math.min(inhibitAny, one.inhibitAnyPolicy ?? inhibitAny)
  }

  // 6.1.5 (a), (b), (g)
  explicit = Math.max(0, explicit - 1)
  if (target.requireExplicitPolicy === 0) explicit = 0
  return explicit === 0 && !meets(valid, accepted) ? fault(target, accepted) : undefined
}

/** The policies that hold one certificate further. */
function meet(valid: ReadonlySet<string>, { policies }: Opened, anyCounts: boolean): ReadonlySet<string> {
  const named = (policies ?? []).map(({ oid }) => oid)
  const own = named.filter(oid => oid !== oids.anyPolicy)
  const kept = valid.has(oids.anyPolicy) ? own : own.filter(oid => valid.has(oid))
  return new Set(anyCounts && named.includes(oids.anyPolicy) ? [...kept, ...valid] : kept)
}

/** 6.1.5 (g): whether anything is left of the valid policies among the accepted ones; anyPolicy stands for all. */
function meets(valid: ReadonlySet<string>, accepted: readonly string[] = [oids.anyPolicy]): boolean {
  if (accepted.includes(oids.anyPolicy)) return valid.size > 0
  return accepted.some(policy => valid.has(policy) || valid.has(oids.anyPolicy))
}

function fault(at: Opened, accepted: readonly string[] | undefined): PathRefusal {
  const wanted = accepted ? `none of the accepted policies ${accepted.map(oidName).join(', ')}` : 'no policy at all'
  return refuse('POLICY_NOT_ACCEPTED', at.certificate, `the path is valid for ${wanted} (RFC 5280 6.1.5)`)
}

/** What a relying party goes by: its anchors, certificates and lists, opened once, and what was found out about them. */

import { equal, toHex } from '../../bytes.ts'
import type { Certificate } from '../certificate.ts'
import type { RevocationList } from '../list.ts'
import { sameName } from '../name.ts'
import type { Wanted } from './check.ts'
import { algorithmFault, type ProfileName } from './keys.ts'
import { linkFaults } from './link.ts'
import { type Judged, judge } from './lists.ts'
import { type Opened, open } from './opened.ts'
import { ownFaults, ownNotes, type Place } from './own.ts'
import { called, type PathRefusal, refuse } from './refusals.ts'
import type { Lists } from './revocation.ts'

/** What a rule of a profile found in one certificate. An `error` refuses; anything else is a note. */
export interface Finding {
  /** The rule's identifier. */
  readonly rule: string
  readonly severity: 'error' | 'warning' | 'notice'
  readonly sentence: string
}

/** What the one who asks holds and believes. The values were read before, so they are DER. */
export interface Reliance extends Wanted {
  /**
   * Trust anchors. Each must be a CA, for others and for itself: an end entity among them anchors nothing. It need not
   * be self-signed, but what is self-issued and names no other key must have signed itself. An anchor is held against
   * everything that a CA below it is held against, its dates included; only its issuer, and a list about it, are not
   * asked for. A list that is there and revokes it counts.
   */
  readonly trust: readonly Certificate[]
  /** Certificates that may stand between. */
  readonly untrusted?: readonly Certificate[]
  /** CRLs and ARLs. Undefined: revocation is not checked. Empty: it is, and every certificate lacks its list. */
  readonly lists?: readonly RevocationList[] | undefined
  /** `gb` takes the keys and algorithms of the GB profiles only, and asks `gb` below; `rfc5280` does neither. */
  readonly profile: ProfileName
  /** The rules of the GB profiles, from the policy floor. Not asked under `rfc5280`. */
  readonly gb?: ((certificate: Certificate, place: Place) => readonly Finding[]) | undefined
}

export type World = ReturnType<typeof surroundings>

/** Nothing is worked out before it is asked for, and nothing twice. */
export function surroundings({ trust, untrusted = [], lists, profile, gb }: Reliance) {
  const opened = new Map<string, Opened>()
  const add = (certificate: Certificate) => {
    const octets = toHex(certificate.der)
    const known = opened.get(octets) ?? open(certificate)
    opened.set(octets, known)
    return known
  }
  const anchors = new Set(trust.map(add))
  untrusted.forEach(add)
  const all = [...opened.values()]
  const byIssuer = new Map<string, readonly Opened[]>()

  const known = (certificate: Certificate) => opened.get(toHex(certificate.der)) ?? open(certificate)

  const named = ({ certificate }: Opened): readonly Opened[] => {
    const octets = toHex(certificate.issuer.der)
    const found = byIssuer.get(octets) ?? all.filter(one => sameName(one.certificate.subject, certificate.issuer))
    // Targets come from strangers: what is remembered for their names has an end.
    if (byIssuer.size < 1024) byIssuer.set(octets, found)
    return found
  }

  const links = remember((child: Opened) =>
    remember((issuer: Opened): readonly PathRefusal[] => linkFaults(child, issuer, profile)),
  )

  const answers = remember((_: Opened) => new Map<Place, OwnAnswer>())
  const own = (one: Opened, place: Place): OwnAnswer => {
    const known = answers(one).get(place) ?? ownAnswer(one, place, profile, gb)
    answers(one).set(place, known)
    return known
  }

  const issuersOf = (child: Opened) => {
    const wanted = child.authority?.keyIdentifier
    const rank = (issuer: Opened) =>
      (anchors.has(issuer) ? 0 : 4) +
      (wanted && issuer.subjectKeyIdentifier && equal(wanted, issuer.subjectKeyIdentifier) ? 0 : 2) +
      (own(issuer, 'ca').refusals.length === 0 ? 0 : 1)
    return named(child).toSorted((a, b) => rank(a) - rank(b))
  }

  const judged = remember((issuer: Opened): readonly Judged[] =>
    (lists ?? []).flatMap(list => judge(list, issuer, profile) ?? []),
  )

  return {
    known,
    issuersOf,
    isAnchor: (one: Opened) => anchors.has(one),
    linkFaults: (child: Opened, issuer: Opened) => links(child)(issuer),
    own,
    lists: {
      given: lists,
      of: judged,
      makersOf: (anchor: Opened) => named(anchor).filter(maker => links(anchor)(maker).length === 0),
    } satisfies Lists,
  }
}

/** What is to be said of one certificate at its place, whatever path it stands in. */
interface OwnAnswer {
  readonly refusals: readonly PathRefusal[]
  readonly notes: readonly string[]
}

function ownAnswer(one: Opened, place: Place, profile: ProfileName, gb: Reliance['gb']): OwnAnswer {
  const { certificate } = one
  const refusals = ownFaults(one, place, profile)
  const notes = ownNotes(one)
  if (place === 'anchor') refusals.push(...anchorFaults(one, profile))
  if (profile === 'gb') {
    for (const { rule, severity, sentence } of gb?.(certificate, place) ?? []) {
      if (severity === 'error') refusals.push(refuse('PROFILE', certificate, `${sentence} [${rule}]`))
      else notes.push(`${sentence} [${rule}]`)
    }
  }
  return { refusals, notes: notes.map(note => `${called(certificate)}: ${note}`) }
}

/** What says that it signed itself must have done so. A signature that nobody can check is at least of a kind we take. */
function anchorFaults(one: Opened, profile: ProfileName): PathRefusal[] {
  if (claimsSelfSigned(one)) return one.keyFault ? [] : linkFaults(one, one, profile)
  const { certificate } = one
  const { signatureAlgorithm: inner, outerAlgorithm: outer } = certificate
  const fault = algorithmFault({ inner, outer }, profile)
  return fault ? [refuse(fault.code, certificate, fault.says)] : []
}

/** Issued by its own name, and not by another key of that name as far as it says. */
function claimsSelfSigned({ selfIssued, authority, subjectKeyIdentifier }: Opened): boolean {
  const by = authority?.keyIdentifier
  return selfIssued && (!by || !subjectKeyIdentifier || equal(by, subjectKeyIdentifier))
}

/** The function's answer for each object, worked out once. */
function remember<K extends object, V>(work: (key: K) => V): (key: K) => V {
  const answers = new WeakMap<K, V>()
  return key => {
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = work(key)
    answers.set(key, answer)
    return answer
  }
}

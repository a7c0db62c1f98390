/** Relying-party validation: whether a certificate may be relied on, by RFC 5280 section 6, and why not. */

import type { Bytes } from '../bytes.ts'
import { type Certificate, readCertificate } from './certificate.ts'
import { pathFaults, placeIn, validityFaults } from './path/check.ts'
import type { Opened } from './path/opened.ts'
import type { Place } from './path/own.ts'
import { notDer, type PathRefusal } from './path/refusals.ts'
import { type Reliance, surroundings, type World } from './path/reliance.ts'
import { checkRevocation, type Lists, type RevocationState } from './path/revocation.ts'
import { type Attempt, attempts } from './path/search.ts'

export type { ProfileName } from './path/keys.ts'
export type { Place } from './path/own.ts'
export { type PathCode, type PathRefusal, pathRefusals } from './path/refusals.ts'
export type { Finding, Reliance } from './path/reliance.ts'
export type { RevocationState } from './path/revocation.ts'

export interface Verdict {
  readonly valid: boolean
  /** The path that holds; else the one that came nearest. The target first. Empty when the target was not readable. */
  readonly path: readonly Certificate[]
  /** Empty exactly when valid. Each says its code, a sentence, and the certificate at fault. */
  readonly refusals: readonly PathRefusal[]
  /** Of that path. */
  readonly revocation: RevocationState
  /** What is worth knowing and decides nothing. */
  readonly notes: readonly string[]
}

/**
 * One question. For many with the same anchors and lists, `relyingParty` reads them once.
 *
 * @param question.target a certificate, or its DER
 * @param question.at the moment to answer for, floored to the second, or `ignore`: then no date of a certificate or list
 *   counts, but revocation does
 * @returns a verdict, whatever the octets are; nothing is thrown for them
 * @throws RangeError when `at` is no date
 */
export function validate(question: Reliance & { target: Bytes | Certificate; at: Date | 'ignore' }): Verdict {
  return relyingParty(question)(question.target, question.at)
}

/**
 * Answers for certificate after certificate. All paths to all anchors are tried, and one that holds is enough. A target
 * that is an anchor itself, octet for octet, is valid by itself only when it is a self-signed CA; trust in anything
 * else is trust in what it issued, and says nothing about it.
 */
export function relyingParty(reliance: Reliance): (target: Bytes | Certificate, at: Date | 'ignore') => Verdict {
  const world = surroundings(reliance)
  return (target, when) => {
    const at = when === 'ignore' ? undefined : Math.floor(when.getTime() / 1000) * 1000
    if (Number.isNaN(at)) throw new RangeError('the moment to validate for is no date')
    let certificate: Certificate
    try {
      certificate = target instanceof Uint8Array ? readCertificate(target) : target
    } catch (cause) {
      return malformed(notDer(cause), world.lists)
    }
    let best: Judgement | undefined
    let limit: PathRefusal | undefined
    for (const attempt of attempts(world.known(certificate), world)) {
      limit ??= attempt.broken.find(({ code }) => code === 'SEARCH_LIMIT')
      const judgement = judgePath(attempt, world, reliance, at)
      if (judgement.verdict.valid) return judgement.verdict
      if (best === undefined || promise(judgement) > promise(best)) best = judgement
    }
    const { verdict } = best!
    // Another path might have held, so whoever reads this must know that not all were tried.
    return limit && !verdict.refusals.includes(limit)
      ? { ...verdict, refusals: [...verdict.refusals, limit] }
      : verdict
  }
}

interface Judgement {
  readonly verdict: Verdict
  readonly attempt: Attempt
}

/** One path that reaches an anchor is worth more than any that does not; then the fewest faults, or the most links. */
function promise({ attempt, verdict }: Judgement): number {
  const reaches = attempt.broken.length === 0
  return (reaches ? 1000 : 0) + attempt.links * (reaches ? 0 : 20) - Math.min(verdict.refusals.length, 19)
}

function judgePath(attempt: Attempt, world: World, reliance: Reliance, at: number | undefined): Judgement {
  const { path, broken, links } = attempt
  const reaches = broken.length === 0
  const refusals: PathRefusal[] = []
  const notes: string[] = []
  // Where the last link does not hold, its issuer is not the issuer, and what is wrong with it does not matter.
  const held = path.slice(0, links + 1)
  held.forEach((one, i) => {
    const own = world.own(one, reaches ? placeIn(path, i) : placeInBroken(held, i))
    refusals.push(...own.refusals)
    notes.push(...own.notes)
  })
  refusals.push(...broken)
  let revocation: RevocationState = world.lists.given === undefined ? 'not checked' : 'partly'
  if (!reaches) {
    refusals.push(...validityFaults(held, at))
  } else {
    refusals.push(...pathFaults(path, at, reliance))
    const answer = checkRevocation(path, world.lists, at, reliance.profile)
    refusals.push(...answer.refusals)
    notes.push(...answer.notes)
    revocation = answer.state
    if (path.length === 1) notes.push('it is a trust anchor itself')
  }
  if (revocation === 'not checked') notes.push('revocation was not checked')
  if (at === undefined) notes.push('dates were not checked')
  const certificates = path.map(({ certificate }) => certificate)
  return { attempt, verdict: { valid: refusals.length === 0, path: certificates, refusals, revocation, notes } }
}

/** A path that ends with an issuer of itself would be right but for the trust: it is measured as if that were there. */
function placeInBroken(held: readonly Opened[], index: number): Place {
  return index === 0 ? 'target' : index === held.length - 1 && held[index]!.selfIssued ? 'anchor' : 'ca'
}

function malformed(sentence: string, { given }: Lists): Verdict {
  const revocation = given === undefined ? 'not checked' : 'partly'
  return { valid: false, path: [], refusals: [{ code: 'MALFORMED', sentence }], revocation, notes: [] }
}

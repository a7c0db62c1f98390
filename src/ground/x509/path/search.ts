/** Finds the paths from a certificate to the anchors: every one, as long as there are not too many. */

import { equal } from '../../bytes.ts'
import { sameName, showName } from '../name.ts'
import type { Opened } from './opened.ts'
import { called, type PathRefusal, refuse } from './refusals.ts'

/** A path as far as it goes, the target first. */
export interface Attempt {
  readonly path: readonly Opened[]
  /** Empty: the last certificate is an anchor, and every link before it holds. Else why it ends where it does. */
  readonly broken: readonly PathRefusal[]
  /** How many links hold. */
  readonly links: number
}

/** What the search knows of the world. */
export interface Surroundings {
  /** The given certificates whose subject is the issuer of this one, the likeliest first; the anchors among them. */
  readonly issuersOf: (child: Opened) => readonly Opened[]
  readonly isAnchor: (opened: Opened) => boolean
  /** What speaks against one having issued the other. */
  readonly linkFaults: (child: Opened, issuer: Opened) => readonly PathRefusal[]
}

/**
 * How far a search goes. A hostile set of cross-certificates has more paths than anybody can try; hierarchies that
 * people make have a handful, of three or four certificates.
 */
export const limits = { length: 16, steps: 2000 } as const

/**
 * All attempts, depth first. A certificate stands in a path once, and so does a name with its key: a path that passes
 * the same authority twice holds only if the shorter one does. The search ends at the first anchor of each path.
 */
export function* attempts(target: Opened, world: Surroundings): Generator<Attempt> {
  if (world.isAnchor(target) && target.selfIssued)
    yield { path: [target], broken: world.linkFaults(target, target), links: 0 }
  let steps = 0
  yield* from([target])

  function* from(path: readonly Opened[]): Generator<Attempt> {
    const child = path[path.length - 1]!
    const links = path.length - 1
    const issuers = world.issuersOf(child).filter(issuer => !path.some(one => sameAuthority(one, issuer)))
    if (issuers.length === 0) yield { path, broken: [noIssuer(child, world.isAnchor(child))], links }
    for (const issuer of issuers) {
      if (++steps > limits.steps) {
        yield { path, broken: [tooMany(path[0]!)], links }
        return
      }
      const longer = [...path, issuer]
      const broken = world.linkFaults(child, issuer)
      if (broken.length > 0) yield { path: longer, broken, links }
      else if (world.isAnchor(issuer)) yield { path: longer, broken: [], links: links + 1 }
      else if (longer.length >= limits.length) yield { path: longer, broken: [tooMany(path[0]!)], links: links + 1 }
      else yield* from(longer)
    }
  }
}

function sameAuthority(a: Opened, b: Opened): boolean {
  return (
    a === b ||
    (equal(a.certificate.publicKey.spki, b.certificate.publicKey.spki) &&
      sameName(a.certificate.subject, b.certificate.subject))
  )
}

function noIssuer({ certificate, selfIssued }: Opened, isAnchor: boolean): PathRefusal {
  const says = isAnchor
    ? 'it is a trust anchor for what it issued, and nothing that was given vouches for itself'
    : selfIssued
      ? 'it is issued by itself and is no trust anchor'
      : `no certificate of its issuer ${showName(certificate.issuer)} was given that leads to a trust anchor`
  return refuse('NO_PATH', certificate, says)
}

function tooMany(target: Opened): PathRefusal {
  return refuse(
    'SEARCH_LIMIT',
    target.certificate,
    `more than ${limits.steps} steps, or a path of more than ${limits.length} certificates: the search for a path of ${called(target.certificate)} was given up`,
  )
}

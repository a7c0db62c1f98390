/** Sessions: in the memory of the door, ended by five minutes of silence, and bound to the certificate they began with. */

import { hash, timingSafeEqual } from 'node:crypto'
import type { Chance, Clock } from '../../../ground/clock.ts'
import type { Identity } from './visitor.ts'

export interface Session {
  readonly identity: Identity
  /** Stands in every form; 128 bits that nobody can foresee. */
  readonly token: string
  /** SHA-256 of the client certificate of the connection it began on; undefined where none is asked for. */
  readonly bound: string | undefined
  /** Said on the next page, once. */
  notice?: string | undefined
  seenAt: number
}

export interface Sessions {
  /** @returns what the cookie holds */
  begin(identity: Identity, bound: string | undefined): { readonly id: string; readonly session: Session }
  /** `ended` for one that there was, and that ended by silence. */
  find(id: string | undefined, bound: string | undefined): Session | 'ended' | undefined
  /** It is in use still: an upload may take longer than anybody may be silent. */
  touch(session: Session): void
  end(id: string): void
}

/** Defends memory: whoever comes in beyond these ends the oldest. */
const most = 10_000

/** Ours are kept by the hash of what the cookie holds: who reads our memory cannot enter by it. */
export function sessionsIn(clock: Clock, chance: Chance, idleSeconds: number): Sessions {
  const all = new Map<string, Session>()
  const keyOf = (id: string) => hash('sha256', id)
  const random = (octets: number) => Buffer.from(chance(octets)).toString('base64url')
  return {
    begin(identity, bound) {
      if (all.size >= most) all.delete(all.keys().next().value!)
      const id = random(32)
      const session: Session = { identity, token: random(16), bound, seenAt: clock().getTime() }
      all.set(keyOf(id), session)
      return { id, session }
    },
    find(id, bound) {
      if (id === undefined || id.length > 100) return undefined
      const key = keyOf(id)
      const session = all.get(key)
      if (!session) return 'ended'
      const now = clock().getTime()
      if (now - session.seenAt > idleSeconds * 1000 || session.bound !== bound) {
        all.delete(key)
        return 'ended'
      }
      session.seenAt = now
      // The oldest is the one that was silent longest.
      all.delete(key)
      all.set(key, session)
      return session
    },
    touch(session) {
      session.seenAt = clock().getTime()
    },
    end: id => void all.delete(keyOf(id)),
  }
}

/** In constant time: who guesses learns nothing from how long it takes. */
export function sameToken(session: Session, given: string): boolean {
  const [ours, theirs] = [Buffer.from(session.token), Buffer.from(given)]
  return ours.length === theirs.length && timingSafeEqual(ours, theirs)
}

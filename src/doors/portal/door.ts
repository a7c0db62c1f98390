/** The SMKI Portal: pages for people, over the same rooms as every other door. What a page is: frame/page.ts. */

import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Channel } from '../../ground/channel.ts'
import type { VerifierKey } from '../../ground/journal/note.ts'
import type { Refusal } from '../../ground/refusal.ts'
import type { Settings } from '../../policy/settings.ts'
import type { RoomAnswer, RoomQuestion } from '../../rooms/issuance/signing.ts'
import { events, type RecoveryEvent } from '../../rooms/recovery/event.ts'
import type { Caller } from '../../rooms/registration/caller.ts'
import type { RevocationHands } from '../../rooms/revocation/hands.ts'
import { type SuspensionInForce, suspensions } from '../../rooms/revocation/suspended.ts'
import { type Assets, serveAssets } from './frame/assets.ts'
import type { Page } from './frame/page.ts'
import { portalRoutes } from './frame/routes.ts'
import { type Sessions, sessionsIn } from './frame/session.ts'
import type { Identity } from './frame/visitor.ts'
import type { LiveReport } from './operations/smets1-report.ts'
import { pagesFor } from './pages.ts'

/**
 * How people come in: by the IKI Certificate of their token; by user name and password, to the Repository alone; or, in a
 * test environment on a loopback address, as one of its test identities.
 */
export type Entry = 'certificate' | 'password' | 'test'

/** Somebody of a test environment that a newcomer may enter as. */
export interface TestIdentity {
  /** Letters, digits and hyphens. */
  readonly key: string
  readonly name: string
  readonly says: string
  readonly identity: Identity
}

/** What the door needs of the world: the hands of the rooms that it opens. */
export interface PortalWorld extends RevocationHands {
  readonly settings: Settings
  /** Whoever holds the keys: asked in turn. */
  readonly signers: readonly Pick<Channel<RoomQuestion, RoomAnswer>, 'ask'>[]
  /** What the journal's checkpoints are signed with. */
  readonly journalKeys: readonly VerifierKey[]
  readonly build: string
  readonly log: Logger
  readonly entry: Entry
  /** Of the entry `test`. */
  readonly testIdentities?: readonly TestIdentity[]
  /** Requests of Devices that never were, for a newcomer to submit. @returns a zip, in pieces */
  readonly sample?: (count: number) => AsyncIterable<Buffer>
  /** Reports of S1SPs as they were read last; absent where none is followed. */
  readonly smets1Reports?: () => readonly LiveReport[]
  /** Puts a credential that is turned away on record. */
  readonly turnedAway?: (credential: Caller['credential'], refusal: Refusal) => Promise<Refusal>
}

export interface PortalDoor extends PortalWorld {
  readonly sessions: Sessions
  readonly assets: Assets
  readonly pages: readonly Page[]
  /** In force now, as they were at most a second ago. */
  readonly inForce: () => Promise<readonly SuspensionInForce[]>
  /** Recoveries that are not closed, as they were at most a second ago. */
  readonly underWay: () => Promise<readonly RecoveryEvent[]>
}

/** Five minutes, as everywhere on the service interface (service-interface.md section 2). */
const idleSeconds = 300

/** Becomes the door's own: its parsers, its hooks, its answers to what is not found and to what fails. */
export function portalDoor(app: FastifyInstance, world: PortalWorld): void {
  const door: PortalDoor = {
    ...world,
    sessions: sessionsIn(world.clock, world.chance, Math.min(idleSeconds, world.settings.services.idleSeconds)),
    assets: serveAssets(app),
    pages: pagesFor(world.entry),
    inForce: remembered(world, () => suspensions(world.store)),
    underWay: remembered(world, () => events(world.store, { open: true })),
  }
  portalRoutes(app, door)
}

/** One question a second, however many pages are asked for. */
function remembered<T>({ clock }: PortalWorld, ask: () => Promise<T>): () => Promise<T> {
  let known: { at: number; answer: Promise<T> } | undefined
  return () => {
    const now = clock().getTime()
    if (!known || Math.abs(now - known.at) >= 1000) {
      const answer = ask()
      known = { at: now, answer }
      answer.catch(() => {
        known = undefined
      })
    }
    return known.answer
  }
}

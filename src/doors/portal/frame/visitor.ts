/** Who visits: an officer known by one or two credentials, a user of the Repository, or an auditor of a test environment. */

import type { Office } from '../../../policy/registration/offices.ts'
import type { Officer } from '../../../rooms/registration/act.ts'
import { type Caller, callerOf, type Peer } from '../../../rooms/registration/caller.ts'
import { credentialRecord } from '../../../rooms/registration/life.ts'
import { no } from '../../../rooms/registration/refusals.ts'
import type { PortalWorld } from '../door.ts'
import { refuse } from '../refusals.ts'
import type { Page } from './page.ts'

export type Who = Office | 'AUDITOR' | 'READER'

/** What a session remembers of who began it: the rest is looked up anew for every request. */
export type Identity =
  | { readonly kind: 'officer'; readonly peers: readonly Peer[] }
  | {
      readonly kind: 'reader'
      readonly username: string
      /** Number of its record. */
      readonly credential: number
      readonly party: number
      readonly mustChange: boolean
    }
  | { readonly kind: 'auditor' }

export interface Visitor {
  /** What the pages call him: the name on his credential. */
  readonly name: string
  readonly roles: readonly Who[]
  /** The Party he is an officer or a user of; undefined for the Registration Authority, the SMKI PMA and auditors. */
  readonly party: number | undefined
  readonly partyName: string | undefined
  readonly callers: readonly Caller[]
  /** Of a user of the Repository. */
  readonly username: string | undefined
  readonly mustChange: boolean
}

/** @throws Refusal with a code of CREDENTIAL_…, NOT_IN_OFFICE when a credential opens nothing (any more) */
export async function visitorOf(world: PortalWorld, identity: Identity): Promise<Visitor> {
  if (identity.kind === 'auditor') return { ...nobody, name: 'Auditor', roles: ['AUDITOR'] }
  if (identity.kind === 'reader') {
    const { username, credential, party, mustChange } = identity
    const { state } = await credentialRecord(world.store, credential)
    if (state !== 'active') throw refuse('CREDENTIAL_NOT_IN_USE', `it is ${state}`)
    return { ...nobody, name: username, roles: ['READER'], party, username, mustChange }
  }
  const callers: Caller[] = []
  for (const peer of identity.peers)
    callers.push(await callerOf(world.store, peer, world.clock(), refuse, world.turnedAway))
  const { credential, party } = callers[0]!
  const roles = [...new Set(callers.flatMap(one => one.offices))]
  return { ...nobody, name: credential.systemName, partyName: credential.partyName, roles, party, callers }
}

const nobody: Visitor = {
  name: '',
  roles: [],
  party: undefined,
  partyName: undefined,
  callers: [],
  username: undefined,
  mustChange: false,
}

/** Whether the page is open to him. */
export function maySee(visitor: Visitor | undefined, page: Pick<Page, 'who' | 'part'>): boolean {
  if (page.who === 'everybody') return true
  if (!visitor) return false
  if (page.part !== undefined && !visitor.callers.some(one => one.credential.kind === page.part)) return false
  return page.who === 'signed in' || page.who.some(one => visitor.roles.includes(one))
}

/** The caller whose credential opens that part. @throws Refusal CREDENTIAL_OTHER_DOOR */
export function callerFor(visitor: Visitor, part: 'PORTAL_ORG' | 'PORTAL_DEVICE' | 'RA_STAFF'): Caller {
  const found = visitor.callers.find(one => one.credential.kind === part)
  if (!found) throw refuse('CREDENTIAL_OTHER_DOOR')
  return found
}

/** As an officer of the rooms: in the first of these offices that he holds. @throws Refusal NOT_IN_OFFICE */
export function officerAs(visitor: Visitor | undefined, ...offices: readonly Office[]): Officer {
  for (const as of offices) {
    const caller = visitor?.callers.find(one => one.offices.includes(as))
    if (caller) return { person: caller.person, as, ...(caller.party !== undefined && { party: caller.party }) }
  }
  throw no('NOT_IN_OFFICE', offices.join(', '))
}

/** How the signer answers for Organisation, IKI, DCCKI and S1SPKI Certificates: one at a time for each, on the keys it holds. */

import type { KeyStore } from '../ground/keystore/keystore.ts'
import { Refusal } from '../ground/refusal.ts'
import { profileNamed } from '../policy/hierarchies.ts'
import type { Settings } from '../policy/settings.ts'
import { type AuthorityRecord, issuingAuthority } from '../rooms/authority/register.ts'
import type { Refuse } from '../rooms/issuance/hold.ts'
import { issueCredential } from '../rooms/issuance/iki-issue.ts'
import { issueSubmission } from '../rooms/issuance/organisation-issue.ts'
import { issueProfiled } from '../rooms/issuance/profiled-issue.ts'
import type { RoomAnswer, RoomQuestion } from '../rooms/issuance/signing.ts'
import type { Hands } from '../rooms/registration/act.ts'
import { profiledIssuing } from './profiled-issuing.ts'

/**
 * Answers questions of every kind. What it throws is a fault: the question may be asked again, and one certificate comes.
 * A ceremony that holds the key store asks it in its own process; others ask over the signer's sockets.
 * @param stopped why a service is stopped just now
 */
export function roomSigning(
  hands: Hands,
  keys: KeyStore,
  settings: Settings,
  stopped?: Refuse,
): (question: RoomQuestion) => Promise<RoomAnswer> {
  // Who asks again while the first is being worked on hears the same answer.
  const open = new Map<string, Promise<RoomAnswer>>()
  return question => {
    const name = nameOf(question)
    const known = open.get(name)
    if (known) return known
    const answer = work(question).finally(() => open.delete(name))
    open.set(name, answer)
    return answer
  }

  async function work(question: RoomQuestion): Promise<RoomAnswer> {
    try {
      const issued = await issuedFor(question)
      return issued instanceof Refusal ? said(issued) : { certificate: issued }
    } catch (cause) {
      if (cause instanceof Refusal) return said(cause)
      throw cause
    }
  }

  function issuedFor(question: RoomQuestion): Promise<Buffer | Refusal> {
    if (question.ask === 'organisation') return organisation(question)
    if (question.ask === 'iki') return iki(question)
    return issueProfiled(hands, profiledIssuing(hands, keys, settings), question.request, stopped)
  }

  async function issuing(pki: 'smki-organisation' | 'iki'): Promise<AuthorityRecord> {
    const record = await issuingAuthority(hands.store, pki, hands.clock())
    // Its key may have come from a ceremony that was held while we ran.
    if (!keys.has(record.keyLabel)) keys.reload()
    return record
  }

  async function organisation({ submission }: RoomQuestion & { ask: 'organisation' }): Promise<Buffer | Refusal> {
    const record = await issuing('smki-organisation')
    const profile = profileNamed(settings, 'Organisation Certificate')
    const { organisationNameCharacters } = settings.certificates
    return issueSubmission(hands, { record, keys, profile, organisationNameCharacters }, submission, stopped)
  }

  async function iki({ credential, csr }: RoomQuestion & { ask: 'iki' }): Promise<Buffer | Refusal> {
    const record = await issuing('iki')
    const by = { record, keys, profileNamed: (name: string) => profileNamed(settings, name) }
    return issueCredential(hands, by, { credential, csr }, stopped)
  }
}

function nameOf(question: RoomQuestion): string {
  if (question.ask === 'profiled') return `profiled ${question.request}`
  return question.ask === 'organisation'
    ? `organisation ${question.submission}`
    : `iki ${question.credential} ${Buffer.from(question.csr).toString('base64')}`
}

function said({ code, message }: Refusal): RoomAnswer {
  return { code, text: message }
}

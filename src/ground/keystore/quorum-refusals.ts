/** Every "no" about a quorum, with its sentence. */

import { Refusal } from '../refusal.ts'

export const quorumRefusals = {
  QUORUM_SIZE: 'a quorum is 2 to 255 holders, of whom at least 2 and at most all are needed',
  QUORUM_TOO_FEW: 'there are not enough shares',
  QUORUM_HOLDER_TWICE: 'one holder counts once',
  QUORUM_HOLDER_UNKNOWN: 'that is no holder of a share of this quorum',
  QUORUM_HOLDER_LEFT: 'that holder has left: the share counts no more',
  QUORUM_OTHER_CEREMONY: 'the share is of another sharing than the one in force',
  QUORUM_SHARE_CORRUPT: 'the share was changed since it was made',
  QUORUM_CHECK_FAILED: 'the shares do not give what was shared, though each is as it was made',
  QUORUM_UNREADABLE: 'the file is not what a quorum writes',
  QUORUM_CHANGED: 'the record of the quorum is not the one that the journal knows',
  QUORUM_MISSING: 'the passphrase of that key store is not shared',
} as const

export type QuorumCode = keyof typeof quorumRefusals

/** The Refusal of that code. `about` names a holder or a file; never a share. */
export function refusal(code: QuorumCode, about?: string, cause?: unknown): Refusal<QuorumCode> {
  const sentence = about === undefined ? quorumRefusals[code] : `${quorumRefusals[code]}: ${about}`
  return new Refusal(code, sentence, cause === undefined ? {} : { cause })
}

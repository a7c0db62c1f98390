/** Who may come in: whoever proves to have the SSH key of a REPO_SFTP credential that is in use. */

import ssh2, { type AuthContext } from 'ssh2'
import type { Clock } from '../../ground/clock.ts'
import { sshFingerprint } from '../../ground/keystore/ssh-host-key.ts'
import type { Store } from '../../ground/store/store.ts'
import { partyOfSshKey } from '../../rooms/registration/give.ts'
import type { Stops } from '../../rooms/revocation/stops.ts'

/** The user that a key is. The name that a client gives at login says nothing: the key does. */
export interface User {
  readonly party: number
  /** As the protocol has it. */
  readonly key: Buffer
  /** As OpenSSH shows it. */
  readonly fingerprint: string
}

export interface Gate {
  readonly store: Pick<Store, 'query'>
  readonly clock: Clock
  readonly stops: Pick<Stops, 'stopped'>
}

/** Why not, in the words of the log; a client hears no more than that it may not. */
export type Turned = 'METHOD' | 'KEY_UNKNOWN' | 'SIGNATURE' | 'WF:SUSP'

/** `user` with a signature that holds; without one, `asks` whether to sign with that key. */
export type Decided =
  | { readonly user: User; readonly asks: boolean }
  | { readonly turned: Turned; readonly fingerprint?: string }

export async function decide(gate: Gate, context: AuthContext): Promise<Decided> {
  if (context.method !== 'publickey') return { turned: 'METHOD' }
  const { key, signature, blob, hashAlgo } = context
  const fingerprint = sshFingerprint(key.data)
  // RFC 8332: a signature of an RSA key is over SHA-256 or SHA-512; `ssh-rsa` alone would be SHA-1.
  if (key.algo === 'ssh-rsa' && hashAlgo === undefined) return { turned: 'SIGNATURE', fingerprint }
  const party = await partyOfSshKey(gate.store, key.data, gate.clock())
  if (party === undefined) return { turned: 'KEY_UNKNOWN', fingerprint }
  if (gate.stops.stopped({ interface: 'REPO_SFTP', party })) return { turned: 'WF:SUSP', fingerprint }
  const user = { party, key: key.data, fingerprint }
  if (signature === undefined) return { user, asks: true }
  // RFC 4252 section 7: the signature is over the session's identifier and the whole request.
  const known = ssh2.utils.parseKey(`${key.algo} ${key.data.toString('base64')}`)
  if (known instanceof Error || blob === undefined) return { turned: 'SIGNATURE', fingerprint }
  return known.verify(blob, signature, hashAlgo) === true
    ? { user, asks: false }
    : { turned: 'SIGNATURE', fingerprint }
}

/** Whether a user that came in may stay. */
export async function mayStay({ store, clock, stops }: Gate, { party, key }: User): Promise<Turned | undefined> {
  if (stops.stopped({ interface: 'REPO_SFTP', party })) return 'WF:SUSP'
  return (await partyOfSshKey(store, key, clock())) === party ? undefined : 'KEY_UNKNOWN'
}

/** FM:AA1: the one answer to a request that is not the XML it should be. */

import { Refusal } from '../../ground/refusal.ts'
import { Unreadable } from '../../ground/xml/unreadable.ts'
import { codes } from '../../policy/smki-device/codes.ts'

/** The refusal that `cause` amounts to. @throws `cause` itself when it is a fault of ours. */
export function invalidXml(cause: unknown): Refusal<'FM:AA1'> {
  if (!(cause instanceof Unreadable)) throw cause
  return new Refusal('FM:AA1', `${codes['FM:AA1'].text}: ${cause.message}`, {
    details: { kind: cause.name, position: cause.position },
    cause,
  })
}

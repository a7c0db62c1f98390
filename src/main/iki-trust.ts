/** What a client certificate is held against in the handshake: the IKI authorities with their current lists. */

import type { ClientTrust } from '../ground/http/listen.ts'
import type { Store } from '../ground/store/store.ts'
import { toPem } from '../ground/x509/pem.ts'
import { authorities } from '../rooms/authority/register.ts'
import { currentLists } from '../rooms/repository/lists.ts'

export async function ikiTrust(store: Store): Promise<ClientTrust> {
  const iki = (await authorities(store)).filter(one => one.pki === 'iki')
  const lists = (await currentLists(store)).filter(list => iki.some(one => one.id === list.authority))
  return {
    authorities: iki.map(one => toPem('CERTIFICATE', one.certificate.der)),
    lists: lists.map(list => toPem('X509 CRL', list.der)),
  }
}

/** How often the lists at a door are compared with the Repository's. */
const everyMs = 5000

/**
 * Tells a door when the lists have changed, until it is stopped.
 * @param trust what the door began with
 */
export function watchTrust(
  store: Store,
  trust: ClientTrust,
  renew: (trust: ClientTrust) => void,
  onFault: (cause: Error) => void,
  ms = everyMs,
): { stop(): void } {
  let known = trust.lists.join()
  const timer = setInterval(async () => {
    try {
      const current = await ikiTrust(store)
      if (current.lists.join() === known) return
      renew(current)
      known = current.lists.join()
    } catch (cause) {
      onFault(cause as Error)
    }
  }, ms).unref()
  return { stop: () => clearInterval(timer) }
}

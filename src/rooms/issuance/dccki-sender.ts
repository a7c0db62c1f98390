/** Who sends a DCCKI message: an ARO by his own credential, or a system whose message a FILE_SIGN credential has signed. */

import { toHex } from '../../ground/bytes.ts'
import { entry, type JsonValue } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { dcckiSubmitters } from '../../policy/dccki/requests.ts'
import { act, type Hands, requireOffice } from '../registration/act.ts'
import { aroPolicies, opens } from '../registration/eligible.ts'
import { credentialOf } from '../registration/parties.ts'
import { partyHeld } from '../registration/party.ts'
import { no } from '../registration/refusals.ts'
import type { Shown } from './organisation-submit.ts'
import type { SentBy } from './profiled-request.ts'
import { refuse } from './refusals.ts'

export type Sender =
  /** A person's reference. */
  | { readonly aro: string; readonly party: number }
  /** The certificate that the detached signature holds by: whoever admitted the message has verified that. */
  | { readonly signedBy: Shown; readonly party: number }

export interface Sending {
  readonly client: Client
  readonly at: Date
  readonly party: number
  readonly by: SentBy
  note(name: string, body: Readonly<Record<string, JsonValue>>): Promise<void>
}

/**
 * Row 1 of dccki.md section 3, as far as it is about the sender: what is on record now decides. Runs the work in one
 * transaction; a refusal stands in the journal.
 * @throws Refusal SENDER_NOT_FOR_THIS, NOT_IN_OFFICE, ARO_NOT_AUTHORISED, PARTY_CEASED, and those of the work
 */
export function bySender<T>(
  hands: Hands,
  sender: Sender,
  name: string,
  work: (sending: Sending) => Promise<T>,
): Promise<T> {
  return 'aro' in sender ? byAro(hands, sender, name, work) : bySystem(hands, sender, name, work)
}

function byAro<T>(
  hands: Hands,
  { aro: person, party }: Sender & { aro: string },
  name: string,
  work: (sending: Sending) => Promise<T>,
): Promise<T> {
  return act(
    hands,
    { person, as: 'ARO', party },
    { act: name, says: { party } },
    async ({ client, at, by, note }) => {
      requireOffice(by, dcckiSubmitters, party)
      if (!(await aroPolicies(client as Pick<Store, 'query'>, person, party, at)).includes('dccki'))
        throw no('ARO_NOT_AUTHORISED')
      await partyHeld(client, party)
      return work({ client, at, party, by: { person }, note })
    },
  )
}

async function bySystem<T>(
  hands: Hands,
  { signedBy, party }: Sender & { signedBy: Shown },
  name: string,
  work: (sending: Sending) => Promise<T>,
): Promise<T> {
  const at = hands.clock()
  const credential = toHex(signedBy.serial)
  const by = { credential, party }
  try {
    return await hands.store.transaction(async client => {
      const found = await credentialOf(client as Pick<Store, 'query'>, signedBy.issuer, signedBy.serial)
      if (!found || found.party !== party || !opens(found, 'FILE_SIGN')) throw refuse('SENDER_NOT_FOR_THIS')
      await partyHeld(client, party)
      const note: Sending['note'] = async (what, body) =>
        void (await append(client, entry(what, at, { ...body, by })))
      return work({ client, at, party, by: { credential }, note })
    })
  } catch (cause) {
    if (cause instanceof Refusal) {
      const says = { attempt: name, code: cause.code, by }
      await hands.store.transaction(client => append(client, entry('refused', at, says)))
    }
    throw cause
  }
}

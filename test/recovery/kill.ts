/** A process that recovers Devices, and whose Devices are its parent's: for a test that kills it. */

import { agreementKey } from '../../src/ground/keystore/agreement.ts'
import { readKeyPair } from '../../src/ground/keystore/pair.ts'
import type { Envelope } from '../../src/ground/keystore/quorum.ts'
import { openSoftwareKeyStore } from '../../src/ground/keystore/software.ts'
import { type Connection, openStore } from '../../src/ground/store/store.ts'
import { systemChance } from '../../src/main/world.ts'
import { countsOf, openIn, workRound } from '../../src/rooms/recovery/campaign.ts'
import { wake } from '../../src/rooms/recovery/custody.ts'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { drillSettings } from './stage.ts'

/** What the parent tells a child to begin with; octets in base64. */
export interface Begin {
  readonly connection: Connection
  readonly event: string
  readonly now: number
  readonly manager: Officer
  readonly decision: string
  readonly envelopes: readonly Envelope[]
  readonly keys: string
  readonly label: string
  readonly originator: string
  readonly broker: { readonly originator: string; readonly agreement: string }
}

export type Question =
  | { readonly ask: 'begin' }
  | { readonly ask: 'send'; readonly device: string; readonly octets: string }
  | { readonly ask: 'received'; readonly now: number }
  | { readonly ask: 'done' }

const ask = <T>(question: Question): Promise<T> =>
  new Promise(resolve => {
    process.once('message', answer => resolve(answer as T))
    process.send?.(question)
  })
const octets = (text: string) => Buffer.from(text, 'base64')

const tell = process.send?.bind(process)
if (tell) {
  const begin = await ask<Begin>({ ask: 'begin' })
  const store = await openStore(begin.connection, { max: 2 })
  const settings = drillSettings({ group: 7, patienceMinutes: 3, attempts: 50, questions: 50 })
  let now = begin.now
  const hands = {
    store,
    clock: () => new Date(now),
    chance: systemChance,
    rules: settings.registration,
    recovery: settings.recovery,
  }
  const awake = await wake(hands, begin.manager, 'recovery', {
    event: begin.event,
    decision: begin.decision,
    envelopes: begin.envelopes,
    open: passphrase =>
      openSoftwareKeyStore({ path: begin.keys, passphrase, chance: systemChance, allowWeak: true }),
    label: begin.label,
    originator: octets(begin.originator),
  })
  const pair = readKeyPair(octets(begin.broker.agreement))
  const broker = {
    originator: octets(begin.broker.originator),
    sign: (of: Uint8Array) => pair.sign(of),
    agreement: [agreementKey(pair)],
  }
  const carrier = {
    async send(messages: readonly { readonly device: string; readonly octets: Uint8Array }[]) {
      for (const one of messages)
        await ask({ ask: 'send', device: one.device, octets: Buffer.from(one.octets).toString('base64') })
    },
    received: async () => (await ask<string[]>({ ask: 'received', now })).map(octets),
  }
  while (openIn(await countsOf(store, begin.event)) > 0) {
    await workRound(hands, begin.event, { parties: new Map(), broker, awake }, carrier, 20)
    now += 60_000
  }
  await awake.sleep()
  await store.close()
  tell({ ask: 'done' } satisfies Question)
  process.disconnect?.()
}

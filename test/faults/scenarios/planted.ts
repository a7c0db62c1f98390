/** Faults that were put in on purpose: whoever tries the points must find them. */

import { makeDeviceCsr } from '../../../simulator/device.ts'
import type { Store } from '../../../src/ground/store/store.ts'
import { hierarchies, profileNamed } from '../../../src/policy/hierarchies.ts'
import { issueDevices } from '../../../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../../../src/rooms/issuance/issuing-dcas.ts'
import { recover } from '../../../src/rooms/issuance/portion.ts'
import { anyDevice } from '../../issuing/rooms.ts'
import type { Scenario } from '../scenario.ts'
import type { Acting } from '../stage.ts'

let next = 0n

function wrong(name: string, says: RegExp, broken: (store: Store) => Store): Scenario & { readonly says: RegExp } {
  const issue = ({ hands, keys, settings }: Acting, given: { csr: Uint8Array }) => {
    const by = { ...hands, store: broken(hands.store) }
    const profile = profileNamed(settings, 'Device Certificate')
    const { keyUse } = hierarchies(settings)['smki-device'].issuing
    const authorities = issuingDcas(by, keys.issuing, profile, keyUse!, 1)
    return issueDevices({ ...by, authorities }, { requests: [given.csr], rules: anyDevice, says: {} })
  }
  return {
    name,
    says,
    async prepare() {
      const deviceId = (0x02e9_0000_0000_0000n + ++next).toString(16).padStart(16, '0')
      return { csr: makeDeviceCsr({ deviceId, usage: 'digitalSignature' }).csr }
    },
    act: (acting, given) => issue(acting, given as { csr: Uint8Array }),
    async finish(acting) {
      await recover(acting.hands)
    },
    async check() {},
  }
}

/** The statement that writes down waits until the next one is made: what is signed in between is not on record yet. */
function late(store: Store): Store {
  let waiting: (() => Promise<unknown>) | undefined
  return {
    ...store,
    async query(statement, values) {
      const text = typeof statement === 'string' ? statement : statement.text
      if (text.includes('INSERT INTO signing')) {
        waiting = () => store.query(statement, values)
        return { rows: [], rowCount: 0, command: '', oid: 0, fields: [] } as never
      }
      const first = text.includes("SET state = 'complete'") ? waiting : undefined
      waiting = first ? undefined : waiting
      await first?.()
      return store.query(statement, values)
    },
  }
}

/** The entry that says so is written after, by itself. */
function apart(store: Store): Store {
  return {
    ...store,
    async query(statement, values) {
      const text = typeof statement === 'string' ? statement : statement.text
      if (!text.includes("SET state = 'complete'") || typeof statement === 'string')
        return store.query(statement, values)
      const [signing, signatures, count, entries] = statement.values as [bigint, Buffer, number, Buffer[]]
      const done = await store.query({ ...statement, values: [signing, signatures, count, []] })
      for (const entry of entries) await store.query('INSERT INTO journal_pending (octets) VALUES ($1)', [entry])
      return done as never
    },
  }
}

export const planted = [
  wrong(
    'a certificate that is written down after it was signed',
    /a certificate was signed, and is not on record/,
    late,
  ),
  wrong(
    'a certificate that is kept in another transaction than its entry',
    /is complete, and the journal has: intend$/,
    apart,
  ),
]

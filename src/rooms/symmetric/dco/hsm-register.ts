/** The HSM Keys that the DCO has, or had: which label is of which role, for which S1SP, and which is the newest. */

import type { KeyType } from '../../../ground/keystore/dlms-cipher.ts'
import { type HsmKeyRole, roleOf } from '../../../ground/keystore/symmetric.ts'
import type { Store } from '../../../ground/store/store.ts'
import { gathered } from '../gathered.ts'
import { no } from '../refusals.ts'

export interface HsmRow {
  readonly label: string
  readonly role: HsmKeyRole
  readonly generation: number
  /** Of a Shared Key. */
  readonly s1sp: string | null
  readonly proven_at: Date | null
  readonly renewing: string | null
}

export class HsmRegister {
  readonly #store: Pick<Store, 'query'>
  /** Role and S1SP of a label never change. */
  readonly #known = new Map<string, HsmRow>()
  readonly #reload: () => void

  /** @param reload has the key store take over what another program of this DCO made: when there is a label that is new */
  constructor(store: Pick<Store, 'query'>, reload: () => void) {
    this.#store = store
    this.#reload = reload
  }

  /** The HSM Key of that label, as far as it never changes; undefined when there is none. */
  async find(label: string): Promise<HsmRow | undefined> {
    if (!this.#known.has(label)) this.#learn(await hsmKeys(this.#store))
    return this.#known.get(label)
  }

  /**
   * The HSM Key that new packages of keys of a type are made under: it follows from the type, never from the message.
   * @throws Refusal HSM_KEY_UNKNOWN
   */
  async newestFor(type: KeyType, s1sp: string): Promise<HsmRow> {
    const role = roleOf[type]
    const rows = this.#learn(await hsmKeys(this.#store))
    const usable = rows.filter(
      row => row.role === role && (role === 'DCO Key' || (row.s1sp === s1sp && row.proven_at !== null)),
    )
    const newest = usable.at(-1)
    if (!newest) throw no('HSM_KEY_UNKNOWN', `${role}${role === 'Shared Key' ? ` with ${s1sp}, proven` : ''}`)
    return newest
  }

  /** The key that seals new records. @throws Refusal HSM_KEY_UNKNOWN */
  async seal(): Promise<HsmRow> {
    const newest = this.#learn(await hsmKeys(this.#store))
      .filter(row => row.role === 'seal')
      .at(-1)
    if (!newest) throw no('HSM_KEY_UNKNOWN', 'seal')
    return newest
  }

  #learn(rows: HsmRow[]): HsmRow[] {
    if (rows.some(({ label }) => !this.#known.has(label))) this.#reload()
    for (const row of rows) this.#known.set(row.label, row)
    return rows
  }
}

/** All, by role and generation. */
export function hsmKeys(store: Pick<Store, 'query'>): Promise<HsmRow[]> {
  return allOf(store, undefined)
}

const allOf = gathered<Pick<Store, 'query'>, undefined, HsmRow[]>(async (store, asked) => {
  const { rows } = await store.query<HsmRow>({
    name: 'dco hsm keys',
    text: 'SELECT label, role, generation, s1sp, proven_at, renewing FROM dco_hsm_key ORDER BY role, s1sp, generation',
  })
  return asked.map(() => rows)
})

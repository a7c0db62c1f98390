/** What a rotation replaces, in which order, and through which client: decided from the model alone. */

import type { KeyedClient, KeyHolder, LastingType } from '../../../policy/symmetric/keys.ts'
import type { DeviceModel } from '../../../policy/symmetric/models.ts'
import type { StoredKey } from './records.ts'

/** Keys of one holder that travel in one key_transfer. */
export interface Step {
  readonly holder: KeyHolder
  readonly types: readonly LastingType[]
}

/** `data-collection/AK`: names a key of a Device among those that are wanted, and among the exceptions. */
export const nameOf = (holder: KeyHolder, type: LastingType): string => `${holder}/${type}`

/**
 * AK before GUEK; the clients in the order of the settings (KEY-A07), Management last of them; the MK last of all
 * (smets1-keys.md sections 6.2, 7 point 10).
 * @param wanted names of keys; all that the model lets be replaced unless given
 */
export function stepsOf(model: DeviceModel, order: readonly KeyedClient[], wanted?: readonly string[]): Step[] {
  const { rotates, keyTransfer } = model
  const isWanted = (holder: KeyHolder, type: LastingType) =>
    wanted === undefined || wanted.includes(nameOf(holder, type))
  const may: Readonly<Record<LastingType, boolean>> = {
    AK: rotates.ak,
    GUEK: rotates.guek,
    GBEK: rotates.broadcast,
    MK: rotates.mk,
  }
  const steps: Step[] = []
  for (const holder of order) {
    const types = together(
      model,
      (['AK', 'GUEK'] as const).filter(type => may[type] && isWanted(holder, type)),
    )
    if (keyTransfer === 'one-array' && types.length === 2) steps.push({ holder, types })
    else steps.push(...types.map(type => ({ holder, types: [type] })))
    if (may.GBEK && isWanted(holder, 'GBEK')) steps.push({ holder, types: ['GBEK'] })
  }
  if (may.MK && isWanted('device', 'MK')) steps.push({ holder: 'device', types: ['MK'] })
  return steps
}

/**
 * What has to travel with keys of one client. To a Device that wants strictly the next counter an AK never goes without a
 * new GUEK: when the answer is lost, one of the probes is made under the AK that the Device does not hold, and under a
 * GUEK that it keeps the counter of that probe could never be given to it again. So what is spent on a generation that was
 * not taken is spent of that generation's own GUEK (smets1-keys.md section 7, points 6 and 7).
 */
export function together(model: DeviceModel, types: readonly LastingType[]): readonly LastingType[] {
  const alone = types.includes('AK') && !types.includes('GUEK')
  return alone && model.counters.rule === 'strictly-next' ? [...types, 'GUEK'] : types
}

/** The clients whose association can carry new keys to a holder, the likeliest first. */
export function carriers(model: DeviceModel, holder: KeyHolder): KeyedClient[] {
  if (holder === 'device') return ['management']
  const able = Object.entries(model.mayWriteSetupOf)
    .filter(([, whose]) => whose.includes(holder))
    .map(([client]) => client as KeyedClient)
  return able.sort(
    (a, b) =>
      Number(b === holder) - Number(a === holder) || Number(b === 'management') - Number(a === 'management'),
  )
}

export interface Pair {
  readonly ak: StoredKey
  readonly guek: StoredKey
}

/** Which keys a client may hold now: the proven ones, and those whose fate is not known. */
export interface Candidates {
  /** All new and all old; the likelier first. */
  readonly likely: readonly Pair[]
  /** Of two new keys one taken and one not. */
  readonly mixed: readonly Pair[]
}

/** @param successSeen whether a transfer was answered with success: then the new keys are the likelier ones */
export function candidates(keys: readonly StoredKey[], client: KeyedClient, successSeen: boolean): Candidates {
  const of = (type: LastingType, stage: string) =>
    keys.find(
      key => key.holder === client && key.type === type && key.stage === stage && !key.corrupt && key.octets,
    )
  const [oldAk, newAk] = [of('AK', 'active'), of('AK', 'offered')]
  const [oldGuek, newGuek] = [of('GUEK', 'active'), of('GUEK', 'offered')]
  const pair = (ak: StoredKey | undefined, guek: StoredKey | undefined) => (ak && guek ? [{ ak, guek }] : [])
  const before = pair(oldAk, oldGuek)
  if (!newAk && !newGuek) return { likely: before, mixed: [] }
  // Where only one key is new, "new" is that one with the other as it is.
  const latest = pair(newAk ?? oldAk, newGuek ?? oldGuek)
  const mixed = newAk && newGuek ? [...pair(newAk, oldGuek), ...pair(oldAk, newGuek)] : []
  return { likely: successSeen ? [...latest, ...before] : [...before, ...latest], mixed }
}

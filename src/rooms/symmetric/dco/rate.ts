/** Thresholds for anomalies: how much is asked for one Device, and for all (KEY-A06). */

import { fromHex } from '../../../ground/bytes.ts'
import type { Client } from '../../../ground/store/store.ts'
import { no } from '../refusals.ts'
import type { Asking } from './plan.ts'

/** Commands for all Devices in a minute of the clock, while this program runs. */
export class Rate {
  readonly #most: number
  #minute = Number.NaN
  #count = 0

  constructor(most: number) {
    this.#most = most
  }

  /** @throws Refusal TOO_MANY_COMMANDS */
  count(now: Date): void {
    const minute = Math.floor(now.getTime() / 60_000)
    if (minute !== this.#minute) [this.#minute, this.#count] = [minute, 0]
    if (++this.#count > this.#most) throw no('TOO_MANY_COMMANDS', 'of all Devices together')
  }
}

/** Counts one more for a Device in this hour of the clock; counters that jump count too. @throws Refusal TOO_MANY_COMMANDS */
export async function tally(db: Client, { hands, now }: Asking, device: string): Promise<void> {
  const most = hands.settings.symmetric.checks.perDeviceAnHour
  const { rows } = await db.query<{ commands: number }>({
    name: 'dco tally',
    text: `INSERT INTO dco_tally AS t (device, hour, commands) VALUES ($1, date_trunc('hour', $2::timestamptz), 1)
      ON CONFLICT (device, hour) DO UPDATE SET commands = t.commands + 1 RETURNING commands`,
    values: [fromHex(device), now],
  })
  if (rows[0]!.commands > most) throw no('TOO_MANY_COMMANDS', `${most} an hour for one Device`)
}

/** Looks without counting. @throws Refusal TOO_MANY_COMMANDS */
export async function requireBelow({ hands, now }: Asking, device: string): Promise<void> {
  const most = hands.settings.symmetric.checks.perDeviceAnHour
  const { rows } = await hands.store.query<{ commands: number }>({
    name: 'dco tally now',
    text: "SELECT commands FROM dco_tally WHERE device = $1 AND hour = date_trunc('hour', $2::timestamptz)",
    values: [fromHex(device), now],
  })
  if ((rows[0]?.commands ?? 0) >= most) throw no('TOO_MANY_COMMANDS', `${most} an hour for one Device`)
}

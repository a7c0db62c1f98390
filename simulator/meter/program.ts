/** A field of simulated meters as a process of its own, which can be killed and started again: `program.ts`, over IPC. */

import { randomBytes } from 'node:crypto'
import { deviceIdOf, factoryKeys, titleOf } from './factory.ts'
import { type MeterAddress, startField } from './field.ts'
import { fileKeeper, forgetfulKeeper } from './memory.ts'
import { Meter } from './meter.ts'
import { type MeterModel, meterModel } from './model.ts'

/** A model in a message: all that differs from the plain one. */
export type ModelNote = Parameters<typeof meterModel>

export interface FieldOrder {
  readonly seed: string
  /** How many of each model; numbers go on from one to the next, from 0. */
  readonly meters: readonly { readonly model: ModelNote; readonly count: number }[]
  readonly ports: number | 'own' | readonly number[]
  /** Where they remember what they are told; nowhere unless given. */
  readonly memory?: string
}

export interface MeterNote extends MeterAddress {
  readonly number: number
  readonly deviceId: string
  readonly model: string
}

/** The keys that meters hold, by number and client address: what a test compares with. */
export type HeldKeys = Record<number, { mk: string; clients: Record<number, { ak: string; guek: string }> }>

export type FieldReport = { readonly meters: readonly MeterNote[] } | { readonly keys: HeldKeys }

export function makeMeters(order: FieldOrder, clock: () => Date = () => new Date()): Meter[] {
  const keeper = order.memory === undefined ? forgetfulKeeper : fileKeeper(order.memory)
  const models = order.meters.flatMap(({ model, count }) => new Array<MeterModel>(count).fill(meterModel(...model)))
  return models.map((model, number) => {
    const keys = factoryKeys(order.seed, number, model)
    return new Meter({ number, model, title: titleOf(number), keys, keeper, chance: randomBytes, clock })
  })
}

export function heldKeys(meters: readonly Meter[]): HeldKeys {
  return Object.fromEntries(
    meters.map(meter => {
      const clients = [...meter.memory.clients.keys()].map(address => {
        const { ak, guek } = meter.keysOf(address)
        return [address, { ak: ak.toString('hex'), guek: guek.toString('hex') }] as const
      })
      return [meter.number, { mk: meter.memory.mk.toString('hex'), clients: Object.fromEntries(clients) }]
    }),
  )
}

export async function openField(order: FieldOrder, clock?: () => Date) {
  const meters = makeMeters(order, clock)
  const field = await startField(meters, { ports: order.ports })
  const notes = meters.map(
    ({ number, model }, i): MeterNote => ({
      number,
      deviceId: deviceIdOf(number),
      model: model.name,
      ...field.addresses[i]!,
    }),
  )
  return { meters, notes, close: field.close }
}

if (import.meta.main) {
  // Whoever started us goes, and we go with them.
  process.on('disconnect', () => process.exit(0))
  process.once('message', async (order: FieldOrder) => {
    const { meters, notes } = await openField(order)
    process.on('message', message => {
      if (message === 'keys') process.send!({ keys: heldKeys(meters) } satisfies FieldReport)
    })
    process.send!({ meters: notes } satisfies FieldReport)
  })
}

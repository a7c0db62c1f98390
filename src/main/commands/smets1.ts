/** `smki smets1 demo`: a DCO and an S1SP as two programs, a thousand meters, and every key of them replaced. */

import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { progress } from '../../doors/cli/progress.ts'
import { makeKeyPair } from '../../ground/keystore/pair.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import { type Comparison, compareJournals } from '../../rooms/symmetric/s1sp/compare.ts'
import { commissioned } from '../../rooms/symmetric/s1sp/devices.ts'
import { overdue, type Standings, standings } from '../../rooms/symmetric/s1sp/report.ts'
import { withDco } from '../dco.ts'
import { type DcoHome, dcoHomeAt } from '../dco-home.ts'
import { type OpenedS1sp, openS1sp, s1spHomeAt } from '../s1sp.ts'
import { field, finish, type Kind, models, orderOf, program, setUp, takeAllOn } from '../smets1-stage.ts'
import { systemClock } from '../world.ts'
import { exitCodes, homeOf, type Io, json, wholeNumber } from './context.ts'
import { standingsTable } from './s1sp.ts'

export function addSmets1(program: Command, io: Io): void {
  const smets1 = program.command('smets1').description('SMETS1 symmetric keys: S1SP, DCO and meters together')
  smets1
    .command('demo')
    .description('commission simulated meters, replace all their keys, and lose some answers on purpose')
    .option('--meters <n>', 'how many', wholeNumber, 1000)
    .option('--json', 'one JSON object at the end')
    .action(async (flags: { meters: number; json?: true }, command: Command) => {
      const say = flags.json ? () => {} : io.out
      const story = await demo(homeOf(command).path, flags.meters, say)
      if (flags.json) json(io, story)
      const alarms = story.journals.theirsOnly.length + story.journals.otherType.length
      if (alarms > 0)
        throw new Refusal('DEMO_FAILED', `${alarms} messages stand in one journal as in the other they do not`)
      io.exit(exitCodes.ok)
    })
}

export interface Story {
  readonly meters: number
  readonly models: readonly Standings[]
  readonly overdue: number
  readonly journals: Comparison
  readonly seconds: { readonly takingOn: number; readonly rotating: number }
  /** What the two databases grew by, and what of it their journals hold: in octets, the entries themselves. */
  readonly growth: { readonly s1sp: Size; readonly dco: Size }
}

export interface Size {
  readonly store: number
  readonly journal: number
  readonly entries: number
}

/** Of each hundred meters: which model, and what is the matter with them. */
const troubled: readonly Kind[] = [
  { share: 42, model: ['plain-meter'] },
  { share: 6, model: ['plain-meter', { dropReply: 'after commit', troubledTransfers: 3 }] },
  { share: 4, model: ['plain-meter', { dropReply: 'before commit', troubledTransfers: 2 }] },
  { share: 3, model: ['plain-meter', { lieAboutResult: '"not OK" after commit' }] },
  { share: 2, model: ['plain-meter', { counterAfterGuek: 'kept', newKeysHold: 'immediately' }] },
  { share: 2, model: ['plain-meter', { reachable: 'never' }] },
  { share: 1, model: ['plain-meter', { setupAccess: 'none' }] },
  { share: 22, model: ['master-key-meter'] },
  { share: 5, model: ['master-key-meter', { crashMidway: 'between storing and replying', troubledTransfers: 2 }] },
  { share: 2, model: ['master-key-meter', { mk: 'takes it but keeps the old one' }] },
  { share: 1, model: ['master-key-meter', { protection: 'demands 10' }] },
  { share: 8, model: ['strict-hub', { counterRule: 'strictly-next', firstCounter: 1 }] },
  {
    share: 2,
    model: ['strict-hub', { counterRule: 'strictly-next', firstCounter: 1, dropReply: 'after commit' }],
  },
]

export interface DemoOptions {
  readonly kinds?: readonly Kind[]
  readonly signal?: AbortSignal
  /** Told which processes work, when the first key is about to be replaced, and after the last was. */
  readonly look?: (when: 'before' | 'after', pids: Readonly<Record<'dco' | 's1sp' | 'meters', number>>) => void
}

/** @param path an empty folder, in which each program has a home of its own. @throws Refusal HOME_NOT_EMPTY */
export async function demo(
  path: string,
  meters: number,
  say: (text: string) => void,
  { kinds = troubled, signal, look }: DemoOptions = {},
): Promise<Story> {
  if (existsSync(path) && readdirSync(path).length > 0) {
    throw new Refusal('HOME_NOT_EMPTY', `${path} is not empty: the demonstration is given a folder of its own`)
  }
  const homes = { dco: dcoHomeAt(join(path, 'dco')), s1sp: s1spHomeAt(join(path, 's1sp')) }
  const holder = makeKeyPair('P-256')
  const children: ChildProcess[] = []
  let opened: OpenedS1sp | undefined
  try {
    say('Two organisations are set up, each with a store, a key store and a journal of its own.\n')
    const dco = await setUp(homes, holder)
    const dcoProgram = await program(['dco', 'serve', '--home', homes.dco.path])
    children.push(dcoProgram)
    const s1spProgram = await program(['s1sp', 'serve', '--home', homes.s1sp.path])
    children.push(s1spProgram)
    opened = await openS1sp(homes.s1sp, { share: true })
    await opened.takeHsmKeys()
    say(`DCO at ${dco.url}, S1SP beside it; the Shared Key is in both modules, and proven.\n`)

    const order = orderOf(meters, kinds, join(path, 'meters'))
    const { child, notes } = await field(order)
    children.push(child)
    say(`${notes.length.toLocaleString('en-GB')} simulated meters of ${models.length} models listen.\n`)
    const before = await sizes(opened, homes.dco)
    const takingOn = await timed(() => takeAllOn(opened!, notes, order, dco, holder))
    await commissioned(
      opened.hands,
      notes.map(({ deviceId }) => deviceId),
      systemClock(),
    )
    say(`They are taken on with keys that their maker knows, and Commissioned: seven days are running.\n\n`)
    const pids = { dco: dcoProgram.pid!, s1sp: s1spProgram.pid!, meters: child.pid! }
    look?.('before', pids)
    const rotating = await timed(() => watch(opened!, notes.length, signal))
    look?.('after', pids)

    const rows = await standings(opened.hands)
    say(`\n${standingsTable(rows, systemClock())}\n`)
    const late = await overdue(opened.hands)
    say(
      `Overdue: ${late.length}. In ${rotating.toFixed(0)} s: ${(notes.length / rotating).toFixed(1)} meters a second.\n`,
    )
    // What is tried again meanwhile is under way: the span ends a little before now.
    const journals = await compareJournals(opened.hands, new Date(0), new Date(systemClock().getTime() - 2000))
    say(
      `Journals side by side: ${journals.inBoth.toLocaleString('en-GB')} messages stand in both, ` +
        `${journals.oursOnly.length} in the S1SP’s only, ${journals.theirsOnly.length} in the DCO’s only.\n`,
    )
    const after = await sizes(opened, homes.dco)
    return {
      meters: notes.length,
      models: rows,
      overdue: late.length,
      journals,
      seconds: { takingOn, rotating },
      growth: { s1sp: grown(before.s1sp, after.s1sp), dco: grown(before.dco, after.dco) },
    }
  } finally {
    await opened?.close()
    for (const child of children.reverse()) await finish(child)
  }
}

/** The S1SP works by itself; we look on until only those are left that time alone can help. */
async function watch({ hands }: OpenedS1sp, meters: number, signal?: AbortSignal): Promise<void> {
  const bar = progress('the S1SP replaces keys', meters)
  let before = ''
  // Looking on counts all of them: it is to take a small part of the machine only.
  let took = 0
  for (let still = 0; still < 8; ) {
    await sleep(Math.max(1000, 20 * took), undefined, signal && { signal })
    const began = performance.now()
    const rows = await standings(hands)
    took = performance.now() - began
    const sum = (name: 'rotated' | 'cannot' | 'open') => rows.reduce((all, row) => all + row[name], 0)
    bar.at(sum('rotated') + sum('cannot'))
    const now = JSON.stringify(rows)
    still = now === before && sum('open') === 0 ? still + 1 : 0
    before = now
    if (rows.every(row => row.rotated + row.cannot === row.devices)) break
  }
  bar.end()
}

async function sizes({ hands }: OpenedS1sp, dco: DcoHome): Promise<{ s1sp: Size; dco: Size }> {
  return { s1sp: await sizeOf(hands.store), dco: await withDco(dco, ({ store }) => sizeOf(store)) }
}

async function sizeOf(store: Pick<Store, 'query'>): Promise<Size> {
  const { rows } = await store.query<Record<keyof Size, bigint>>(
    `SELECT pg_database_size(current_database()) AS store, coalesce(sum(octet_length(octets)), 0)::bigint AS journal,
       count(*) AS entries FROM (SELECT octets FROM journal_entry UNION ALL SELECT octets FROM journal_pending) AS all_of_it`,
  )
  const { store: octets, journal, entries } = rows[0]!
  return { store: Number(octets), journal: Number(journal), entries: Number(entries) }
}

const grown = (before: Size, after: Size): Size => ({
  store: after.store - before.store,
  journal: after.journal - before.journal,
  entries: after.entries - before.entries,
})

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

/** The lock on a data folder: one living process at a time, whatever died holding it. */

import { link, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Refusal } from '../refusal.ts'
import { type Living, living, stillLives } from './living.ts'
import type { StoreRefusal } from './refusals.ts'

/** What stands in the lock file: who holds the folder, and what they want others to know. */
export interface Held<Note> {
  readonly holder: Living
  readonly note?: Note
}

export interface Lock<Note> {
  /** Tells whoever asks `heldBy`. */
  tell(note: Note): Promise<void>
  /** The file stays, so that its number is never used again; it says that nobody holds the folder. */
  release(): Promise<void>
}

/**
 * The lock is the file `lock.N` with the highest N. It is taken by creating N+1 when the holder of N is dead, which
 * the file system lets exactly one process do (`link` fails when the name exists). The highest file is never
 * removed, so a slow starter that missed a whole life in between sees a higher number and looks again; nobody ever
 * has to break another's lock, which is where two starters would meet.
 *
 * @throws Refusal STORE_IN_USE when a living process holds the folder, also this one.
 */
export async function takeLock<Note>(folder: string): Promise<Lock<Note>> {
  const holder = living(process.pid)!
  // A whole draft is written first and then given its name: nobody ever reads half a lock.
  const drafts = await mkdtemp(join(folder, `lock.new-${process.pid}-`))
  const draft = async (content: Partial<Held<Note>>): Promise<string> => {
    await writeFile(join(drafts, 'draft'), JSON.stringify(content), { mode: 0o600 })
    return join(drafts, 'draft')
  }
  try {
    const mine = await claim(folder, await draft({ holder }))
    await sweep(folder, mine)
    return {
      tell: async note => rename(await draft({ holder, note }), mine),
      release: async () => {
        await rename(await draft({}), mine)
        await rm(drafts, { recursive: true })
      },
    }
  } catch (cause) {
    await rm(drafts, { recursive: true, force: true })
    throw cause
  }
}

/** Who holds the folder now; undefined when nobody does, or whoever did is dead. */
export async function heldBy<Note>(folder: string): Promise<Held<Note> | undefined> {
  return read<Note>(folder, await highestLock(folder))
}

/** @returns the path of the lock that is now ours. */
async function claim(folder: string, draft: string): Promise<string> {
  for (;;) {
    const highest = await highestLock(folder)
    const held = await read(folder, highest)
    if (held) throw inUse(folder, held.holder)

    const mine = join(folder, `lock.${highest + 1}`)
    if (!(await madeBy(link(draft, mine)))) continue
    if ((await highestLock(folder)) === highest + 1) return mine
    await rm(mine)
  }
}

function inUse(folder: string, { pid }: Living): Refusal<StoreRefusal> {
  const who = pid === process.pid ? 'this process itself' : 'process'
  const sentence = `the data folder ${folder} is in use by ${who} (${pid}): stop it first, or choose another folder`
  return new Refusal('STORE_IN_USE', sentence, { details: { folder, pid } })
}

async function highestLock(folder: string): Promise<number> {
  return Math.max(0, ...(await namesIn(folder)).map(numberOf))
}

async function read<Note>(folder: string, number: number): Promise<Held<Note> | undefined> {
  const text = await readFile(join(folder, `lock.${number}`), 'utf8').catch(absent)
  try {
    const { holder, ...rest } = JSON.parse(text ?? '{}') as Partial<Held<Note>>
    return holder && stillLives(holder) ? { holder, ...rest } : undefined
  } catch (cause) {
    // Only a power cut leaves a lock without its content, and whoever wrote it died in it.
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}

async function madeBy(making: Promise<void>): Promise<boolean> {
  try {
    await making
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

/** Removes lower locks, and the drafts of starters that died. */
async function sweep(folder: string, mine: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    const drafter = Number(/^lock\.new-(\d+)-/.exec(name)?.[1] ?? process.pid)
    const lower = numberOf(name) > 0 && numberOf(name) < numberOf(basename(mine))
    if (lower || !living(drafter)) await rm(join(folder, name), { recursive: true, force: true })
  }
}

function numberOf(name: string): number {
  return Number(/^lock\.(\d+)$/.exec(name)?.[1] ?? 0)
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(absent)) ?? []
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== 'ENOENT') throw cause
}

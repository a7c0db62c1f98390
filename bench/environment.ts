/** An environment as an operator has it: made by the ceremony or found in a folder, served by the programs, durable as by default. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectionOf } from '../src/ground/store/embedded.ts'
import { type Connection, openStore, type Store } from '../src/ground/store/store.ts'
import { type Home, homeAt, loadSettings } from '../src/main/home.ts'
import { init } from '../src/main/init.ts'
import type { Settings } from '../src/policy/settings.ts'
import type { Context } from './bench.ts'
import { startChild } from './child.ts'
import type { Served } from './supervisor.ts'

export interface Environment {
  readonly home: Home
  readonly settings: Settings
  /** Of the device door; those of all by name. */
  readonly port: number
  readonly ports: Readonly<Record<string, number>>
  /** Process ids by the names that the figures have: the programs, and the server of the store. */
  readonly programs: Readonly<Record<string, number>>
  readonly postmaster: number
  /** From the start of the supervisor's process to the last program that listens, seconds. */
  readonly startSeconds: number
  /** For counting in it; how to reach it is `target`. */
  readonly store: Store
  readonly target: Connection
}

type Work<T> = (environment: Environment) => Promise<T>

/**
 * A fresh one.
 * @param certificates that its Issuing DCAs are to sign at most.
 * @param issuing settings that differ from those an operator finds
 * @returns what `work` returns; the service has ended by then.
 */
export async function withEnvironment<T>(
  context: Context,
  certificates: number,
  work: Work<T>,
  issuing: Partial<Settings['issuing']> = {},
): Promise<T> {
  const { folder, signal, say } = context
  say('holding the key ceremony of an environment')
  const home = homeAt(join(folder, 'home'))
  await init(home, {
    environment: 'bench',
    kind: 'test',
    with: [],
    settings: {
      // Ports that nobody has; everything else is as an operator finds it.
      services: { devicePort: 0, repositoryPort: 0, plainRepositoryPort: null, journalPort: null, operatorPort: 0 },
      certificates: { issuingDcaStock: 2 + Math.ceil(certificates / 100_000) },
      issuing,
    },
    witness: () => {},
  })
  signal.throwIfAborted()
  return withService(context, home, work)
}

/** The one that lies in that folder: `npm run bench -- grow` fills them. What is issued into it stays there. */
export async function withService<T>({ signal, say }: Context, home: Home, work: Work<T>): Promise<T> {
  const settings = loadSettings(home)
  say('starting the service')
  const began = performance.now()
  const supervisor = startChild('supervisor.ts')
  try {
    const { ports, processes } = await supervisor.ask<Served>({ home: home.path })
    const startSeconds = (performance.now() - began) / 1000
    const target = (await connectionOf(home.store))!
    const store = await openStore(target, { max: 2 })
    try {
      signal.throwIfAborted()
      const { supervisor, signer, device, repository } = processes
      return await work({
        home,
        settings,
        port: ports.device!,
        ports,
        programs: {
          supervisor: supervisor!,
          signer: signer!,
          ...Object.fromEntries(Object.entries(processes).filter(([name]) => name.startsWith('signer '))),
          'device door': device!,
          'repository door': repository!,
        },
        postmaster: Number(readFileSync(join(home.store, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]),
        startSeconds,
        store,
        target,
      })
    } finally {
      await store.close()
    }
  } finally {
    await supervisor.end()
  }
}

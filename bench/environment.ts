/** A fresh environment, as an operator has it: made by the ceremony, served by the programs, durable as by default. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectionOf } from '../src/ground/store/embedded.ts'
import { type Connection, openStore, type Store } from '../src/ground/store/store.ts'
import { type Home, homeAt } from '../src/main/home.ts'
import { init } from '../src/main/init.ts'
import type { Settings } from '../src/policy/settings.ts'
import type { Context } from './bench.ts'
import { startChild } from './child.ts'
import type { Served } from './supervisor.ts'

export interface Environment {
  readonly home: Home
  readonly settings: Settings
  readonly port: number
  /** Process ids by the names that the figures have: the programs, and the server of the store. */
  readonly programs: Readonly<Record<string, number>>
  readonly postmaster: number
  /** For counting in it; how to reach it is `target`. */
  readonly store: Store
  readonly target: Connection
}

/**
 * @param certificates that its Issuing DCAs are to sign at most.
 * @returns what `work` returns; the service has ended by then.
 */
export async function withEnvironment<T>(
  { folder, signal, say }: Context,
  certificates: number,
  work: (environment: Environment) => Promise<T>,
): Promise<T> {
  say('holding the key ceremony of an environment, and starting its service')
  const home = homeAt(join(folder, 'home'))
  const settings = await init(home, {
    environment: 'bench',
    kind: 'test',
    with: [],
    settings: {
      // Ports that nobody has; everything else is as an operator finds it.
      services: { devicePort: 0, repositoryPort: 0, plainRepositoryPort: null, journalPort: null, operatorPort: 0 },
      certificates: { issuingDcaStock: 2 + Math.ceil(certificates / 100_000) },
    },
    witness: () => {},
  })
  signal.throwIfAborted()
  const supervisor = startChild('supervisor.ts')
  try {
    const { ports, processes } = await supervisor.ask<Served>({ home: home.path })
    const target = (await connectionOf(home.store))!
    const store = await openStore(target, { max: 2 })
    try {
      signal.throwIfAborted()
      const { supervisor, signer, device, repository } = processes
      return await work({
        home,
        settings,
        port: ports.device!,
        programs: {
          supervisor: supervisor!,
          signer: signer!,
          'device door': device!,
          'repository door': repository!,
        },
        postmaster: Number(readFileSync(join(home.store, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]),
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

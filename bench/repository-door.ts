/** The door of the Repository in a process of its own, as it is in service, and a TLS echo with its settings beside it. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { pino } from 'pino'
import { tlsOptions } from '../src/ground/http/listen.ts'
import type { Connection } from '../src/ground/store/store.ts'
import { homeAt, loadSettings } from '../src/main/home.ts'
import { type RunningRepositoryDoor, startRepositoryDoor } from '../src/main/repository-door.ts'
import { tlsFiles } from '../src/main/tls-ca.ts'
import { answerParent } from './child.ts'

export type DoorOrder =
  | { readonly do: 'open'; readonly home: string; readonly target: Connection | string }
  | { readonly do: 'usage' }

export interface DoorPorts {
  readonly repository: number
  readonly echo: number
}

export interface DoorUsage {
  /** Microseconds of processor time. */
  readonly cpu: number
  /** The most so far, MiB. */
  readonly memory: number
}

let door: RunningRepositoryDoor | undefined

async function open(path: string, target: Connection | string): Promise<DoorPorts> {
  const home = homeAt(path)
  const settings = loadSettings(home)
  // Ports that nobody has, whatever the environment's own are.
  const services = { ...settings.services, repositoryPort: 0, plainRepositoryPort: null }
  const log = pino(pino.destination('/dev/null'))
  door = await startRepositoryDoor({ settings: { ...settings, services }, home, target, log })
  const files = tlsFiles(home)
  const credentials = { key: readFileSync(files.key), chain: readFileSync(files.chain) }
  const echo = createServer({ ...tlsOptions(credentials, { tls13: false }), noDelay: true }, socket => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  return { repository: door.ports.tls, echo: (echo.address() as AddressInfo).port }
}

answerParent(
  async (order: DoorOrder): Promise<DoorPorts | DoorUsage> => {
    if (order.do === 'open') return open(order.home, order.target)
    const { user, system } = process.cpuUsage()
    return { cpu: user + system, memory: process.resourceUsage().maxRSS / 1024 }
  },
  async () => door?.close(),
)

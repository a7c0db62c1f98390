/** A service that is attacked for real, and what is seen of it meanwhile: answers to a good client, memory, event loop. */

import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeBatchXml } from '../../simulator/batch.ts'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { fields, openClient, textOf } from '../../src/doors/cli/client.ts'
import { resultPath, submitPath } from '../../src/doors/device-csr/batch.ts'
import { type Service, serve } from '../../src/main/serve.ts'
import { makeHome, type Settings, sleep } from '../service/environment.ts'
import type { Order } from './attacker.ts'
import { attacks } from './attacks.ts'
import { devices } from './devices.ts'
import type { Pace, Seen } from './good-client.ts'
import type { Tally, Target } from './target.ts'

export interface Observed {
  readonly attack: string
  readonly tally: Tally
  /** By door. */
  readonly good: Readonly<Record<string, Seen>>
  /** Of the doors: the most resident memory, MiB; the longest that their event loops were held up, ms. */
  readonly memoryMiB: Readonly<Record<string, number>>
  readonly delayMs: Readonly<Record<string, number>>
}

export interface Attacked {
  readonly service: Service
  readonly target: Target
  /** Attacks for so long, while the good client asks; `none` is no attack. */
  observe(attack: string, options: { seconds: number; many: number; everyMs?: number }): Promise<Observed>
  close(): Promise<void>
}

const doors = ['device', 'repository', 'portal'] as const

export async function attacked(settings: Settings = {}): Promise<Attacked> {
  const { home, remove } = await makeHome({
    ...settings,
    services: { portalPort: 0, repositoryPortalPort: 0, ...settings.services },
    performance: { metricsPort: 0, ...settings.performance },
    issuing: { deviceThreshold: 1_000_000, ...settings.issuing },
  })
  let service: Service
  try {
    service = await serve(home)
    await firstCertificates(join(home.credentials, 'meter-maker'), service.ports.device!).catch(async cause => {
      await service.stop()
      throw cause
    })
  } catch (cause) {
    remove()
    throw cause
  }
  const target: Target = {
    ports: service.ports,
    credentials: join(home.credentials, 'import-supplier'),
    adHocPath: service.settings.services.adHocPath,
    batchPath: submitPath,
  }
  const delays = async () => {
    const page = await (await fetch(`http://127.0.0.1:${service.ports.metrics}/metrics`)).text()
    return new Map(
      doors.map(door => {
        const found = new RegExp(
          `^opensmki_nodejs_eventloop_lag_max_seconds\\{[^}]*program="${door}"[^}]*\\} (\\S+)`,
          'm',
        )
        return [door, Number(found.exec(page)?.[1] ?? Number.NaN) * 1000] as const
      }),
    )
  }
  return {
    service,
    target,
    async observe(attack, { seconds, many, everyMs = 100 }) {
      await delays()
      const memory = new Map<string, number>()
      const longest = new Map<string, number>()
      const higher = (map: Map<string, number>, name: string, value: number) =>
        map.set(name, Math.max(map.get(name) ?? 0, Math.round(value)))
      const look = setInterval(() => {
        for (const door of doors) higher(memory, door, residentMiB(service.processes[door]!))
      }, 200)
      const [tally, good] = await Promise.all([
        attack === 'none'
          ? Promise.resolve({ opened: 0, ended: 0, sent: 0, answers: {}, most: 0 })
          : ask<Tally>('attacker.ts', { attack, target, seconds, many } satisfies Order),
        ask<Readonly<Record<string, Seen>>>('good-client.ts', { target, seconds, everyMs } satisfies Pace),
      ])
      clearInterval(look)
      for (const [door, delay] of await delays()) higher(longest, door, delay)
      return {
        attack,
        tally,
        good,
        memoryMiB: Object.fromEntries(memory),
        delayMs: Object.fromEntries(longest),
      }
    },
    async close() {
      await service.stop()
      remove()
    },
  }
}

/** The ad hoc service replaces certificates: each Device has one before it asks. */
async function firstCertificates(folder: string, port: number): Promise<void> {
  const client = openClient({ folder, credential: 'batch-ws', host: '127.0.0.1', port })
  try {
    const items = devices.map(deviceId => ({
      id: `d${deviceId}`,
      csr: makeDeviceCsr({ deviceId, usage: 'keyAgreement' }).csr,
    }))
    const { BatchId } = fields(await textOf(await client.post(submitPath, makeBatchXml(items, { id: 'first' }))))
    for (;;) {
      const { BatchStatus } = fields(await textOf(await client.get(`${resultPath}?BatchId=${BatchId}`)))
      if (BatchStatus === 'COMPLETED') return
      await sleep(50)
    }
  } finally {
    client.close()
  }
}

export const attackNames: readonly string[] = Object.keys(attacks)

function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1024
}

/** One question to a program of this folder, which ends when it has answered. */
function ask<Answer>(program: string, question: Order | Pace): Promise<Answer> {
  const child = fork(join(import.meta.dirname, program), {
    stdio: ['ignore', 2, 2, 'ipc'],
    serialization: 'advanced',
  })
  return new Promise<Answer>((resolve, reject) => {
    child.once('message', (told: { answer: Answer } | { fault: string }) => {
      if ('fault' in told) reject(new Error(told.fault))
      else resolve(told.answer)
      child.disconnect()
    })
    child.once('exit', () => reject(new Error(`${program} ended before it had answered`)))
    child.send(question)
  })
}

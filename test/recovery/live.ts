/** A served test environment in which a recovery is held for real: commands as they are typed, and Devices behind a DSP. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FileDsp, fileDsp } from '../../simulator/smets2/carrier.ts'
import type { Smets2Device } from '../../simulator/smets2/device.ts'
import { fileSigner } from '../../src/main/recovery-exchange.ts'
import { certificateIn } from '../../src/main/recovery-officer.ts'
import { inventoryOf, simulatedDevices } from '../../src/main/recovery-simulated.ts'
import { main } from '../../src/main/smki.ts'
import type { RecoveryHands } from '../../src/rooms/recovery/hands.ts'
import { inventoryLine } from '../../src/rooms/recovery/inventory.ts'
import { enterPerson } from '../../src/rooms/registration/people.ts'
import { type Environment, type Settings, serving } from '../service/environment.ts'
import { officerOf } from '../service/officers.ts'

export interface Live {
  readonly smki: Environment
  readonly hands: RecoveryHands
  readonly devices: ReadonlyMap<string, Smets2Device>
  readonly dsp: FileDsp
  /** Folder for files of the test. */
  readonly folder: string
  /** Where files are exchanged with the DSP. */
  readonly exchange: string
  /** `smki --home … recovery …` in this process, as that credential. @returns what it said, after a code when it refused */
  recovery(as: string, ...argv: string[]): Promise<string>
  /** Any other command. */
  command(as: string, ...argv: string[]): Promise<string>
  /** The same as a process of its own, while the DSP carries on. */
  process(as: string, ...argv: string[]): Running
  /** Enters people who may keep shares. @returns their references */
  people(count: number): Promise<string[]>
  close(): Promise<void>
}

export interface Running {
  readonly child: ChildProcess
  /** What it has said so far. */
  said(): string
  /** Its exit code; null when it was killed. */
  ended: Promise<number | null>
}

const program = fileURLToPath(new URL('../../src/main/smki.ts', import.meta.url))

/** @param event whose files the DSP carries */
export async function live(event: string, count: number, settings: Settings = {}): Promise<Live> {
  const smki = await serving(settings)
  const { home } = smki
  const folder = join(home.path, 'rehearsal')
  const exchange = join(folder, 'exchange')
  mkdirSync(exchange, { recursive: true })
  const rules = smki.service.settings
  const hands: RecoveryHands = { ...smki.hands, rules: rules.registration, recovery: rules.recovery }
  const devices = await simulatedDevices({ hands, home, isTest: true }, count)
  writeFileSync(
    join(folder, 'inventory.ndjson'),
    [...devices.values()].map(one => `${inventoryLine(inventoryOf(one))}\n`).join(''),
  )
  const stem = join(home.credentials, 'dcc', 'file-sign')
  const dsp = fileDsp({
    event,
    folder: exchange,
    reach(device, message) {
      const reaction = devices.get(device)?.receive(message)
      return reaction && 'answer' in reaction ? [reaction.answer] : []
    },
    sign: fileSigner(hands, stem),
    signer: certificateIn(`${stem}.crt.pem`).der,
    version: hands.recovery.fileVersion,
    clock: hands.clock,
  })
  const argvOf = (as: string, argv: readonly string[]) => [
    ...['--home', home.path, ...argv],
    ...(as === '' ? [] : ['--as', as]),
  ]
  const children = new Set<ChildProcess>()

  async function command(as: string, ...argv: string[]): Promise<string> {
    let said = ''
    const hear = (text: string) => {
      said += text
    }
    await main(argvOf(as, argv), { out: hear, err: hear, exit: () => {}, clock: hands.clock })
    return said
  }

  return {
    smki,
    hands,
    devices,
    dsp,
    folder,
    exchange,
    command,
    recovery: (as, ...argv) => command(as, 'recovery', ...argv),
    process(as, ...argv) {
      const child = spawn(process.execPath, [program, ...argvOf(as, argv)], { stdio: ['ignore', 'pipe', 'pipe'] })
      children.add(child)
      let text = ''
      for (const stream of [child.stdout!, child.stderr!]) stream.on('data', chunk => (text += chunk))
      const turning = setInterval(() => dsp.turn(), 50)
      const ended = once(child, 'close').then(([code]) => {
        clearInterval(turning)
        children.delete(child)
        return code as number | null
      })
      return { child, said: () => text, ended }
    },
    async people(wanted) {
      const clerk = await officerOf(smki.store, 'RA_PERSONNEL')
      const all: string[] = []
      for (let i = 0; i < wanted; i++) all.push(await enterPerson(hands, clerk, { name: `Key Custodian ${i}` }))
      return all
    },
    async close() {
      for (const child of children) child.kill('SIGKILL')
      await smki.close()
    },
  }
}

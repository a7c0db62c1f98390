/** The supervisor: starts the store, the signer and the doors of an environment, each in a process of its own. */

import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Refusal } from '../ground/refusal.ts'
import type { Settings } from '../policy/settings.ts'
import { startArchive } from './backup-archive.ts'
import type { ChildReport, ChildStart } from './child.ts'
import { type Logins, type Program, programLogins } from './database-roles.ts'
import { hasDccki } from './dccki-door.ts'
import { type Home, loadSettings } from './home.ts'
import { isSigner, keepRunning, nameOf } from './keep-running.ts'
import type { MetricsListener } from './metrics.ts'
import { passphraseOf } from './passphrases.ts'
import { openHomeStore, systemChance } from './world.ts'

export interface Service {
  readonly settings: Settings
  readonly ports: Readonly<Record<string, number>>
  /** Process ids by program, as they are now: a signer that ended is started again. */
  readonly processes: Readonly<Record<string, number>>
  /** Resolves when the service ended: asked to, or because its store did. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

/** Where a running service says who and where it is, for commands beside it. */
export function runFile(home: Home): string {
  return join(home.path, 'run.json')
}

export interface Running {
  readonly pid: number
  readonly ports: Readonly<Record<string, number>>
  readonly processes: Readonly<Record<string, number>>
  /** The folder of its sockets. */
  readonly run: string
}

/** What the running service wrote; undefined when none runs. */
export function running(home: Home): Running | undefined {
  try {
    const found = JSON.parse(readFileSync(runFile(home), 'utf8')) as Running
    process.kill(found.pid, 0)
    return found
  } catch {
    return undefined
  }
}

/** In one step: whoever reads it meanwhile reads the one before. */
function noteRunning(home: Home, running: Running): void {
  const path = runFile(home)
  writeFileSync(`${path}.new`, JSON.stringify(running), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** What a run that was killed left behind. We hold the store, so that run is over. */
function removeLeftovers(home: Home): void {
  try {
    const { run } = JSON.parse(readFileSync(runFile(home), 'utf8')) as Running
    if (basename(run).startsWith('opensmki-run-')) rmSync(run, { recursive: true, force: true })
  } catch {
    // There was no run before, or its note was cut short: then nothing is known of it.
  }
}

/**
 * @param options.passphrase of the issuing key store; by default that of the file beside it, which a test environment
 * has, or what a person types.
 * @throws Refusal NO_ENVIRONMENT, STORE_IN_USE, KEYSTORE_…, and what a program refused to start with
 */
export async function serve(home: Home, options: { passphrase?: Uint8Array } = {}): Promise<Service> {
  const settings = loadSettings(home)
  // Kept until we stop: a signer that ends is started again, and nobody may be there to type it.
  const passphrase = options.passphrase ?? (await passphraseOf('issuing', undefined, home.issuingPassphrase))
  const opened = await openHomeStore(home, { share: false, max: 2 })
  removeLeftovers(home)
  const run = mkdtempSync(join(tmpdir(), 'opensmki-run-'))
  const children = new Map<string, ChildProcess>()
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  let stopping: Promise<void> | undefined
  let metrics: MetricsListener | undefined
  let archive: { close(): Promise<void> } | undefined

  let logins: Logins | undefined
  const begin = (role: Program, more: Partial<ChildStart>, number = 1) => {
    const name = nameOf(role, number)
    const child = fork(new URL('./child.ts', import.meta.url), [role, `${number}`], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    children.set(name, child)
    return ready(child, name, { home: home.path, target: logins?.[role] ?? opened.target, run, ...more })
  }
  const beginSigner = (number: number) => begin('signer', { passphrase: Uint8Array.from(passphrase) }, number)
  let unwatch: (() => Promise<void>) | undefined
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      await unwatch?.()
      await metrics?.close()
      // Doors first: what they have taken in is answered while the signer is still there.
      // The lead is the last: it brings everything into the journal's tree.
      const rank = (name: string) => (isSigner(name) ? (name === 'signer' ? 2 : 1) : 0)
      for (const now of [0, 1, 2]) {
        const names = [...children.keys()].filter(name => rank(name) === now)
        await Promise.all(names.map(name => finish(children.get(name))))
      }
      passphrase.fill(0)
      rmSync(runFile(home), { force: true })
      rmSync(run, { recursive: true, force: true })
      // What the signer wrote last is in the archive too.
      await archive?.close()
      await opened.close()
      end()
    })()
    return stopping
  }

  try {
    archive = await startArchive(opened, home, settings.backup, fault =>
      console.error(`the store's log could not be archived: ${fault}`),
    )
    logins = await programLogins(opened.store, opened.target, { folder: run, chance: systemChance })
    const lead = await beginSigner(1)
    const others = Array.from({ length: settings.issuing.signers - 1 }, (_, i) => beginSigner(i + 2))
    const signers = [lead, ...(await Promise.all(others))].flatMap(one => one.sockets!)
    const device = await begin('device', { signers })
    const repository = await begin('repository', {})
    const operator = await begin('operator', { signers })
    const portal = hasPortal(settings) ? await begin('portal', { signers }) : { ports: {} }
    const dccki = (await hasDccki(opened.store)) ? await begin('dccki', { signers }) : undefined
    const sftp = settings.services.sftpPort === null ? undefined : await begin('sftp', {})
    const { metricsHost, metricsPort } = settings.performance
    if (metricsPort !== null) {
      const { startMetrics } = await import('./metrics.ts')
      metrics = await startMetrics(settings, { host: metricsHost, port: metricsPort }, opened.store, children)
    }
    const ports = {
      ...device.ports,
      ...repository.ports,
      ...operator.ports,
      ...portal.ports,
      ...dccki?.ports,
      ...sftp?.ports,
      ...(metrics && { metrics: metrics.port }),
    }
    const processes = () => ({
      supervisor: process.pid,
      ...Object.fromEntries([...children].map(([name, child]) => [name, child.pid!])),
    })
    const note = () => noteRunning(home, { pid: process.pid, ports, processes: processes(), run })
    note()
    unwatch = keepRunning({
      children,
      atMost: settings.issuing.signerRestarts,
      startSigner: beginSigner,
      onStarted: note,
      onLost: name => {
        // One program less is no service: everything stops, in order, and whoever started us starts us again.
        console.error(`the ${name} program ended; the service stops`)
        process.exitCode = 1
        void stop()
      },
    })
    void opened.ended.then(() => stop())
    return {
      settings,
      ports,
      get processes() {
        return processes()
      },
      ended,
      stop,
    }
  } catch (cause) {
    await stop()
    throw cause
  }
}

function hasPortal({ services }: Settings): boolean {
  return [services.portalPort, services.repositoryPortalPort, services.testPortalPort].some(port => port !== null)
}

function ready(child: ChildProcess, name: string, start: ChildStart): Promise<ChildReport & { ready: true }> {
  return new Promise((resolve, reject) => {
    child.once('message', (report: ChildReport) => {
      if (report.ready) resolve(report)
      else reject(new Refusal(report.code, report.says))
    })
    child.once('exit', code => reject(new Error(`the ${name} program ended with ${code} before it was ready`)))
    child.send(start)
  })
}

/** Longer than any request or portion takes. */
const patienceMs = 15_000

async function finish(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()))
  if (child.connected) child.send('stop')
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  await gone
  clearTimeout(timer)
}

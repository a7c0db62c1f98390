/** Every benchmark, one after another, each in a process of its own, and one table of what the project promises. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Refusal } from '../src/ground/refusal.ts'
import { type Bench, bench, type Context, type Figures, type Options } from './bench.ts'
import { promisedHead, promisedRows } from './promised.ts'

interface Sizes {
  /** Each as small as still shows that it works. */
  readonly quick: boolean
  /** An environment that has certificates, for the benchmarks that look at a full store; by default one is filled. */
  readonly home: string
  /** How many certificates it is filled with; a quick run fills it with fewer. */
  readonly certificates: number
  /** Names with commas between them, or nothing for all. */
  readonly only: string
}

type Promises = { readonly promises: readonly string[][] }

/** Benchmarks that look at a full store. */
const ofFullStore = ['growth', 'files', 'portal', 'repository']
const quickCertificates = 20_000

export function allOf(benches: Readonly<Record<string, Bench>>): Bench {
  return bench({
    says: 'every one of these, and one table of what the project promises; --quick in some minutes',
    options: { quick: false, home: '', certificates: 10_000_000, only: '' },
    run: (sizes, context) => run(benches, sizes, context),
    table: ({ promises }: Promises) => [[...promisedHead], ...promises],
  })
}

/** One that failed is told on standard error, and its promises stand as not measured. */
async function run(
  benches: Readonly<Record<string, Bench>>,
  { quick, home, certificates, only }: Sizes,
  context: Context,
): Promise<Promises> {
  const names = only === '' ? Object.keys(benches).filter(name => name !== 'grow') : only.split(',')
  const promises: string[][] = []
  const found: Record<string, Figures | undefined> = {}
  const full = home === '' ? join(context.folder, 'full') : home
  if (home === '' && names.some(name => ofFullStore.includes(name))) {
    const many = quick ? Math.min(certificates, quickCertificates) : certificates
    await figuresOf('grow', { home: full, certificates: many }, context)
  }
  for (const name of names) {
    const one = benches[name]
    if (!one) throw new Refusal('NO_BENCH', `there is no benchmark ${name}`)
    context.signal.throwIfAborted()
    const own: Options = { ...(quick && one.quick), ...(ofFullStore.includes(name) && { home: full }) }
    found[name] = await figuresOf(name, own, context)
    promises.push(...promisedRows(name, one.promises, found[name], found))
  }
  return { promises }
}

/** Undefined when it failed: the others go on. */
async function figuresOf(name: string, options: Options, { signal, say }: Context): Promise<Figures | undefined> {
  say(`\n== ${name}`)
  const flags = Object.entries(options).flatMap(([flag, value]) =>
    typeof value === 'boolean' ? (value ? [`--${flag}`] : []) : [`--${flag}`, String(value)],
  )
  const child = spawn(process.execPath, [join(import.meta.dirname, 'run.ts'), name, '--json', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // It puts its own processes in order.
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  signal.removeEventListener('abort', stop)
  if (code === 0) return JSON.parse(said) as Figures
  process.stderr.write(`${name} ended with ${code}: its promises are not measured\n`)
  return undefined
}

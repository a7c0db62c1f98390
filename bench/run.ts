/** `npm run bench -- [NAME] [--json] [options]`: runs a benchmark, or all of them, and prints what it found. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Refusal } from '../src/ground/refusal.ts'
import { exitCodes, table } from '../src/main/commands/context.ts'
import { adhoc } from './adhoc.ts'
import { allOf } from './all.ts'
import { batch } from './batch.ts'
import { type Bench, bench, type Figures, type Options, shown } from './bench.ts'
import { cfssl } from './cfssl.ts'
import { run as crlRun } from './crl.ts'
import { run as dlmsRun } from './dlms.ts'
import { files } from './files.ts'
import { grow } from './grow.ts'
import { growth } from './growth.ts'
import { journal } from './journal.ts'
import { run as keysRun } from './keys.ts'
import { night } from './night.ts'
import { portal } from './portal.ts'
import { withPromises } from './promises.ts'
import { recovery } from './recovery.ts'
import { repository } from './repository.ts'
import { soak } from './soak.ts'
import { stepCa } from './step-ca.ts'

const crl = bench({
  says: 'a list of a million entries, beside `openssl ca -gencrl` at 50,000',
  options: { count: 1_000_000 },
  run: (options, { signal }) => Promise.race([crlRun(options), aborted(signal)]),
  table: figures => Object.entries(figures).map(([name, figure]) => [name, shown(figure, figure < 100 ? 3 : 0)]),
})

const dlms = bench({
  says: 'protecting and opening of DLMS texts, beside bare AES-GCM',
  options: { count: 20_000 },
  run: (options, { signal }) => Promise.race([dlmsRun(options), aborted(signal)]),
  table: figures => Object.entries(figures).map(([name, figure]) => [name, shown(figure, figure < 100 ? 2 : 0)]),
})

const keys = bench({
  says: 'SMETS1 keys: the DCO’s path beside bare AES, and whole rotations of meters (--meters 1: none)',
  options: { count: 5000, meters: 10_000 },
  run: keysRun,
  table: ({ rotation, symmetric }) => [
    ...Object.entries(symmetric).flatMap(([module, rates]) =>
      Object.entries(rates).map(([name, figure]) => [`${module}: ${name}`, shown(figure, figure < 100 ? 2 : 0)]),
    ),
    ...(rotation ? [...Object.entries(rotation)].map(([name, figure]) => [name, JSON.stringify(figure)]) : []),
  ],
})

const benches: Readonly<Record<string, Bench>> = withPromises({
  batch,
  adhoc,
  cfssl,
  'step-ca': stepCa,
  repository,
  crl,
  dlms,
  journal,
  keys,
  recovery,
  portal,
  grow,
  growth,
  files,
  soak,
  night,
})

/** Without a name: all of them, and what came of what the project promises. */
const everything = allOf(benches)

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

const usage = (): string => {
  const rows = Object.entries({ '(no name)': everything, ...benches }).map(([name, { says, options }]) => {
    const flags = Object.entries(options).map(
      ([flag, value]) => `--${flag}${value === false ? '' : ` ${value === '' ? 'TEXT' : value}`}`,
    )
    return [`  ${name}`, says, flags.join(' ')]
  })
  return `npm run bench -- [NAME] [--json] [options]; options are shown with their defaults\n\n${table(rows)}`
}

async function main(argv: readonly string[]): Promise<number> {
  const named = argv[0] !== undefined && !argv[0].startsWith('-')
  const [name, rest] = named ? [argv[0]!, argv.slice(1)] : ['all', argv.slice()]
  if (name === 'list') {
    process.stdout.write(usage())
    return exitCodes.ok
  }
  const chosen = named ? benches[name] : everything
  const options = chosen && understood(chosen, [...rest])
  if (!options) {
    process.stderr.write(usage())
    return exitCodes.usage
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-bench-'))
  // Whatever is made in a temporary folder, by us or by what we start, goes when ours goes.
  process.env.TMPDIR = folder
  // A benchmark fills its store and counts in it: it is never given one that somebody has.
  delete process.env.DATABASE_URL
  try {
    const say = (text: string) => void (process.stderr.isTTY && process.stderr.write(`${text}\n`))
    const figures = await chosen.run(options.given, { folder, signal: stop.signal, say })
    print(chosen, figures, options.json)
    return exitCodes.ok
  } catch (cause) {
    // As a shell says that it was interrupted.
    if (stop.signal.aborted) return 130
    if (cause instanceof Refusal) {
      process.stderr.write(`${cause.code}: ${cause.message}\n`)
      return exitCodes.no
    }
    process.stderr.write(`${name}: ${(cause as Error).stack}\n`)
    return exitCodes.fault
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}

/** The options of a benchmark, checked; undefined when they are not what it takes. */
function understood(chosen: Bench, args: string[]): { given: Options; json: boolean } | undefined {
  const known = Object.entries(chosen.options).map(
    ([name, value]) => [name, { type: typeof value === 'boolean' ? 'boolean' : 'string' }] as const,
  )
  try {
    const { values } = parseArgs({ args, options: { json: { type: 'boolean' }, ...Object.fromEntries(known) } })
    const given = Object.entries(chosen.options).map(([name, byDefault]) => {
      const value = (values as Record<string, string | boolean>)[name] ?? byDefault
      if (typeof byDefault !== 'number') return [name, value] as const
      if (!/^[1-9]\d{0,7}$/.test(`${value}`)) throw new RangeError(`--${name} ${value}`)
      return [name, Number(value)] as const
    })
    return { given: Object.fromEntries(given), json: values.json === true }
  } catch (cause) {
    process.stderr.write(`not understood: ${(cause as Error).message}\n\n`)
    return undefined
  }
}

function print(chosen: Bench, figures: Figures, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(figures)}\n` : table(chosen.table(figures)))
}

process.exit(await main(process.argv.slice(2)))

/** What the project promises of the benchmarks whose figures were there before their promises were: data, by benchmark. */

import type { Bench, Figures, Options } from './bench.ts'
import { shown } from './bench.ts'
import type { Promised } from './promised.ts'

interface Added {
  readonly quick: Options
  readonly promises: readonly Promised<Figures>[]
}

/** A figure by its path in the JSON; undefined where it is not there. */
function at(...path: readonly string[]) {
  return (figures: Figures): number | undefined => {
    const found = path.reduce<unknown>((value, name) => (value as Record<string, unknown> | null)?.[name], figures)
    return typeof found === 'number' ? found : undefined
  }
}

/** Of such a figure what people read; nothing where it is not there. */
function say(figure: (figures: Figures) => number | undefined, how: (value: number) => string) {
  return (figures: Figures): string | undefined => {
    const value = figure(figures)
    return value === undefined ? undefined : how(value)
  }
}

const perSecond = (what: string) => (value: number) => `${what} ${shown(value)}/s`

const added: Readonly<Record<string, Added>> = {
  batch: {
    quick: { count: 2000 },
    promises: [
      {
        says: 'a batch end to end, to bare cryptography on the same threads',
        unit: '',
        atLeast: 0.6,
        figure: at('ratioToBareCryptography'),
        beside: say(at('bareCryptographyPerSecond'), perSecond('bare')),
      },
      {
        says: 'a batch end to end, to `openssl ca` on the same CSRs',
        unit: '×',
        atLeast: 5,
        figure: at('ratioToOpenssl'),
        beside: say(at('opensslPerSecond'), perSecond('openssl ca')),
      },
    ],
  },
  adhoc: {
    quick: { seconds: 1 },
    promises: [
      {
        says: 'single requests, 32 connections, each committed before its answer',
        unit: '/s',
        atLeast: 3000,
        figure: at('connections', '32', 'perSecond'),
        beside: say(at('connections', '32', 'echoesPerSecond'), perSecond('bare TLS echo')),
      },
      {
        says: 'single requests, 32 connections, p99',
        unit: 'ms',
        atMost: 50,
        figure: at('connections', '32', 'p99'),
        beside: say(at('connections', '32', 'p50'), value => `p50 ${shown(value, 1)} ms`),
      },
    ],
  },
  crl: {
    quick: { count: 60_000 },
    promises: [
      {
        says: 'a list of a million entries',
        unit: 's',
        atMost: 2,
        figure: figures => (at('entries')(figures) === 1_000_000 ? at('seconds')(figures) : undefined),
        beside: say(at('ratioToOpenssl'), value => `at 50,000: ${shown(value, 2)} × as fast as openssl ca -gencrl`),
      },
      {
        says: 'memory that making it adds, to its own size',
        unit: '×',
        atMost: 1,
        figure: figures =>
          at('entries')(figures) === 1_000_000
            ? ((at('peakMemoryMiB')(figures)! - at('memoryBeforeMiB')(figures)!) * 2 ** 20) / at('octets')(figures)!
            : undefined,
        beside: say(at('octets'), value => `${shown(value / 1e6, 1)} MB`),
      },
    ],
  },
  journal: {
    quick: { rounds: 2, groups: 1, singles: 100, entries: 20_000, proofs: 100 },
    promises: [
      {
        says: 'issuing in groups, longer with the journal than without',
        unit: '%',
        atMost: 5,
        figure: at('batch', 'longerPercent'),
        beside: say(at('batch', 'withoutPerSecond'), perSecond('without')),
      },
      {
        says: 'issuing singly, longer with the journal than without',
        unit: '%',
        atMost: 5,
        figure: at('single', 'longerPercent'),
        beside: say(at('single', 'withoutPerSecond'), perSecond('without')),
      },
      {
        says: 'an inclusion proof from ten million entries',
        unit: 'ms',
        atMost: 10,
        figure: figures =>
          at('proof', 'entries')(figures) === 10_000_000
            ? at('proof', 'milliseconds', 'inclusion, median')(figures)
            : undefined,
      },
    ],
  },
  keys: {
    quick: { count: 200, meters: 1 },
    promises: [
      {
        says: 'DCO: commands, to the bare AES of the platform',
        unit: '',
        atLeast: 0.5,
        figure: at('symmetric', 'software', 'ratioOfCommands'),
        beside: say(at('symmetric', 'software', 'bareCommandsPerSecond'), perSecond('bare')),
      },
      {
        says: 'DCO: replies, to the bare AES of the platform',
        unit: '',
        atLeast: 0.5,
        figure: at('symmetric', 'software', 'ratioOfReplies'),
        beside: say(at('symmetric', 'software', 'bareRepliesPerSecond'), perSecond('bare')),
      },
      {
        says: 'DCO in SoftHSM2: commands, to the bare calls of the module',
        unit: '',
        atLeast: 0.5,
        figure: at('symmetric', 'softhsm2', 'ratioOfCommands'),
      },
    ],
  },
  recovery: {
    quick: { count: 100 },
    promises: [
      {
        says: 'recovery commands made and answers verified, to bare ECDSA',
        unit: '',
        atLeast: 0.5,
        figure: at('ratio'),
        beside: say(at('hoursFor30Million'), value => `30 million Devices in ${shown(value)} h`),
      },
    ],
  },
}

/** Each with what was added for it. */
export function withPromises(benches: Readonly<Record<string, Bench>>): Readonly<Record<string, Bench>> {
  return Object.fromEntries(
    Object.entries(benches).map(([name, one]) => {
      const more = added[name]
      return [
        name,
        more
          ? { ...one, quick: { ...more.quick, ...one.quick }, promises: [...more.promises, ...one.promises] }
          : one,
      ]
    }),
  )
}

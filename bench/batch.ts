/** 50,000 Device CSRs as one batch through the real web service, beside bare cryptography and `openssl ca` in the same run. */

import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { makeBatchXml, makeMany, type OneOfMany } from '../simulator/batch.ts'
import { progress } from '../src/doors/cli/progress.ts'
import { Refusal } from '../src/ground/refusal.ts'
import { bench, type Context, eachRounded, rounded, shown } from './bench.ts'
import { startChild } from './child.ts'
import { withEnvironment } from './environment.ts'
import { watch } from './processes.ts'
import { bareCryptography, better, threadsByDefault } from './reference/cryptography.ts'
import { opensslCa, requireOpenssl } from './reference/openssl.ts'
import { check, submit } from './submission.ts'

export const batch = bench({
  says: 'one batch through the web service, beside bare cryptography and `openssl ca` on the same CSRs',
  options: { count: 50_000, 'skip-openssl': false },
  run: ({ count, 'skip-openssl': skipped }, context) => run(count, skipped, context),
  table: rows,
})

/** Rates are certificates a second. */
type Batch = {
  readonly count: number
  /** Of the signer, and of bare cryptography. */
  readonly threads: number
  /** First octet of the request to last octet of the result. */
  readonly certificatesPerSecond: number
  readonly seconds: Readonly<Record<'upload' | 'parsing' | 'processing' | 'download' | 'total', number>>
  /** The better of a run before and a run after the batch. */
  readonly bareCryptographyPerSecond: number
  readonly bareCryptographyRuns: readonly number[]
  readonly ratioToBareCryptography: number
  /** null when skipped. */
  readonly opensslPerSecond: number | null
  readonly ratioToOpenssl: number | null
  /** Of the largest process. */
  readonly peakMemoryMiB: number
  readonly memoryMiB: Readonly<Record<string, number>>
  /** From the first octet of the request to the last of the result. */
  readonly cpuSeconds: Readonly<Record<string, number>>
  /** What a certificate costs: a busy machine bends this less than it bends rates. */
  readonly cpuMicrosecondsEach: Readonly<Record<string, number>>
}

/** CSRs in one batch (L8.2). */
const most = 50_000

type Measured = Pick<Batch, 'seconds' | 'memoryMiB' | 'cpuSeconds'>

async function run(count: number, skipped: boolean, context: Context): Promise<Batch> {
  const { folder, signal, say } = context
  if (count > most) throw new Refusal('TOO_MANY', `one batch holds at most ${shown(most)} CSRs`)
  if (!skipped) await requireOpenssl()
  say('making the Device CSRs')
  const { csrs, document } = await makeBatch(count, folder, signal)
  const threads = threadsByDefault
  const bare = await better(
    () => {
      say('bare cryptography')
      return bareCryptography(csrs, { threads, signal })
    },
    () => measure(count, document, context),
  )
  const openssl = skipped ? undefined : await timedOpenssl(csrs, context)

  const measured = bare.result
  const certificatesPerSecond = count / measured.seconds.total
  const { client, ...service } = measured.cpuSeconds
  const serviceSeconds = Object.values(service).reduce((sum, one) => sum + one, 0)
  return {
    count,
    threads,
    certificatesPerSecond: rounded(certificatesPerSecond),
    ratioToBareCryptography: rounded(certificatesPerSecond / bare.best.perSecond, 3),
    ratioToOpenssl: openssl ? rounded(certificatesPerSecond / openssl.perSecond, 2) : null,
    peakMemoryMiB: Math.max(...Object.values(measured.memoryMiB)),
    ...measured,
    cpuMicrosecondsEach: eachRounded(
      {
        service: (serviceSeconds * 1e6) / count,
        client: (client! * 1e6) / count,
        bareCryptography: bare.best.cpuMicroseconds,
        ...(openssl && { openssl: openssl.cpuMicroseconds }),
      },
      1,
    ),
    bareCryptographyPerSecond: rounded(bare.best.perSecond),
    bareCryptographyRuns: bare.runs,
    opensslPerSecond: openssl ? rounded(openssl.perSecond) : null,
  }
}

/** Two for each Device, as a meter maker asks for them; and the document that submits them. */
async function makeBatch(count: number, folder: string, signal: AbortSignal) {
  const bar = progress('Device CSRs', count)
  const made: OneOfMany[] = []
  const many = { count, firstDeviceId: '02d0000000000000', usages: ['digitalSignature', 'keyAgreement'] as const }
  for await (const one of makeMany(many)) {
    signal.throwIfAborted()
    bar.at(made.push(one))
  }
  bar.end()
  const document = join(folder, 'batch.xml')
  await pipeline(makeBatchXml(made, { id: 'bench' }), createWriteStream(document))
  return { csrs: made.map(one => one.csr), document }
}

async function measure(count: number, document: string, context: Context): Promise<Measured> {
  return withEnvironment(context, count, async environment => {
    const client = startChild('batch-client.ts', context.signal)
    const watching = watch({ ...environment.programs, client: client.pid }, environment.postmaster)
    try {
      context.say(`a batch of ${shown(count)}`)
      const result = join(context.folder, 'result.xml')
      watching.mark()
      const { batch, began, answered, queued, completed, ended } = await submit(client, environment, {
        document,
        result,
      })
      const { memoryMiB, cpuSeconds } = watching.usage()
      context.say('counting what was issued')
      await check(environment, batch, count, result)
      return {
        seconds: {
          upload: (answered - began) / 1000,
          parsing: (queued - answered) / 1000,
          processing: (completed - queued) / 1000,
          download: (ended - completed) / 1000,
          total: (ended - began) / 1000,
        },
        memoryMiB: eachRounded(memoryMiB, 1),
        cpuSeconds: eachRounded(cpuSeconds, 2),
      }
    } finally {
      watching.stop()
      await client.end()
    }
  })
}

async function timedOpenssl(csrs: readonly Buffer[], { folder, signal, say }: Context) {
  say('openssl ca')
  return opensslCa(csrs, join(folder, 'openssl'), signal)
}

function rows(figures: Batch): string[][] {
  const { count, seconds, opensslPerSecond, ratioToOpenssl, cpuMicrosecondsEach: each } = figures
  const stages = Object.entries(seconds).map(([stage, took]) => [`  ${stage}`, `${shown(took, 2)} s`, '', ''])
  const processes = Object.entries(figures.memoryMiB).flatMap(([name, memory]) => {
    const spent = ((figures.cpuSeconds[name] ?? 0) * 1e6) / count
    // Small ones that were idle are in the JSON.
    return spent < 0.1 && memory < 50 ? [] : [[`  ${name}`, '', `${shown(spent, 1)} µs`, `${shown(memory)} MiB`]]
  })
  const openssl = () => [
    ['openssl ca', `${shown(opensslPerSecond!)}/s`, `${shown(each.openssl!, 1)} µs`, ''],
    ['  we reach', `${shown(ratioToOpenssl!, 2)} times that`, '', ''],
  ]
  return [
    ['', '', 'CPU TIME EACH', 'MOST MEMORY'],
    [`batch of ${shown(count)}`, `${shown(figures.certificatesPerSecond)}/s`, `${shown(each.service!, 1)} µs`, ''],
    ...stages,
    ...processes,
    [
      `bare cryptography, ${figures.threads} threads`,
      `${shown(figures.bareCryptographyPerSecond)}/s`,
      `${shown(each.bareCryptography!, 1)} µs`,
      '',
    ],
    ['  we reach', `${shown(figures.ratioToBareCryptography, 3)} of that`, '', ''],
    ...(opensslPerSecond === null ? [] : openssl()),
  ]
}

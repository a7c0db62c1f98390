/** The Repository's full file and the delta of a day, from a full store: written in a stream, read back, and counted. */

import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { toHex } from '../src/ground/bytes.ts'
import { homeAt } from '../src/main/home.ts'
import { openHomeStore } from '../src/main/world.ts'
import { howMany } from '../src/rooms/repository/find.ts'
import { bench, type Context, rounded, shown } from './bench.ts'
import { startChild } from './child.ts'
import { readBack } from './files-check.ts'
import type { FileMade, FileOrder } from './files-maker.ts'

type OneFile = {
  readonly records: number
  readonly seconds: number
  /** Of the archive. */
  readonly megabytes: number
  /** Of the text in it, which is what is made and deflated. */
  readonly textMegabytes: number
  readonly textMegabytesPerSecond: number
  readonly recordsPerSecond: number
  /** Of the process that makes it. */
  readonly memoryBeforeMiB: number
  readonly peakMemoryMiB: number
  readonly cpuSeconds: number
}

type FilesFigures = {
  readonly certificates: number
  readonly full: OneFile
  readonly delta: OneFile
  /** The same text through zlib alone, at its default, on one thread. */
  readonly bareDeflateMegabytesPerSecond: number
}

export const files = bench({
  says: 'the full file of a full store (--home) and the delta of a day, in a stream, beside bare zlib',
  options: { home: '', days: 1 },
  promises: [
    {
      says: 'full file: memory that its making adds',
      unit: 'MiB',
      atMost: 256,
      figure: ({ full }: FilesFigures) => full.peakMemoryMiB - full.memoryBeforeMiB,
      beside: ({ full }) => `${shown(full.records)} records, ${shown(full.textMegabytes)} MB of text`,
    },
    {
      says: 'delta of a day: memory that its making adds',
      unit: 'MiB',
      atMost: 256,
      figure: ({ delta }: FilesFigures) => delta.peakMemoryMiB - delta.memoryBeforeMiB,
      beside: ({ delta }) => `${shown(delta.records)} records in ${shown(delta.seconds, 1)} s`,
    },
  ],
  run: run,
  table: ({ certificates, full, delta, bareDeflateMegabytesPerSecond }: FilesFigures) => [
    ['', 'full', 'delta'],
    ...(Object.keys(full) as (keyof OneFile)[]).map(name => [
      name,
      ...[full[name], delta[name]].map(figure => shown(figure, figure < 100 ? 1 : 0)),
    ]),
    ['bare zlib, MB of text a second', shown(bareDeflateMegabytesPerSecond, 1), ''],
    ['certificates in the store', shown(certificates), ''],
  ],
})

/** The files lie in our own folder, and go with it; on record they are taken away. */
async function run({ home: path, days }: { home: string; days: number }, context: Context): Promise<FilesFigures> {
  const home = homeAt(resolve(path))
  const opened = await openHomeStore(home, { share: true, max: 2 })
  const { store } = opened
  const made: string[] = []
  const order = { home: home.path, target: opened.target, folder: context.folder }
  try {
    context.say('the full file')
    const until = new Date()
    const full = await oneFile({ ...order, kind: 'FULL', until }, made, context)
    context.say('the delta of a day')
    made.push(await asIfDelta(store, new Date(until.getTime() - days * 86_400_000)))
    const delta = await oneFile({ ...order, kind: 'DELTA', until }, made, context)
    return {
      certificates: await howMany(store),
      full: full.figures,
      delta: delta.figures,
      bareDeflateMegabytesPerSecond: full.bareDeflate,
    }
  } finally {
    await store.query('UPDATE repository_file SET removed_at = now() WHERE name = ANY($1)', [made])
    await opened.close()
  }
}

/** On record, as if the delta before this one had been made so long ago: the next goes on from there. */
async function asIfDelta(store: { query: (text: string, values: unknown[]) => Promise<unknown> }, until: Date) {
  const name = `SMKI-DELTA-bench-${until.getTime()}.zip`
  await store.query(
    `INSERT INTO repository_file (kind, sequence, name, covers_from, covers_until, created_at, unfinished, records, octets, sha256)
     SELECT 'DELTA', coalesce(max(sequence), 0) + 1, $1, $2, $2, now(), '{}', 0, 0, sha256('') FROM repository_file
      WHERE kind = 'DELTA'`,
    [name, until],
  )
  return name
}

async function oneFile(order: FileOrder, made: string[], { signal, folder }: Context) {
  const maker = startChild('files-maker.ts', signal)
  try {
    const { file, seconds, ...used } = await maker.ask<FileMade>(order)
    made.push(file.name)
    const archive = join(folder, order.kind.toLowerCase(), file.name)
    const back = await readBack(archive)
    if (back.sha256 !== file.sha256 || back.records !== file.records)
      throw new Error(`${file.name} has ${back.records} records, and ${file.records} were written`)
    if (file.signatureOctets !== undefined) await verifySignature(archive)
    const textMegabytes = back.textOctets / 1e6
    const figures: OneFile = {
      records: file.records,
      seconds: rounded(seconds, 1),
      megabytes: rounded(file.octets / 1e6, 1),
      textMegabytes: rounded(textMegabytes, 1),
      textMegabytesPerSecond: rounded(textMegabytes / seconds, 1),
      recordsPerSecond: rounded(file.records / seconds),
      memoryBeforeMiB: rounded(used.memoryBeforeMiB, 1),
      peakMemoryMiB: rounded(used.peakMemoryMiB, 1),
      cpuSeconds: rounded(used.cpuSeconds, 1),
    }
    return { figures, bareDeflate: rounded(back.bareDeflateMegabytesPerSecond, 1) }
  } finally {
    await maker.end()
  }
}

/** Its octets are what the credential signed; whose the credential is, its own tests say. @throws Error otherwise */
async function verifySignature(archive: string): Promise<void> {
  const signature = ['-verify', '-binary', '-inform', 'DER', '-in', `${archive}.p7s`, '-content', archive]
  const { stderr } = await promisify(execFile)('openssl', ['cms', ...signature, '-noverify', '-out', '/dev/null'])
  if (!/verification successful/i.test(stderr)) throw new Error(`openssl: ${toHex(Buffer.from(stderr))}`)
}

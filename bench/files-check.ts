/** A file of the Repository read back by other software than wrote it: counted, hashed, and held against its manifest. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { deflateRawSync } from 'node:zlib'
import { type Entry, openPromise } from 'yauzl'

export interface ReadBack {
  readonly records: number
  /** Of the archive. */
  readonly sha256: string
  /** Octets of certificates.csv. */
  readonly textOctets: number
  /** Of a piece of that text, by zlib at its default and nothing else. */
  readonly bareDeflateMegabytesPerSecond: number
}

interface Manifest {
  readonly members: readonly {
    readonly name: string
    readonly records: number
    readonly octets: number
    readonly sha256: string
  }[]
}

/** @throws Error where the archive is not what its manifest says */
export async function readBack(archive: string): Promise<ReadBack> {
  const whole = createHash('sha256')
  for await (const chunk of createReadStream(archive, { highWaterMark: 1 << 20 })) whole.update(chunk)
  const zip = await openPromise(archive, { autoClose: false, lazyEntries: true })
  const sha256 = createHash('sha256')
  const sample: Buffer[] = []
  let [lines, octets] = [0, 0]
  let manifest: Manifest | undefined
  for await (const entry of zip.eachEntry() as AsyncIterable<Entry>) {
    if (entry.fileName === 'manifest.json') {
      manifest = JSON.parse((await buffer(await zip.openReadStreamPromise(entry))).toString())
    } else if (entry.fileName === 'certificates.csv') {
      for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
        sha256.update(chunk)
        octets += chunk.length
        if (octets < sampleOctets) sample.push(Buffer.from(chunk))
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++
      }
    }
  }
  zip.close()
  const said = manifest?.members.find(one => one.name === 'certificates.csv')
  // The first line is the header.
  if (said?.records !== lines - 1 || said.octets !== octets || said.sha256 !== sha256.digest('hex'))
    throw new Error(`${archive} is not what its manifest says`)
  const text = Buffer.concat(sample)
  const began = performance.now()
  deflateRawSync(text)
  const bareDeflateMegabytesPerSecond = text.length / 1e3 / (performance.now() - began)
  return { records: lines - 1, sha256: whole.digest('hex'), textOctets: octets, bareDeflateMegabytesPerSecond }
}

const sampleOctets = 16 << 20

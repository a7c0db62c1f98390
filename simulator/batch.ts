/** Batches: the document that submits Device CSRs, and Device CSRs by the ten thousand. */

import { on } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Bytes } from '../src/ground/bytes.ts'
import { view } from '../src/ground/bytes.ts'
import { type Device, makeDeviceCsr, type Usage } from './device.ts'

export interface BatchItem {
  /** DeviceCSR/@ID: an XML name of 1 to 100 characters that no other item has. Written as it is, good or bad. */
  readonly id: string
  readonly csr: Bytes
}

/** A SubmitCSRBatch document in UTF-8, in pieces of some 64 KiB: however many items there are, one piece is in memory. */
export async function* makeBatchXml(
  items: Iterable<BatchItem> | AsyncIterable<BatchItem>,
  { id, version = '1.0' }: { id: string; version?: string },
): AsyncGenerator<Buffer> {
  let piece = `<?xml version="1.0" encoding="UTF-8"?>\n<SubmitCSRBatch ID="${escaped(id)}"><Version>${version}</Version>\n`
  for await (const item of items) {
    piece += `<DeviceCSR ID="${escaped(item.id)}">${view(item.csr).toString('base64')}</DeviceCSR>\n`
    if (piece.length < 65_536) continue
    yield Buffer.from(piece, 'utf8')
    piece = ''
  }
  yield Buffer.from(`${piece}</SubmitCSRBatch>\n`, 'utf8')
}

/** For the inside of an attribute in double quotes. White space too: a parser would make spaces of it. */
function escaped(text: string): string {
  return text.replace(/[&<"\t\r\n]/g, c => `&#${c.charCodeAt(0)};`)
}

export interface Many {
  /** How many requests. */
  readonly count: number
  /** Device ID of the first, 16 hexadecimal digits; each next Device has the next number. */
  readonly firstDeviceId: string
  /** Each Device asks once for each of these, in this order. */
  readonly usages: readonly Usage[]
  /** Worker threads; as many as there are processors unless given. */
  readonly threads?: number
  readonly hwType?: string
  /** Whether the private keys are wanted too. */
  readonly privateKeys?: boolean
}

export interface OneOfMany extends BatchItem {
  readonly deviceId: string
  readonly usage: Usage
  readonly csr: Buffer
  /** PKCS#8 in DER; undefined unless asked for. */
  readonly privateKey: Buffer | undefined
}

/**
 * Good requests of so many Devices, each with a key pair of its own, made on several threads and given in order. The
 * workers are at most two chunks ahead of whoever reads. @throws RangeError when the Device IDs run out of 64 bits
 */
export async function* makeMany({ threads = availableParallelism(), ...many }: Many): AsyncGenerator<OneOfMany> {
  nth(many, Math.max(0, many.count - 1))
  const chunks = Math.ceil(many.count / chunkSize)
  const workers = Array.from({ length: Math.min(threads, chunks) }, (_, index) => {
    const worker = new Worker(new URL('./batch-worker.ts', import.meta.url), {
      workerData: { many, chunk: index, step: Math.min(threads, chunks) } satisfies Work,
    })
    const answers = on(worker, 'message', { close: ['exit'] })
    worker.postMessage('a chunk')
    worker.postMessage('a chunk')
    return { worker, answers }
  })
  try {
    for (let chunk = 0; chunk < chunks; chunk++) {
      const { worker, answers } = workers[chunk % workers.length]!
      const [made] = (await answers.next()).value as [Chunk]
      worker.postMessage('a chunk')
      yield* unpacked(made, many, chunk)
    }
  } finally {
    await Promise.all(workers.map(({ worker }) => worker.terminate()))
  }
}

/** What a worker is started with: it makes every `step`-th chunk from `chunk` on, one for each message it gets. */
export interface Work {
  readonly many: Many
  readonly chunk: number
  readonly step: number
}

/** Requests in one message of a worker: some 140 KB. */
const chunkSize = 500

/** Requests one after another, and how long each is; the private keys are all of one length. */
export interface Chunk {
  readonly octets: ArrayBuffer
  readonly lengths: Uint16Array<ArrayBuffer>
  readonly privateKeys: ArrayBuffer | undefined
}

/** What a worker does. Empty beyond the last chunk. */
export function makeChunk(many: Many, chunk: number): Chunk {
  const from = chunk * chunkSize
  const made = Array.from({ length: Math.max(0, Math.min(chunkSize, many.count - from)) }, (_, i) =>
    makeDeviceCsr(nth(many, from + i)),
  )
  const keys = many.privateKeys
    ? made.map(({ privateKey }) => privateKey.export({ format: 'der', type: 'pkcs8' }))
    : undefined
  return {
    octets: joined(made.map(({ csr }) => csr)),
    lengths: Uint16Array.from(made, ({ csr }) => csr.length),
    privateKeys: keys && joined(keys),
  }
}

/** Memory of its own, which can be handed to another thread. */
function joined(parts: Bytes[]): ArrayBuffer {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all.buffer
}

function* unpacked({ octets, lengths, privateKeys }: Chunk, many: Many, chunk: number): Generator<OneOfMany> {
  const keyLength = (privateKeys?.byteLength ?? 0) / lengths.length
  let at = 0
  for (const [i, length] of lengths.entries()) {
    const { deviceId, usage } = nth(many, chunk * chunkSize + i)
    yield {
      id: `${usage === 'digitalSignature' ? 'ds' : 'ka'}-${deviceId}`,
      deviceId,
      usage,
      csr: Buffer.from(octets, at, length),
      privateKey: privateKeys && Buffer.from(privateKeys, i * keyLength, keyLength),
    }
    at += length
  }
}

function nth({ firstDeviceId, usages, hwType }: Many, n: number): Device {
  const number = BigInt(`0x${firstDeviceId}`) + BigInt(Math.floor(n / usages.length))
  const deviceId = number.toString(16).padStart(16, '0')
  if (firstDeviceId.length !== 16 || deviceId.length !== 16) throw new RangeError('no such Device ID')
  return { deviceId, usage: usages[n % usages.length]!, ...(hwType && { hwType }) }
}

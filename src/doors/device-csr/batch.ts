/** Batched Device CSR Web Service: a batch is taken in, and its result handed out, in streams (section 6). */

import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, preHandlerAsyncHookHandler } from 'fastify'
import { Refusal } from '../../ground/refusal.ts'
import type { Codes } from '../../policy/smki-device/codes.ts'
import { batchOf } from '../../rooms/issuance/batch.ts'
import { type ItemResult, resultsOf } from '../../rooms/issuance/results.ts'
import { beginUpload } from '../../rooms/issuance/upload.ts'
import {
  resultEnd,
  resultHead,
  resultItem,
  resultRefused,
  resultUnfinished,
  submitAccepted,
  submitRefused,
  type Unfinished,
} from './batch-answer.ts'
import { BatchReader } from './batch-message.ts'
import { BodyRefused, withoutSilence } from './body.ts'
import type { DeviceDoor } from './door.ts'

export const submitPath = '/1.0/PortalCSRBatch/SubmitCSRBatch'
export const resultPath = '/1.0/PortalCSRBatch/CSRBatchResult'

export function batchService(app: FastifyInstance, door: DeviceDoor, admit: preHandlerAsyncHookHandler): void {
  const { build, settings } = door
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(['application/xml'], (_, body, done) => done(null, body))

  app.post(submitPath, { onRequest: admit, bodyLimit: Number.MAX_SAFE_INTEGER }, async (request, reply) => {
    const reading: Reading = {}
    try {
      const { party } = request.credential
      const stopped = door.stops.stopped({ interface: 'BATCH_WS', party })
      const accepted = await takeIn(door, request.body as IncomingMessage | undefined, party, stopped, reading)
      return xml(reply, submitAccepted({ ...accepted, build }))
    } catch (cause) {
      if (cause instanceof BodyRefused) return reply.code(cause.status).header('connection', 'close').send()
      if (cause instanceof Refusal && (cause.code === 'FM:AA1' || cause.code === 'FM:AA2')) {
        const code = cause.code
        const failure = { status: 'FORMAT_ERROR', code, text: cause.message } as const
        return xml(reply, submitRefused({ id: code === 'FM:AA2' ? reading.reference : undefined, build, failure }))
      }
      if (cause instanceof Refusal && cause.code === 'WF:SUSP') {
        return xml(reply, submitRefused({ id: undefined, build, failure: door.codes['WF:SUSP'] }))
      }
      door.log.error({ fault: (cause as Error).message }, 'a submission met a fault')
      return xml(reply, submitRefused({ id: reading.reference, build, failure: door.codes['WF:BB2'] }))
    }
  })

  app.get<{ Querystring: { BatchId?: string } }>(resultPath, { onRequest: admit }, async (request, reply) => {
    try {
      const { party } = request.credential
      if (door.stops.stopped({ interface: 'BATCH_WS', party })) {
        return xml(reply, resultRefused({ build, failure: door.codes['WF:SUSP'] }))
      }
      const pickup = { now: door.clock(), days: settings.issuing.pickupDays }
      const number = positive(request.query.BatchId)
      const batch = number === undefined ? undefined : await batchOf(door.store, party, number, pickup)
      if (!batch) return xml(reply, resultRefused({ build, failure: door.codes['FM:AA3'] }))
      if (batch === 'past') {
        return xml(reply, resultRefused({ build, failure: door.codes[settings.issuing.afterPickup] }))
      }
      const head = { id: batch.reference, build, batchId: batch.id }
      if (batch.state !== 'COMPLETED') {
        return xml(reply, resultUnfinished({ ...head, batchStatus: batch.state as Unfinished }))
      }
      const stream = Readable.from(result(resultHead(head), resultsOf(door.store, batch), door.codes), {
        objectMode: false,
        highWaterMark: 1 << 19,
      })
      // The head is out by then; a result that breaks off is not well-formed, so nobody takes it for whole.
      stream.on('error', cause =>
        door.log.error({ batch: String(batch.id), fault: cause.message }, 'a result broke off'),
      )
      return xml(reply, stream)
    } catch (cause) {
      door.log.error({ fault: (cause as Error).message }, 'a result query met a fault')
      return xml(reply, resultRefused({ build, failure: door.codes['WF:BB1'] }))
    }
  })
}

function xml(reply: FastifyReply, body: string | Readable): FastifyReply {
  return reply.code(200).type('application/xml; charset=utf-8').send(body)
}

function positive(text: unknown): bigint | undefined {
  return typeof text === 'string' && /^[1-9]\d{0,18}$/.test(text) ? BigInt(text) : undefined
}

async function* result(head: string, portions: AsyncIterable<ItemResult[]>, codes: Codes): AsyncGenerator<Buffer> {
  yield Buffer.from(head)
  for await (const items of portions) {
    yield Buffer.from(items.map(item => resultItem({ id: item.id, outcome: outcomeOf(item, codes) })).join(''))
  }
  yield Buffer.from(resultEnd)
}

function outcomeOf(item: ItemResult, codes: Codes) {
  if ('certificate' in item) return { certificate: item.certificate }
  const { status, code } = codes[item.code]
  return { status, code, text: item.text }
}

/** What has been read of a submission, for an answer that refuses it. */
interface Reading {
  reference?: string | undefined
}

/** Reads, checks and keeps the upload as it comes; memory holds a part or two. */
async function takeIn(
  door: DeviceDoor,
  body: IncomingMessage | undefined,
  party: number,
  stopped: Refusal | undefined,
  reading: Reading,
): Promise<{ id: string; batchId: bigint }> {
  const { services, issuing } = door.settings
  const most = services.bodyMiB * 1024 * 1024
  const upload = await beginUpload(door, issuing.portion)
  const reader = new BatchReader(item => upload.take(item), { limit: issuing.batchMaximum })
  const digest = createHash('sha256')
  let octets = 0
  // A client that is still sending would not hear the answer: what was refused is read to its end, within bounds.
  let refused: unknown = stopped
  try {
    for await (const chunk of withoutSilence(body, services.bodySilenceSeconds * 1000)) {
      octets += chunk.length
      if (octets > most) refused ??= new BodyRefused(413)
      if (octets > 4 * most) break
      if (refused !== undefined) continue
      digest.update(chunk)
      try {
        reader.write(chunk)
        await upload.keep()
      } catch (cause) {
        refused = cause
      }
    }
    if (refused !== undefined) throw refused
    const { id: reference } = reader.end()
    await upload.accept({ party, reference, says: { channel: 'BATCH_WS', upload: digest.digest('hex') } })
    return { id: reference, batchId: upload.id }
  } catch (cause) {
    reading.reference = reader.id
    await upload.drop()
    throw cause
  }
}

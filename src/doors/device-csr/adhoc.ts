/** Ad Hoc Device CSR Web Service: one CSR in, one certificate or one reason out (service-interface.md section 5). */

import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, preHandlerAsyncHookHandler } from 'fastify'
import { NobodyListens } from '../../ground/channel.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Outcome } from '../../rooms/governance/performance/sample.ts'
import { type AdHocAnswer, readAdHocRequest, writeAdHocResponse } from './adhoc-message.ts'
import { BodyRefused, wholeBody } from './body.ts'
import type { DeviceDoor } from './door.ts'
import { together } from './together.ts'
import { transactionIds } from './transactions.ts'

/** A request has some 600 octets. */
const longest = 65_536

export function adHocService(app: FastifyInstance, door: DeviceDoor, admit: preHandlerAsyncHookHandler): void {
  const nextTransaction = transactionIds(door.store)
  const { services, issuing } = door.settings
  const limits = {
    most: longest,
    bound: 4 * services.bodyMiB * 1024 * 1024,
    silenceMs: services.bodySilenceSeconds * 1000,
  }
  const signers = together(door.signers)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(['application/xml'], (_, body, done) => done(null, body))

  app.post(services.adHocPath, { onRequest: admit, bodyLimit: Number.MAX_SAFE_INTEGER }, async (request, reply) => {
    const { credential } = request
    const transactionId = await nextTransaction()
    const answer = (id: string | undefined, outcome: AdHocAnswer['outcome']) => {
      const text = writeAdHocResponse({ id, build: door.build, transactionId, outcome })
      return reply.code(200).type('application/xml; charset=utf-8').send(text)
    }
    let id: string | undefined
    let measuring: Measuring | undefined
    try {
      const body = await wholeBody(request.body as IncomingMessage | undefined, limits)
      const received = door.clock().getTime()
      const message = readAdHocRequest(body)
      id = message.id
      // From here on it is a CSR that was sent to us, whatever becomes of it.
      measuring = measured(door, reply, credential.party, received)
      if (door.stops.stopped({ interface: 'ADHOC_WS', party: credential.party }))
        return answer(id, door.codes['WF:SUSP'])
      if ((await door.pace.admit(credential.party)) === 'refuse') return reply.code(429).send()
      const eligible = !issuing.eligibilityOnAdHoc || credential.deviceSubscriber
      const issued = await signers.ask({
        csr: message.csr,
        party: credential.party,
        transaction: transactionId,
        eligible,
      })
      if ('certificate' in issued) {
        measuring.became('sent')
        return answer(id, issued)
      }
      measuring.became(issued.code === 'CA:FF1' ? 'fault' : 'refused')
      const { status, code } = door.codes[issued.code]
      return answer(id, { status, code, text: issued.text })
    } catch (cause) {
      if (cause instanceof BodyRefused) return reply.code(cause.status).header('connection', 'close').send()
      if (cause instanceof Refusal && cause.code === 'FM:AA1') {
        return answer(id, { status: 'FORMAT_ERROR', code: 'FM:AA1', text: cause.message })
      }
      door.log.error(
        { transaction: String(transactionId), fault: (cause as Error).message },
        'a request met a fault',
      )
      measuring?.became('fault')
      // Every signer is being started anew: nothing was issued.
      if (cause instanceof NobodyListens) return answer(id, door.codes['CA:FF1'])
      // Whether a certificate was issued is not known here; asking again with the same CSR tells.
      return answer(id, door.codes['WF:BB2'])
    }
  })
}

interface Measuring {
  /** The answer is known now; until then it is refused. */
  became(outcome: Outcome): void
}

/** Measures a request until its answer has left us, or its client. */
function measured({ clock, measure }: DeviceDoor, reply: FastifyReply, party: number, received: number): Measuring {
  let outcome: Outcome = 'refused'
  let answered = received
  reply.raw.once('close', () => {
    const gone = !reply.raw.writableFinished
    const sent = clock().getTime()
    measure({ channel: 'ADHOC_WS', party, received, answered, sent, outcome: gone ? 'unanswered' : outcome })
  })
  return {
    became(now) {
      outcome = now
      answered = clock().getTime()
    },
  }
}

/** A witness that can be asked over HTTP: `POST /add-checkpoint` (C2SP tlog-witness). */

import type { FastifyInstance } from 'fastify'
import type { Witness, WitnessAnswer } from '../../ground/journal/witness.ts'

/** A checkpoint with 16 signatures and 63 hashes has some 6 KiB. Defends memory. */
export const submissionOctets = 32 * 1024

/**
 * @param said is told of every answer: a fork is evidence, and somebody should hear of it
 * @param failed is told of every fault of ours, of which the asker learns only that there was one
 */
export function witnessDoor(
  app: FastifyInstance,
  witness: Witness,
  said: (answer: WitnessAnswer, submission: string) => void,
  failed: (fault: Error) => void,
): void {
  app.setErrorHandler<Error & { statusCode?: number }>((cause, _, reply) => {
    const { statusCode = 500 } = cause
    if (statusCode < 500) return reply.code(statusCode).send('the request cannot be read\n')
    failed(cause)
    return reply.code(500).send('a fault of the witness: nothing was signed\n')
  })
  app.removeAllContentTypeParsers()
  // Whatever it is called, it is this text or it is refused.
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: submissionOctets }, (_, body, done) =>
    done(null, body),
  )
  app.setNotFoundHandler((_, reply) => reply.code(404).send('there is nothing here: POST /add-checkpoint\n'))
  app.post('/add-checkpoint', async (request, reply) => {
    const submission = (request.body as string | undefined) ?? ''
    const answer = await witness.addCheckpoint(submission)
    said(answer, submission)
    return reply.code(answer.status).header('content-type', answer.type).send(answer.body)
  })
}

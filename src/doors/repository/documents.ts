/** Documents at the Repository's web service: what is public and published, each version as a file (repository.md section 2). */

import type { FastifyInstance } from 'fastify'
import { attachmentHeaders, isHeld } from '../../ground/http/attachment.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import { publishedVersions } from '../../rooms/governance/documents.ts'
import { readPublicFile } from '../../rooms/governance/files.ts'
import type { Answers } from './answer.ts'

/** Files in memory at a time. Defends it: a document may be large. */
const atOnce = 8

const absent = ['DOCUMENT_UNKNOWN', 'VERSION_UNKNOWN', 'FILE_NOT_KEPT']

/**
 * `GET /documents`, a list in JSON, and `GET /documents/<reference>/<version>`. What is confidential or was not approved is
 * not there.
 */
export function addDocuments(app: FastifyInstance, store: Pick<Store, 'query'>, answer: Answers): void {
  let busy = 0

  app.get('/documents', async (request, reply) => {
    request.visit.asked = '/documents'
    const documents = (await publishedVersions(store)).map(({ document, version, kept, ...one }) => ({
      document,
      title: one.title,
      version,
      from: one.from,
      until: one.until,
      mediaType: one.mediaType,
      octets: one.octets,
      sha256: one.sha256,
      ...(kept && { file: `/documents/${encodeURIComponent(document)}/${encodeURIComponent(version)}` }),
    }))
    return answer.send(request, reply, 200, 'application/json; charset=utf-8', JSON.stringify({ documents }))
  })

  app.get<{ Params: { ref: string; version: string } }>('/documents/:ref/:version', async (request, reply) => {
    const { ref, version } = request.params
    if (busy >= atOnce) {
      reply.header('retry-after', '5')
      return answer.say(request, reply, 503, 'many documents are being fetched just now: try again')
    }
    busy++
    reply.raw.once('close', () => busy--)
    try {
      const file = await readPublicFile(store, ref, version)
      request.visit.asked = `/documents/${file.document}/${file.version}`
      reply.headers(attachmentHeaders(file))
      const held = isHeld(request.headers['if-none-match'], file)
      return answer.send(request, reply, held ? 304 : 200, file.type, held ? '' : file.octets)
    } catch (cause) {
      if (!(cause instanceof Refusal) || !absent.includes(cause.code)) throw cause
      const says = cause.code === 'FILE_NOT_KEPT' ? cause.message : 'there is nothing here'
      return answer.say(request, reply, 404, says)
    }
  })
}

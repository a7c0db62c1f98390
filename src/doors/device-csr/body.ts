/** Bodies of requests as they come: no longer than the limit, and not slower than patience lasts. */

import type { IncomingMessage } from 'node:http'

/** The body is refused by HTTP itself: too long (413), or it stopped coming (408). */
export class BodyRefused extends Error {
  readonly status: 408 | 413

  constructor(status: 408 | 413) {
    super(`HTTP ${status}`)
    this.name = 'BodyRefused'
    this.status = status
  }
}

/**
 * The octets of a body, none where the request has no body. A client that is still sending would not hear an answer:
 * what is longer than `most` is read on and thrown away, up to `bound`. @throws BodyRefused
 */
export async function wholeBody(
  body: IncomingMessage | undefined,
  { most, bound, silenceMs }: { most: number; bound: number; silenceMs: number },
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of withoutSilence(body, silenceMs)) {
    octets += chunk.length
    if (octets > bound) break
    if (octets <= most) chunks.push(chunk)
  }
  if (octets > most) throw new BodyRefused(413)
  return Buffer.concat(chunks)
}

/** The chunks of a body; one that stays silent for so long is given up. The socket stays open for the answer. */
export async function* withoutSilence(body: IncomingMessage | undefined, ms: number): AsyncGenerator<Buffer> {
  if (!body) return
  const chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  for (;;) {
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new BodyRefused(408)), ms)
    })
    const { done, value } = await Promise.race([chunks.next(), silence]).finally(() => clearTimeout(timer))
    if (done) return
    yield value
  }
}

/** Bodies of requests as they come: no longer than the limit, and not slower than patience lasts. */

import type { IncomingMessage } from 'node:http'

/** The body is refused by HTTP itself: too long (413), it stopped coming (408), or it broke off (400, which nobody hears). */
export class BodyRefused extends Error {
  readonly status: 400 | 408 | 413

  constructor(status: 400 | 408 | 413, cause?: unknown) {
    super(`HTTP ${status}`, { cause })
    this.name = 'BodyRefused'
    this.status = status
  }
}

/**
 * The octets of a body, none where the request has no body. A client that is still sending would not hear an answer:
 * what is longer than `most` is read on and thrown away, up to `bound`. @throws BodyRefused
 */
export function wholeBody(
  body: IncomingMessage | undefined,
  { most, bound, silenceMs }: { most: number; bound: number; silenceMs: number },
): Promise<Buffer> {
  if (!body) return Promise.resolve(Buffer.alloc(0))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let octets = 0
    const refuse = (status: 400 | 408 | 413, cause?: unknown) => {
      clearTimeout(timer)
      body.pause()
      reject(new BodyRefused(status, cause))
    }
    const timer = setTimeout(refuse, silenceMs, 408)
    body.on('data', (chunk: Buffer) => {
      timer.refresh()
      octets += chunk.length
      if (octets <= most) chunks.push(chunk)
      else if (octets > bound) refuse(413)
    })
    body.once('end', () => {
      if (octets > most) return refuse(413)
      clearTimeout(timer)
      return resolve(Buffer.concat(chunks))
    })
    body.once('error', cause => refuse(400, cause))
  })
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
    const next = chunks.next().catch((cause: unknown) => {
      throw new BodyRefused(400, cause)
    })
    const { done, value } = await Promise.race([next, silence]).finally(() => clearTimeout(timer))
    if (done) return
    yield value
  }
}

/** What messages of several routes have in common: JSON read strictly, JSON written, who acts. */

import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Office } from '../../policy/registration/offices.ts'
import type { Officer } from '../../rooms/registration/act.ts'
import { no } from '../../rooms/registration/refusals.ts'
import type { Caller } from './caller.ts'
import { refuse } from './refusals.ts'

const short = z.string().min(1).max(200)

/** What goes with every act: words name nobody, for they stand in the journal; evidence is references. */
export const given = {
  words: z.string().max(2000).optional(),
  evidence: z
    .array(z.strictObject({ kind: short, reference: short }))
    .max(20)
    .optional(),
}

/** @param value an address's parameters; or the octets of a body, which is JSON. @throws Refusal MESSAGE_UNFIT */
export function fit<T extends z.ZodType>(shape: T, value: unknown): z.output<T> {
  const parsed = shape.safeParse(Buffer.isBuffer(value) ? parse(value) : value)
  if (parsed.success) return parsed.data
  const [fault] = parsed.error.issues
  // No value that was sent is repeated.
  throw refuse('MESSAGE_UNFIT', fault && `${fault.path.map(String).join('.').slice(0, 100)}: ${fault.code}`)
}

function parse(octets: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets))
  } catch (cause) {
    throw refuse('MESSAGE_UNFIT', cause instanceof SyntaxError ? 'it is not JSON' : 'it is not UTF-8')
  }
}

export function json(reply: FastifyReply, body: unknown, status = 200): FastifyReply {
  const text = JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? String(value) : value))
  return reply.code(status).header('cache-control', 'no-store').type('application/json').send(text)
}

/** The caller in the first of these offices that he holds. @throws Refusal NOT_FOR_THIS_OFFICE */
export function officerOf({ person, offices, party }: Caller, allowed: readonly Office[]): Officer {
  const as = allowed.find(office => offices.includes(office))
  if (person === undefined || !as) throw no('NOT_FOR_THIS_OFFICE', `it belongs to ${allowed.join(', ')}`)
  return { person, as, ...(party !== undefined && { party }) }
}

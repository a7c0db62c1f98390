/** Every "no" as application/problem+json (RFC 9457), and a fault as a reference without details. */

import type { FastifyError, FastifyReply } from 'fastify'
import { Refusal } from '../../ground/refusal.ts'
import { governanceRefusals } from '../../rooms/governance/refusals.ts'
import { issuanceRefusals } from '../../rooms/issuance/refusals.ts'
import { recoveryRefusals } from '../../rooms/recovery/refusals.ts'
import { registrationRefusals } from '../../rooms/registration/refusals.ts'
import { revocationRefusals } from '../../rooms/revocation/refusals.ts'
import type { OperatorDoor } from './door.ts'
import { operatorRefusals, refuse } from './refusals.ts'

/** The tables of codes with their statuses; a room that has routes here has its table here. */
const tables: readonly Readonly<Record<string, { readonly status: number }>>[] = [
  operatorRefusals,
  registrationRefusals,
  governanceRefusals,
  issuanceRefusals,
  revocationRefusals,
  recoveryRefusals,
  // Codes of service-interface.md section 4 that say: not now.
  { 'WF:SUSP': { status: 503 }, 'CA:FF1': { status: 503 } },
]

/** The HTTP status of a code: that of its table; 400 for a code without one, such as those of CSRs. */
export function statusOf(code: string): number {
  const table = tables.find(one => Object.hasOwn(one, code))
  return table?.[code]?.status ?? 400
}

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  /** What the decision rested on; never a secret. */
  readonly about?: Readonly<Record<string, unknown>>
  /** Of a fault: under which it stands in the log. */
  readonly reference?: string
}

export function problemOf({ code, message, details }: Refusal): Problem {
  return {
    type: `urn:opensmki:problem:${code}`,
    title: 'The answer is no',
    status: statusOf(code),
    code,
    detail: message,
    ...(Object.keys(details).length > 0 && { about: details }),
  }
}

/** Answers whatever was thrown. */
export function answerProblem(door: OperatorDoor, cause: unknown, reply: FastifyReply): FastifyReply {
  const refusal = cause instanceof Refusal ? cause : refusedByFramework(cause as FastifyError)
  const problem = refusal ? problemOf(refusal) : fault(door, cause as Error)
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

function fault(door: OperatorDoor, cause: Error): Problem {
  const reference = Buffer.from(door.chance(6)).toString('hex')
  door.log.error({ reference, fault: `${cause.name}: ${cause.message}` }, 'a request met a fault')
  return {
    type: 'urn:opensmki:problem:FAULT',
    title: 'A fault of ours',
    status: 500,
    code: 'FAULT',
    detail: `that went wrong on our side; whether it was done is not known. Tell the Service Desk ${reference}`,
    reference,
  }
}

/** What HTTP and its framework refuse before anybody here is asked. */
function refusedByFramework({ statusCode }: { statusCode?: number | undefined }): Refusal | undefined {
  if (statusCode === undefined || statusCode >= 500) return undefined
  if (statusCode === 413) return refuse('REQUEST_TOO_LONG')
  if (statusCode === 415) return refuse('REQUEST_NOT_JSON')
  return refuse('REQUEST_UNFIT', 'it is not JSON')
}

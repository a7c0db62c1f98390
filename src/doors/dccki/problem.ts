/** Every "no" as application/problem+json (RFC 9457), and a fault as a reference without details. */

import type { FastifyError, FastifyReply } from 'fastify'
import { Refusal } from '../../ground/refusal.ts'
import { governanceRefusals } from '../../rooms/governance/refusals.ts'
import { issuanceRefusals } from '../../rooms/issuance/refusals.ts'
import { registrationRefusals } from '../../rooms/registration/refusals.ts'
import { revocationRefusals } from '../../rooms/revocation/refusals.ts'
import type { DcckiWorld } from './door.ts'
import { dcckiRefusals, refuse } from './refusals.ts'

const tables: readonly Readonly<Record<string, { readonly status: number }>>[] = [
  dcckiRefusals,
  registrationRefusals,
  governanceRefusals,
  issuanceRefusals,
  revocationRefusals,
  // Not now (service-interface.md section 4).
  { 'WF:SUSP': { status: 503 }, 'CA:FF1': { status: 503 } },
]

/** The HTTP status of a code; 400 for one without, such as those of CSRs. */
function statusOf(code: string): number {
  const table = tables.find(one => Object.hasOwn(one, code))
  return table?.[code]?.status ?? 400
}

export function answerProblem(world: DcckiWorld, cause: unknown, reply: FastifyReply): FastifyReply {
  const refusal = cause instanceof Refusal ? cause : refusedByFramework(cause as FastifyError)
  const problem = refusal ? ofRefusal(refusal) : fault(world, cause as Error)
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

function ofRefusal({ code, message }: Refusal) {
  const type = `urn:opensmki:problem:${code}`
  return { type, title: 'The answer is no', status: statusOf(code), code, detail: message }
}

function fault({ chance, log }: DcckiWorld, cause: Error) {
  const reference = Buffer.from(chance(6)).toString('hex')
  log.error({ reference, fault: `${cause.name}: ${cause.message}` }, 'a request met a fault')
  const detail = `that went wrong on our side; whether it was done is not known. Tell the Service Desk ${reference}`
  return {
    type: 'urn:opensmki:problem:FAULT',
    title: 'A fault of ours',
    status: 500,
    code: 'FAULT',
    detail,
    reference,
  }
}

/** What HTTP and its framework refuse before anybody here is asked. */
function refusedByFramework({ statusCode }: { statusCode?: number | undefined }): Refusal | undefined {
  if (statusCode === undefined || statusCode >= 500) return undefined
  if (statusCode === 413) return refuse('MESSAGE_TOO_LONG')
  if (statusCode === 415) return refuse('MESSAGE_TYPE')
  return refuse('MESSAGE_UNFIT')
}

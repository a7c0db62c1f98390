/** One measured request, and how some thousand of them are written in 13 octets each (migration 0012). */

import { type Bytes, view } from '../../../ground/bytes.ts'
import { type Channel, channels, dueBy } from '../../../policy/performance/targets.ts'

/**
 * `sent`: the answer that was asked for, or an error that stands for it, went out. `refused`: a check was not passed, so
 * there was no receipt (service-interface.md section 9): it counts as demand, and not for the response time. `fault`: an
 * error of ours went out. `unanswered`: the client went away first. If it had waited for longer than the target, that is
 * a miss, or a service that hangs would have none; else nothing is known.
 */
export type Outcome = 'sent' | 'refused' | 'fault' | 'unanswered'

export interface Sample {
  readonly channel: Channel
  /** Undefined where a test key asked. */
  readonly party: number | undefined
  /** Instants, in milliseconds. Arrival whole: a little before every check is passed, so that nothing is flattered. */
  readonly received: number
  /** When the answer was known here; undefined where that is not told apart. */
  readonly answered?: number
  readonly sent: number
  readonly outcome: Outcome
}

/** What a sample is when it is read back. */
export type KeptSample = Pick<Sample, 'received' | 'sent' | 'outcome'> & { readonly party: number | undefined }

const outcomes: readonly Outcome[] = ['sent', 'refused', 'fault', 'unanswered']
const sampleOctets = 13
const longest = 0xffff_ffff

/** Whether it counts for the response time, and is within its target. */
export function judged(sample: Sample, zone: string): { measured: boolean; within: boolean } {
  const { channel, received, sent, outcome } = sample
  const { measure } = channels[channel]
  const inTime = sent <= dueBy(measure, new Date(received), zone).getTime()
  if (outcome === 'refused') return { measured: false, within: false }
  if (outcome === 'unanswered') return { measured: !inTime, within: false }
  // An error is a sending where APPM says "certificate or error"; the Repository sends a copy or it does not.
  const fails = measure === 'repository' && outcome === 'fault'
  return { measured: true, within: !fails && inTime }
}

/** Why it took so long, as far as the door knows. */
export function causeOf({ received, answered, sent, outcome }: Sample): string {
  if (outcome === 'fault') return 'a fault of ours'
  if (outcome === 'unanswered') return 'no answer before the client went away'
  const slowlyTaken = answered !== undefined && sent - answered > answered - received
  return slowlyTaken ? 'the answer was taken slowly' : 'the answer came late'
}

/** @param hour in which every receipt lies, its first millisecond */
export function pack(samples: readonly Sample[], hour: number): Buffer {
  const out = Buffer.alloc(samples.length * sampleOctets)
  samples.forEach(({ received, sent, party = 0, outcome }, i) => {
    const at = i * sampleOctets
    out.writeUInt32BE(Math.min(longest, received - hour), at)
    out.writeUInt32BE(Math.min(longest, Math.max(0, sent - received)), at + 4)
    out.writeUInt32BE(party, at + 8)
    out[at + 12] = outcomes.indexOf(outcome)
  })
  return out
}

/** @throws RangeError for octets that `pack` does not make */
export function unpack(octets: Bytes, hour: number): KeptSample[] {
  const from = view(octets)
  if (from.length % sampleOctets !== 0) throw new RangeError(`${from.length} octets are no samples`)
  return Array.from({ length: from.length / sampleOctets }, (_, i) => {
    const at = i * sampleOctets
    const received = hour + from.readUInt32BE(at)
    const outcome = outcomes[from[at + 12]!]
    if (!outcome) throw new RangeError(`no outcome has the number ${from[at + 12]}`)
    return {
      received,
      sent: received + from.readUInt32BE(at + 4),
      party: from.readUInt32BE(at + 8) || undefined,
      outcome,
    }
  })
}

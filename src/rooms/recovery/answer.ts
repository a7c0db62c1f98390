/** What comes back from Devices: believed only when it is signed by the Device that was asked, about what it was asked. */

import { type Bytes, toHex } from '../../ground/bytes.ts'
import { type RoleDetails, readDetails } from '../../ground/gbcs/details.ts'
import { requireMac } from '../../ground/gbcs/mac.ts'
import { type GbcsMessage, readMessage } from '../../ground/gbcs/message.ts'
import { type Outcome, readUpdateResponse } from '../../ground/gbcs/outcome.ts'
import { otherInfo, requireSignature } from '../../ground/gbcs/protect.ts'
import { modeOfCode } from '../../ground/gbcs/use-cases.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Client } from '../../ground/store/store.ts'
import { applyDetails, applyOutcome, type Changed, keepChanged } from './apply.ts'
import type { Holding } from './cells.ts'
import { heldEvent } from './event.ts'
import { byService, type RecoveryHands } from './hands.ts'
import { no } from './refusals.ts'
import { materialOf } from './replacements.ts'
import type { Broker } from './signers.ts'

/** A command as it stands when its answer comes, with its Device. */
export interface Commanded {
  readonly id: bigint
  readonly device: Buffer
  readonly wave: number
  readonly kind: 'update' | 'question'
  readonly originator: Buffer
  readonly counter: bigint
  readonly message_code: number
  readonly command_state: string
  readonly signing_key: Buffer
  readonly agreement_key: Buffer
  readonly cells: Holding[]
  readonly state: string
  readonly attempts: number
  readonly shown: number[]
  readonly device_wave: number
}

/**
 * Takes what came from the network. What is to be believed changes what is known of its Device; what is not is counted by
 * code in the journal, and changes nothing.
 * @returns how many were believed, and the others by code
 */
export async function takeAnswers(
  hands: RecoveryHands,
  event: string,
  received: readonly Bytes[],
  broker: Broker,
): Promise<{ believed: number; refused: Readonly<Record<string, number>> }> {
  if (received.length === 0) return { believed: 0, refused: {} }
  const readable = received.map(octets => ({ octets, message: messageIn(octets) }))
  return byService(hands, 'take answers', { event }, async ({ client, at, note }) => {
    // Waits for nobody else who takes answers: without it two might both believe one.
    await heldEvent(client, event)
    const refused: Record<string, number> = {}
    const refuse = (code: string) => {
      refused[code] = (refused[code] ?? 0) + 1
    }
    const known = await commanded(
      client,
      event,
      readable.flatMap(({ message }) => (message ? [message] : [])),
    )
    const materials = new Map<number, Awaited<ReturnType<typeof materialOf>>>()
    const answered = new Set<bigint>()
    const changed: Changed[] = []
    for (const { octets, message } of readable) {
      try {
        if (!message) throw no('ANSWER_UNREADABLE')
        const command = known.get(nameOf(message.originator, message.recipient, message.counter))
        if (!command) throw no('ANSWER_UNASKED')
        if (command.command_state === 'answered' || answered.has(command.id)) throw no('ANSWER_REPLAYED')
        if (!materials.has(command.wave)) materials.set(command.wave, await materialOf(client, event, command.wave))
        const material = materials.get(command.wave)!
        const says = requireAnswer(message, command, broker)
        changed.push({
          command,
          octets,
          ...('outcome' in says
            ? applyOutcome(hands.recovery, command, says.outcome, material, at)
            : applyDetails(hands.recovery, command, says.details, material, at)),
        })
        answered.add(command.id)
      } catch (cause) {
        if (!(cause instanceof Refusal)) throw cause
        refuse(cause.code)
      }
    }
    await keepChanged(client, event, changed, at)
    if (changed.length > 0) {
      const states = Object.fromEntries(
        [...Map.groupBy(changed, one => one.state)].map(([state, of]) => [state, of.length]),
      )
      await note('answers', { event, believed: changed.length, states })
    }
    for (const [code, count] of Object.entries(refused)) {
      await client.query(
        `INSERT INTO recovery_refused AS known (event, code, answers) VALUES ($1, $2, $3)
         ON CONFLICT (event, code) DO UPDATE SET answers = known.answers + EXCLUDED.answers`,
        [event, code, count],
      )
      await note('refused', { attempt: 'take answers', code, event, answers: count })
    }
    return { believed: changed.length, refused }
  })
}

function messageIn(octets: Bytes): GbcsMessage | undefined {
  try {
    const message = readMessage(octets)
    return message.cra === 2 ? message : undefined
  } catch (cause) {
    if (cause instanceof Refusal) return undefined
    throw cause
  }
}

/** What an answer says, once it is known to be the Device's own and about that command. @throws Refusal ANSWER_… */
export function requireAnswer(
  message: GbcsMessage,
  command: Pick<Commanded, 'kind' | 'message_code' | 'counter' | 'signing_key' | 'agreement_key'>,
  broker: Pick<Broker, 'agreement'>,
): { readonly outcome: Outcome } | { readonly details: readonly RoleDetails[] } {
  if (message.messageCode !== command.message_code) throw no('ANSWER_TO_ANOTHER', 'it is of another use case')
  if (command.kind === 'question') {
    requireOurMac(message, command.agreement_key, broker)
    return { details: read(() => readDetails(message.payload).roles) }
  }
  try {
    requireSignature(message, command.signing_key)
  } catch (cause) {
    if (cause instanceof Refusal) throw no('ANSWER_NOT_ITS_OWN')
    throw cause
  }
  const { outcome } = read(() => readUpdateResponse(message.payload))
  if (!outcome) throw no('ANSWER_TO_ANOTHER', 'it accepts for later what was to be done at once')
  if (outcome.counter !== command.counter) throw no('ANSWER_COUNTER')
  if (outcome.mode !== modeOfCode(command.message_code)!.mode) throw no('ANSWER_TO_ANOTHER', 'of another mode')
  return { outcome }
}

function read<T>(reading: () => T): T {
  try {
    return reading()
  } catch (cause) {
    if (cause instanceof Refusal) throw no('ANSWER_UNREADABLE')
    throw cause
  }
}

function requireOurMac(message: GbcsMessage, agreementKey: Bytes, { agreement }: Pick<Broker, 'agreement'>): void {
  for (const key of agreement) {
    try {
      requireMac(message, key.macKey(agreementKey, otherInfo(message)))
      return
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause
    }
  }
  throw no('ANSWER_NOT_ITS_OWN')
}

const nameOf = (device: Bytes, originator: Bytes, counter: bigint) =>
  `${toHex(device)} ${toHex(originator)} ${counter}`

/** The commands that these answers name, held until the transaction ends. */
async function commanded(
  client: Client,
  event: string,
  messages: readonly GbcsMessage[],
): Promise<Map<string, Commanded>> {
  // Beyond 63 bits no counter was given out.
  const named = messages.filter(one => one.counter < 1n << 63n)
  const { rows } = await client.query<Commanded>(
    `SELECT c.id, c.device, c.wave, c.kind, c.originator, c.counter, c.message_code, c.state AS command_state,
            d.signing_key, d.agreement_key, d.cells, d.state, d.attempts, d.shown, d.wave AS device_wave
       FROM unnest($2::bytea[], $3::bytea[], $4::bigint[]) AS one (device, originator, counter)
       JOIN recovery_command c ON c.originator = one.originator AND c.counter = one.counter
        AND c.device = one.device AND c.event = $1 AND c.state IN ('sending', 'unanswered', 'answered')
       JOIN recovery_device d ON d.event = c.event AND d.device = c.device
      ORDER BY c.id FOR UPDATE OF c, d`,
    [
      event,
      named.map(one => Buffer.from(one.originator)),
      named.map(one => Buffer.from(one.recipient)),
      named.map(one => String(one.counter)),
    ],
  )
  return new Map(rows.map(row => [nameOf(row.device, row.originator, row.counter), row]))
}

/** Why a key may be replaced, by when, and when the risk of it all is looked at again (smets1-keys.md section 4). */

import { z } from 'zod'

const reference = z.string().regex(/^[\x20-\x7e]{1,200}$/)

/**
 * The three grounds for a rotation, and there is no other: none rests on the age of a key (Policy b(iii), (d)(v)).
 * Suspected compromise is no ground: it goes to the SMKI PMA, and comes back as an instruction.
 */
export const groundSchema = z.discriminatedUnion('ground', [
  /** The Device was Commissioned at that instant, as recorded: the seven days run from it. */
  z.strictObject({ ground: z.literal('commissioned'), at: z.iso.datetime() }),
  /** The reference of the SMKI PMA's decision. */
  z.strictObject({ ground: z.literal('pma-instruction'), decision: reference }),
  /** A reference to what shows that the key is lost or corrupt. */
  z.strictObject({ ground: z.literal('lost-or-corrupt'), evidence: reference }),
])

export type Ground = z.output<typeof groundSchema>

/** What a ground rests on, as it stands in the journal. */
export function referenceOf(ground: Ground): string {
  switch (ground.ground) {
    case 'commissioned':
      return ground.at
    case 'pma-instruction':
      return ground.decision
    case 'lost-or-corrupt':
      return ground.evidence
  }
}

/** Policy b(iii): within seven days of commissioning, subject to the Device being reachable. */
export const rotationDays = 7

/** @returns the instant by which the rotation after commissioning is due */
export function dueBy(commissioned: Date): Date {
  return new Date(commissioned.getTime() + rotationDays * 86_400_000)
}

/** Policy b(iii): reviews of the risk of all symmetric key use at most five years apart; a warning six months before. */
export const review = { years: 5, warnMonths: 6 } as const

/** When the next review is due, and from when on it is warned about. The 29th of February becomes the 28th. */
export function nextReview(last: Date): { warn: Date; due: Date } {
  const due = addMonths(last, 12 * review.years)
  return { warn: addMonths(due, -review.warnMonths), due }
}

function addMonths(from: Date, months: number): Date {
  const day = from.getUTCDate()
  const moved = new Date(from)
  moved.setUTCDate(1)
  moved.setUTCMonth(moved.getUTCMonth() + months)
  const days = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate()
  moved.setUTCDate(Math.min(day, days))
  return moved
}

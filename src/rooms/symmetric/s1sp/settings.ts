/** What an operator can set of an S1SP, besides what it shares with its DCO. */

import { z } from 'zod'

export const s1spSettings = z.strictObject({
  /** Rotations that are worked on at a time; one Device has one at a time. What they ask together is kept together. */
  atOnce: z.int().min(1).max(1000).default(128),
  /** How long a Device is waited for, to be reached and to answer. */
  connectSeconds: z.number().positive().default(10),
  replySeconds: z.number().positive().default(20),
  /** After a try that did not close a rotation, the next is made no sooner. */
  againMinutes: z.number().min(0).default(15),
  /** Times that a Device may refuse one key, proven, before that is recorded as what it cannot. */
  refusals: z.int().min(1).default(3),
  /** Messages to the DCO are sent again so often when no answer came. */
  resends: z.int().min(0).default(3),
  /** A campaign: rotations a minute, and at how many failures in a hundred it pauses by itself, after so many Devices. */
  pace: z.int().min(1).default(600),
  failureThreshold: z.int().min(1).max(100).default(20),
  failuresCountedFrom: z.int().min(1).default(20),
  /** Hours that are left when a rotation is warned about. */
  dueWarningHours: z.number().positive().default(48),
})

export type S1spSettings = z.output<typeof s1spSettings>

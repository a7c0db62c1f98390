/** The group `recovery` of the settings: what the Code's texts at hand leave open about recovery. */

import { z } from 'zod'
import { type Office, offices } from '../registration/offices.ts'
import { keyKinds, procedureNames, recoveryCures } from './cases.ts'
import { actions, actors, defaultSteps, phases, recoveryByItselfSteps, type StepRow } from './steps.ts'

/** As in `policy/settings.ts`, which owns it and hands it in. */
type Assumed = <T extends z.ZodType>(
  id: string,
  confidence: 'H' | 'M' | 'L',
  type: T,
  byDefault: z.input<T>,
  says: string,
) => z.ZodDefault<T>

const office = z.enum(Object.keys(offices) as [Office, ...Office[]])
const step = z.strictObject({ phase: z.enum(phases), actor: z.enum(actors), action: z.enum(actions) })
const steps = z
  .array(step)
  .min(1)
  .refine(
    rows => new Set(rows.map(({ action }) => action)).size === rows.length,
    'a step stands once in its procedure',
  )

export const recoverySettings = (assumed: Assumed) =>
  z.strictObject({
    relevantKeys: assumed(
      'REC-A01',
      'M',
      z.array(z.enum(keyKinds)).min(1),
      [...keyKinds],
      'Relevant Private Keys: those whose Compromise is notified',
    ),
    curesRecovery: assumed(
      'REC-A02',
      'M',
      z.enum(recoveryCures),
      'contingency',
      'the key that replaces a Compromised Recovery Private Key; an event keeps to what is set when its procedure is chosen',
    ),
    custodians: assumed(
      'REC-A04',
      'L',
      z
        .strictObject({ needed: z.int().min(2).max(255), of: z.int().min(2).max(255) })
        .refine(({ needed, of }) => needed <= of, 'as many as there are, at most'),
      { needed: 3, of: 5 },
      'quorum of Key Custodians for the Recovery and Contingency Private Keys and the Symmetric Key',
    ),
    symmetricKeyApart: assumed(
      'REC-A05',
      'M',
      z.boolean(),
      true,
      'nobody holds shares of the Contingency Private Key and of the Symmetric Key',
    ),
    drillMonths: assumed('REC-A06', 'L', z.int().min(1).max(60), 12, 'months between tests of the procedure'),
    fileVersion: assumed(
      'REC-A07',
      'L',
      z.string().min(1).max(8),
      '1.0',
      'version in the header of recovery files',
    ),
    notifiersOfOrganisationKeys: assumed(
      'recovery.md 2',
      'M',
      z.array(office).min(1),
      ['SRO', 'ARO', 'RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
      'who may notify the Compromise of an Organisation key; officers of a Party of its own alone',
    ),
    notifiersOfDccKeys: assumed(
      'recovery.md 2',
      'M',
      z.array(office).min(1),
      ['RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
      'who may notify the Compromise of any other Relevant Private Key',
    ),
    confirmationMeans: assumed(
      'recovery.md 2',
      'M',
      z.array(z.string().min(1).max(64)).min(1),
      ['call back', 'signed file', 'in person'],
      'means by which a notification may be confirmed',
    ),
    steps: assumed(
      'recovery.md 2',
      'M',
      z.partialRecord(z.enum(procedureNames), steps),
      {},
      'procedures whose steps, or their order, differ from the table of steps',
    ),
    pace: z.int().min(1).max(1_000_000).default(600).meta({ says: 'commands a minute; an event may set its own' }),
    patienceMinutes: z
      .int()
      .min(1)
      .max(10_080)
      .default(30)
      .meta({ says: 'minutes without an answer after which a Device is asked, by CS02a, what a command did' }),
    attempts: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .meta({ says: 'commands to one Device in one wave before it is listed' }),
    questions: z
      .int()
      .min(1)
      .max(100)
      .default(4)
      .meta({ says: 'questions in a row that a Device leaves unanswered before it is listed' }),
    group: z
      .int()
      .min(1)
      .max(2000)
      .default(200)
      .meta({ says: 'commands that are written down, signed and kept together' }),
  })

export type RecoveryRules = z.output<ReturnType<typeof recoverySettings>>

/** The steps of a procedure as they are set. */
export function stepsOf(
  rules: Pick<RecoveryRules, 'steps' | 'curesRecovery'>,
  procedure: keyof typeof defaultSteps,
): readonly StepRow[] {
  const isByItself = procedure === 'recovery' && rules.curesRecovery === 'recovery'
  return rules.steps[procedure] ?? (isByItself ? recoveryByItselfSteps : defaultSteps[procedure])
}

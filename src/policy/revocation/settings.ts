/** The group `revocation` of the settings: what the Code's texts at hand leave open about revocation and suspension. */

import { z } from 'zod'
import { type Office, offices } from '../registration/offices.ts'
import { type DefaultStep, defaultFlow } from './default.ts'
import { defaultReasons, type Ground, groundNames, grounds, type Reason, reasonCodes, reasons } from './grounds.ts'
import { defaultRequesters, objectNames, type RevocableObject } from './objects.ts'
import { defaultGoesOn, interfaceNames, suspensionScopes } from './suspension.ts'

/** As in `policy/settings.ts`, which owns it and hands it in. */
type Assumed = <T extends z.ZodType>(
  id: string,
  confidence: 'H' | 'M' | 'L',
  type: T,
  byDefault: z.input<T>,
  says: string,
) => z.ZodDefault<T>

const office = z.enum(Object.keys(offices) as [Office, ...Office[]])
const some = z.array(office).min(1)

/** Who asks for DCCKI Certificates has an ID of its own in the register. */
const smkiObjects = objectNames.filter(name => name !== 'DCCKI')
type SmkiObject = Exclude<RevocableObject, 'DCCKI'>

const requesters = z
  .strictObject(Object.fromEntries(smkiObjects.map(name => [name, some])) as Record<SmkiObject, typeof some>)
  .refine(rows => rows['RA staff'].includes('PMA_MEMBER'), {
    message: 'any SMKI PMA Member may request the revocation of RA credentials (RAPP 8.3.3)',
  })

const reason = z.enum(reasons)
const reasonOf = z
  .strictObject(Object.fromEntries(groundNames.map(name => [name, reason])) as Record<Ground, typeof reason>)
  .refine(rows => reasonCodes[rows.rejected] === reasonCodes.superseded, {
    message: 'rejected after download is superseded (SEC Appendix M)',
  })
  .refine(rows => groundNames.every(name => fits(name, rows[name])), {
    message: 'cACompromise stands on ARLs alone, and keyCompromise on none of them',
  })

function fits(ground: Ground, of: Reason): boolean {
  const ofCas = (grounds[ground].of as readonly string[]).includes('CA')
  if (of === 'cACompromise') return ground === 'CA compromise'
  return !(of === 'keyCompromise' && ofCas)
}

const flow = z.array(
  z.strictObject({
    step: z.string().min(1).max(64),
    by: some,
    notice: z.string().min(1).max(64).optional(),
    decision: z.boolean().optional(),
  }),
)

export const revocationSettings = (assumed: Assumed) =>
  z.strictObject({
    requesters: assumed(
      'REG-A09',
      'M',
      requesters,
      Object.fromEntries(smkiObjects.map(name => [name, defaultRequesters[name]])) as Record<SmkiObject, Office[]>,
      'who may request a revocation',
    ),
    dcckiRequesters: assumed(
      'DCK-A07',
      'M',
      some,
      defaultRequesters.DCCKI,
      'who may request the revocation of a DCCKI Certificate',
    ),
    authenticationEvidence: assumed(
      'registration-revocation.md 6.3',
      'M',
      z.array(z.string().min(1)),
      ['requester authenticated'],
      'evidence that whoever verifies a request has authenticated the requester',
    ),
    reasons: assumed('REG-A10', 'M', reasonOf, { ...defaultReasons }, 'reason code for each ground'),
    dutyOnSuspension: assumed(
      'registration-revocation.md 6.2',
      'M',
      z.boolean(),
      false,
      'certificates of a Subscriber that is only suspended are due for revocation too',
    ),
    suspensionScopes: assumed(
      'REG-A11',
      'M',
      z.array(z.enum(suspensionScopes)),
      [...suspensionScopes],
      'what an emergency suspension may be of',
    ),
    goesOn: assumed(
      'REG-A11',
      'M',
      z.array(z.enum(interfaceNames)),
      defaultGoesOn,
      'interfaces that go on under a suspension that does not name them',
    ),
    suspensionSparesDccki: assumed(
      'DCK-A08',
      'L',
      z.boolean(),
      true,
      'a suspension leaves out the DCCKI unless it names it',
    ),
    defaultFlow: assumed(
      'REG-A12',
      'M',
      flow.min(1),
      defaultFlow as (DefaultStep & { by: Office[] })[],
      'steps of an Event of Default, the first its finding and the last its outcome',
    ),
  })

/** The steps of each procedure, as data: their order is an open question of the Code (SEC Appendix L section 5). */

import type { Office } from '../registration/offices.ts'
import type { ProcedureName } from './cases.ts'

export const phases = ['Pre-Recovery', 'Execution of Recovery Procedure', 'Post-Recovery'] as const
export type Phase = (typeof phases)[number]

export const actors = ['Subscriber', 'DCC', 'SMKI PMA', 'Key Custodians', 'Panel'] as const
export type StepActor = (typeof actors)[number]

/**
 * Who records that a step of that actor was done. An RA Manager may record every one of them: what others have done on
 * paper, or in a room that has no terminal, is put on record by him (DESIGN).
 */
export const recordersOf: Readonly<Record<StepActor, readonly Office[]>> = {
  Subscriber: ['SRO', 'ARO', 'RA_MANAGER'],
  DCC: ['RA_PERSONNEL', 'RA_MANAGER'],
  'SMKI PMA': ['PMA_MEMBER', 'RA_MANAGER'],
  'Key Custodians': ['RA_MANAGER'],
  Panel: ['PMA_MEMBER', 'RA_MANAGER'],
}

/** What a step does. Each of these words has one meaning wherever it stands in the order. */
export const actions = [
  'authenticate notifier',
  'choose procedure',
  'freeze devices',
  'make contingency pair',
  'make root',
  'make issuing oca',
  'issue certificates',
  'decide',
  'convene custodians',
  'send commands',
  'hand over',
  'stand down custodians',
  'revoke',
  'publish lists',
  'destroy keys',
  'report',
] as const
export type StepAction = (typeof actions)[number]

export interface StepRow {
  readonly phase: Phase
  readonly actor: StepActor
  readonly action: StepAction
}

const row = (phase: Phase, actor: StepActor, action: StepAction): StepRow => ({ phase, actor, action })
const pre = (...more: StepRow[]): StepRow[] => [
  row('Pre-Recovery', 'DCC', 'authenticate notifier'),
  row('Pre-Recovery', 'DCC', 'choose procedure'),
  row('Pre-Recovery', 'DCC', 'freeze devices'),
  ...more,
]
const before = (actor: StepActor, action: StepAction) => row('Pre-Recovery', actor, action)
const during = (actor: StepActor, action: StepAction) => row('Execution of Recovery Procedure', actor, action)
const after = (actor: StepActor, action: StepAction) => row('Post-Recovery', actor, action)

const send = during('DCC', 'send commands')
const wake = during('Key Custodians', 'convene custodians')
const sleep = during('Key Custodians', 'stand down custodians')
const newRoot = [
  before('DCC', 'make contingency pair'),
  before('DCC', 'make root'),
  before('DCC', 'make issuing oca'),
]
const closing = [after('DCC', 'revoke'), after('DCC', 'publish lists'), after('DCC', 'report')]
const closingWithKeys = [
  after('DCC', 'revoke'),
  after('DCC', 'publish lists'),
  after('Key Custodians', 'destroy keys'),
  after('DCC', 'report'),
]

/** The notification comes before every step: it opens the event. [order ASSUMED(M), recovery.md section 2] */
export const defaultSteps: Readonly<Record<ProcedureName, readonly StepRow[]>> = {
  method1: [...pre(), during('Subscriber', 'issue certificates'), send, ...closing],
  method2: [
    ...pre(before('SMKI PMA', 'decide')),
    wake,
    send,
    sleep,
    during('Subscriber', 'issue certificates'),
    during('DCC', 'hand over'),
    ...closing,
  ],
  method3: [
    ...pre(before('SMKI PMA', 'decide')),
    during('Subscriber', 'issue certificates'),
    wake,
    send,
    sleep,
    ...closing,
  ],
  root: [
    ...pre(before('SMKI PMA', 'decide'), ...newRoot),
    during('DCC', 'issue certificates'),
    wake,
    send,
    sleep,
    ...closingWithKeys,
  ],
  contingency: [...pre(...newRoot), send, ...closingWithKeys],
  recovery: [
    ...pre(before('SMKI PMA', 'decide'), ...newRoot),
    during('DCC', 'issue certificates'),
    wake,
    send,
    sleep,
    ...closingWithKeys,
  ],
  'issuing-oca': [
    ...pre(before('SMKI PMA', 'decide'), before('DCC', 'make issuing oca')),
    during('Subscriber', 'issue certificates'),
    wake,
    send,
    sleep,
    ...closing,
  ],
}

/** Of `recovery` where the Recovery Private Key signs for its own replacement (REC-A02). */
export const recoveryByItselfSteps: readonly StepRow[] = [
  ...pre(before('SMKI PMA', 'decide')),
  during('DCC', 'issue certificates'),
  wake,
  send,
  sleep,
  ...closing,
]

/** The stages of a key (smets1-keys.md section 4), and the steps between them that there are. */

export const stages = ['made', 'offered', 'active', 'superseded', 'abandoned'] as const

/**
 * `made`: its record exists, the Device has not heard of it. `offered`: it was sent, or may have been. `active`: proven
 * by the Device. `abandoned`: proven that the Device did not take it. There is no revoked, destroyed or archived key.
 */
export type Stage = (typeof stages)[number]

const steps: Readonly<Record<Stage, readonly Stage[]>> = {
  made: ['offered', 'abandoned'],
  offered: ['active', 'abandoned'],
  active: ['superseded'],
  superseded: [],
  abandoned: [],
}

export const mayBecome = (from: Stage, to: Stage): boolean => steps[from].includes(to)

/** A key whose fate is not known yet: at most one of a Device, client and type. */
export const isUnresolved = (stage: Stage): boolean => stage === 'made' || stage === 'offered'

/** The cases of recovery.md section 2: what is Compromised, whose key cures it, and which commands that takes. */

import type { CellKeyUsage } from '../../ground/gbcs/cell.ts'

/** What may be Compromised (REC-A01: the Relevant Private Keys). */
export const keyKinds = ['organisation', 'root', 'contingency', 'symmetric', 'recovery', 'issuing'] as const
export type KeyKind = (typeof keyKinds)[number]

export const procedureNames = [
  'method1',
  'method2',
  'method3',
  'root',
  'contingency',
  'recovery',
  'issuing-oca',
] as const
export type ProcedureName = (typeof procedureNames)[number]

/** Whose key signs the commands of a wave. */
export type WaveSigner = 'holder' | 'broker' | 'recovery' | 'contingency'

/** One command for each Relevant Device; a procedure has one or two of them, one after the other. */
export interface Wave {
  readonly name: string
  readonly signer: WaveSigner
  /** By kind of Device where it is not the same for all; a kind that is left out takes `other`. */
  readonly mode: { readonly other: number; readonly CHF?: number }
}

export interface RecoveryProcedure {
  readonly says: string
  /** Keys whose Compromise it cures. */
  readonly of: readonly KeyKind[]
  /** The private key of the DCC that it needs, and with it a decision of the SMKI PMA. */
  readonly dccKey: 'recovery' | 'contingency' | undefined
  readonly waves: readonly [Wave, ...Wave[]]
}

/** The procedures (recovery.md section 2; modes: section 7). */
export const procedures: Readonly<Record<ProcedureName, RecoveryProcedure>> = {
  method1: {
    says: 'the Subscriber, still in control of its key, places its new Organisation Certificates itself',
    of: ['organisation'],
    dccKey: undefined,
    waves: [{ name: 'replace', signer: 'holder', mode: { other: 2 } }],
  },
  method2: {
    says: 'the Recovery Private Key places certificates of the Access Control Broker, which hands over later',
    of: ['organisation'],
    dccKey: 'recovery',
    waves: [
      { name: 'place', signer: 'recovery', mode: { other: 8 } },
      { name: 'hand over', signer: 'broker', mode: { other: 2 } },
    ],
  },
  method3: {
    says: "the Recovery Private Key places the Subscriber's new Organisation Certificates",
    of: ['organisation'],
    dccKey: 'recovery',
    waves: [{ name: 'replace', signer: 'recovery', mode: { other: 8 } }],
  },
  root: {
    says: 'the Contingency Private Key places a new Root OCA Certificate and new certificates in every cell',
    of: ['root'],
    dccKey: 'contingency',
    waves: [{ name: 'replace', signer: 'contingency', mode: { other: 9 } }],
  },
  contingency: {
    says: 'a new contingency pair in a new Root OCA Certificate, linked to the old, placed by normal root change',
    of: ['contingency', 'symmetric'],
    dccKey: undefined,
    waves: [{ name: 'replace', signer: 'holder', mode: { other: 0, CHF: 1 } }],
  },
  recovery: {
    says: 'the Contingency Private Key places a new recovery certificate, and a new root for the key it reveals',
    of: ['recovery'],
    dccKey: 'contingency',
    waves: [{ name: 'replace', signer: 'contingency', mode: { other: 9 } }],
  },
  'issuing-oca': {
    says: 'a new Issuing OCA issues all Organisation Certificates anew, and the Recovery Private Key places them',
    of: ['issuing'],
    dccKey: 'recovery',
    waves: [{ name: 'replace', signer: 'recovery', mode: { other: 8 } }],
  },
}

/** Which key replaces a Compromised Recovery Private Key (REC-A02). */
export const recoveryCures = ['contingency', 'recovery'] as const
export type RecoveryCure = (typeof recoveryCures)[number]

/** Where REC-A02 is answered otherwise: the Recovery Private Key, still under control, signs for its own replacement. */
const recoveryByItself: RecoveryProcedure = {
  says: 'the Recovery Private Key, still under control, places the certificate of the key that takes its place',
  of: ['recovery'],
  dccKey: 'recovery',
  waves: [{ name: 'replace', signer: 'recovery', mode: { other: 8 } }],
}

/** The procedure of that name, by the key that cures a Compromised Recovery Private Key. */
export function procedureOf(name: ProcedureName, curesRecovery: RecoveryCure): RecoveryProcedure {
  return name === 'recovery' && curesRecovery === 'recovery' ? recoveryByItself : procedures[name]
}

export const modeFor = ({ mode }: Wave, kind: string): number =>
  kind === 'CHF' && mode.CHF !== undefined ? mode.CHF : mode.other

/** What the SMKI PMA decides when it lets a key be used. */
export const decidedActOf = { recovery: 'use recovery key', contingency: 'use contingency key' } as const

/** A cell in a list of cells, as the documents write it: `{2,KA,topUp}`. */
export const cellText = /^\{\d{1,3},(DS|KA|keyCertSign)(,topUp)?\}$/

export const usageOfText: Readonly<Record<string, CellKeyUsage>> = {
  DS: 'digitalSignature',
  KA: 'keyAgreement',
  keyCertSign: 'keyCertSign',
}

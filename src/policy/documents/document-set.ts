/** The documents of the Code that concern keys, as data: what there must be, who looks after it, who approves it, who may read it. */

import { z } from 'zod'

/** Bodies that look after documents or approve them (governance-performance.md 1). */
export const bodies = [
  'DCC',
  'SMKI PMA',
  'SSC',
  'SEC Panel',
  'Change Board',
  'Secretary of State',
  'DCCKI PMA Functions',
] as const

export type Body = (typeof bodies)[number]

export const documentKinds = [
  'section',
  'CP',
  'CPS',
  'CKMP',
  'policy',
  'procedures',
  'interface',
  'code of connection',
  'test',
  'requirements',
  'architecture',
  'guidance',
  // Generated here: conclusions of a consultation, a Modification Report.
  'report',
] as const

export type DocumentKind = (typeof documentKinds)[number]

/** L9.3 defines the SMKI Document Set, of which the SMKI SEC Documents are those that stand in the Code; L13.31 the DCCKI's. */
export const documentSets = [
  'SMKI SEC Documents',
  'SMKI Document Set',
  'DCCKI Document Set',
  'S1SPKI',
  'SMETS1',
  'other',
] as const

export type DocumentSet = (typeof documentSets)[number]

export interface DocumentDefinition {
  /** `Section L`, `Appendix D`, or the title of what has no place in the Code. */
  readonly ref: string
  readonly title: string
  readonly kind: DocumentKind
  readonly sets: readonly DocumentSet[]
  /** Who drafts it and keeps it right. */
  readonly owner: Body
  /** Who says that a version may be in force. */
  readonly approver: Body
  /** Read by the DCC and the bodies that oversee it, never by the public (Section L9: the CPSs). */
  readonly confidential: boolean
  /** Months from one review to the next, where the Code or the SMKI PMA says how many. */
  readonly reviewMonths?: number | undefined
}

type Row = readonly [ref: string, title: string, kind: DocumentKind, owner?: Body, approver?: Body]

const rows = (sets: readonly DocumentSet[], list: readonly Row[]): DocumentDefinition[] =>
  list.map(([ref, title, kind, owner = 'DCC', approver = 'Change Board']) => ({
    ref,
    title,
    kind,
    sets,
    owner,
    approver,
    confidential: kind === 'CPS',
  }))

/**
 * Titles, kinds and sets by SEED-000 to SEED-004; which documents a set has exactly is ASSUMED(M), register GOV-A04, and
 * so are owner and approver but those of the CPSs (L9), the SMETS1 documents (L14) and the Security Architecture
 * Document. Differences are set in `governance.documents`.
 */
export const documents: readonly DocumentDefinition[] = [
  ...rows(
    ['SMKI SEC Documents', 'SMKI Document Set'],
    [
      ['Section L', 'Smart Metering Key Infrastructure and DCC Key Infrastructure', 'section', 'SEC Panel'],
      ['Appendix A', 'Device Certificate Policy', 'CP'],
      ['Appendix B', 'Organisation Certificate Policy', 'CP'],
      ['Appendix C', 'SMKI Compliance Policy', 'policy'],
      ['Appendix D', 'SMKI Registration Authority Policies and Procedures', 'procedures'],
      ['Appendix K', 'SMKI and Repository Test Scenarios Document', 'test'],
      ['Appendix L', 'SMKI Recovery Procedure', 'procedures'],
      ['Appendix M', 'SMKI Interface Design Specification', 'interface'],
      ['Appendix N', 'SMKI Code of Connection', 'code of connection'],
      ['Appendix O', 'SMKI Repository Interface Design Specification', 'interface'],
      ['Appendix P', 'SMKI Repository Code of Connection', 'code of connection'],
      ['Appendix Q', 'IKI Certificate Policy', 'CP'],
    ],
  ),
  ...rows(
    ['SMKI Document Set'],
    [
      ['Device CPS', 'Device Certification Practice Statement', 'CPS', 'DCC', 'SMKI PMA'],
      ['Organisation CPS', 'Organisation Certification Practice Statement', 'CPS', 'DCC', 'SMKI PMA'],
      ['IKI CPS', 'IKI Certification Practice Statement', 'CPS', 'DCC', 'SMKI PMA'],
      ['Recovery Key Guidance', 'SMKI Recovery Key Guidance', 'guidance', 'SMKI PMA', 'SMKI PMA'],
    ],
  ),
  ...rows(
    ['DCCKI Document Set'],
    [
      ['Appendix S', 'DCCKI Certificate Policy', 'CP'],
      ['Appendix T', 'DCCKI Interface Design Specification', 'interface'],
      ['Appendix U', 'DCCKI Repository Interface Design Specification', 'interface'],
      ['Appendix V', 'DCCKI Code of Connection and DCCKI Repository Code of Connection', 'code of connection'],
      ['Appendix W', 'DCCKI Registration Authority Policies and Procedures', 'procedures'],
      ['DCCKI CPS', 'DCCKI Certification Practice Statement', 'CPS', 'DCC', 'DCCKI PMA Functions'],
    ],
  ),
  ...rows(
    ['S1SPKI'],
    [
      ['S1SPKI CP FOC', 'S1SPKI Certificate Policy for FOC', 'CP', 'DCC', 'Secretary of State'],
      ['S1SPKI CP MOC', 'S1SPKI Certificate Policy for MOC', 'CP', 'DCC', 'Secretary of State'],
      ['S1SPKI CPS FOC', 'S1SPKI Certification Practice Statement for FOC', 'CPS', 'DCC', 'SMKI PMA'],
      ['S1SPKI CPS MOC', 'S1SPKI Certification Practice Statement for MOC', 'CPS', 'DCC', 'SMKI PMA'],
      ['S1SPKM Compliance Policy', 'S1SPKM Compliance Policy', 'policy', 'DCC', 'Secretary of State'],
    ],
  ),
  ...rows(
    ['SMETS1'],
    [
      [
        'CKMP DLMS',
        'SMETS1 Cryptographic Key Management Policy for DLMS Devices',
        'CKMP',
        'DCC',
        'Secretary of State',
      ],
      ['Appendix AM', 'SMETS1 Supporting Requirements', 'requirements', 'DCC', 'Secretary of State'],
      ['SMETS1 SAD', 'SMETS1 Security Architecture Document', 'architecture', 'SSC', 'SSC'],
    ],
  ),
  ...rows(
    ['other'],
    [
      ['Section A', 'Definitions and Interpretation', 'section', 'SEC Panel'],
      ['Appendix J', 'Enduring Test Approach Document', 'test'],
      ['Appendix X', 'Registration Data Interface Specification', 'interface'],
    ],
  ),
  // How a cohort is secured is the SSC's to show; that it is kept from the public is our assumption.
].map(one => (one.ref === 'SMETS1 SAD' ? { ...one, confidential: true } : one))

/** What an environment may say otherwise of a document of the table. */
export const documentChange = z.strictObject({
  sets: z.array(z.enum(documentSets)).min(1).optional(),
  owner: z.enum(bodies).optional(),
  approver: z.enum(bodies).optional(),
  confidential: z.literal(true).optional(),
  reviewMonths: z.int().min(1).optional(),
})

export type DocumentChange = z.output<typeof documentChange>

/** The table as an environment has it. @throws RangeError for a change of a document that is none of the table. */
export function documentsWith(changes: Readonly<Record<string, DocumentChange>>): DocumentDefinition[] {
  const stranger = Object.keys(changes).find(ref => !documents.some(one => one.ref === ref))
  if (stranger !== undefined) throw new RangeError(`there is no document ${stranger}`)
  return documents.map(one => {
    const { sets = one.sets, owner = one.owner, approver = one.approver, ...rest } = changes[one.ref] ?? {}
    return { ...one, ...rest, sets, owner, approver, confidential: one.confidential || rest.confidential === true }
  })
}

/** Who asks to read. A Party reads what the public reads. */
export type Reader = Body | 'public'

/** Confidential documents are for the DCC, the SMKI PMA, and who looks after or approves that one (SEED-004). */
export function mayRead(
  reader: Reader,
  { confidential, owner, approver }: Pick<DocumentDefinition, 'confidential' | 'owner' | 'approver'>,
): boolean {
  return !confidential || reader === 'DCC' || reader === 'SMKI PMA' || reader === owner || reader === approver
}

/** The act under which the SMKI PMA approves a version, as its decision names it: S1SPKI documents have one of their own. */
export function approvalAct({ sets }: Pick<DocumentDefinition, 'sets'>): 'approve document' | 's1spki approval' {
  return sets.includes('S1SPKI') ? 's1spki approval' : 'approve document'
}

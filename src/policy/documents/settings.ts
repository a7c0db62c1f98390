/** The group `governance` of the settings: what the Code's texts at hand leave open about documents and their standards. */

import { z } from 'zod'
import { documentChange, documents } from './document-set.ts'
import { defaultCutOff } from './modification/release.ts'
import { standardChange } from './review/standards-register.ts'

/** As in `policy/settings.ts`, which owns it and hands it in. */
type Assumed = <T extends z.ZodType>(
  id: string,
  confidence: 'H' | 'M' | 'L',
  type: T,
  byDefault: z.input<T>,
  says: string,
) => z.ZodDefault<T>

const references = new Set(documents.map(({ ref }) => ref))

const says = (text: string) => ({ says: text })

export const governanceSettings = (assumed: Assumed) =>
  z.strictObject({
    documents: assumed(
      'GOV-A04',
      'M',
      z.record(
        z.string().refine(ref => references.has(ref), 'a document of the table'),
        documentChange,
      ),
      {},
      'documents whose sets, owner, approver or period of review differ from the table of documents',
    ),
    releaseCutOffWorkingDays: assumed(
      'GOV-A05',
      'M',
      z.int().min(0).max(250),
      defaultCutOff,
      'Working Days before a SEC Release by which a modification must be decided',
    ),
    standards: assumed(
      'GOV-A06',
      'H',
      z.record(z.string().min(1), standardChange),
      {},
      'standards whose status differs from the register that documents are reviewed by',
    ),
    documentMiB: z
      .number()
      .positive()
      .max(256)
      .default(16)
      .meta(says('longest file of a version of a document, in MiB; it is held in memory while it comes and goes')),
  })

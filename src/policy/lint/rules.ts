/** Every rule of the linter, in the order in which they are shown. */

import { derRules } from './der-rules.ts'
import { extensionRules } from './extension-rules.ts'
import { fileRules } from './file-rules.ts'
import { keyRules } from './key-rules.ts'
import { listRules } from './list-rules.ts'
import { nameRules } from './name-rules.ts'
import type { Rule } from './rule.ts'
import { signatureRules } from './signature-rules.ts'
import { validityRules } from './validity-rules.ts'

export const rules: readonly Rule[] = [
  ...fileRules,
  ...derRules,
  ...nameRules,
  ...validityRules,
  ...keyRules,
  ...extensionRules,
  ...signatureRules,
  ...listRules,
]

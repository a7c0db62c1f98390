/** Every rule of the reviewer, in the order in which the table is printed. */

import type { ReviewRule } from './rule.ts'
import { abbreviationRules } from './rules/abbreviations.ts'
import { actorRules, formRules } from './rules/actors.ts'
import { chronologyRules } from './rules/chronology.ts'
import { contentsRules } from './rules/contents.ts'
import { markerRules } from './rules/markers.ts'
import { outlineRules } from './rules/outline.ts'
import { referenceRules } from './rules/references.ts'
import { spellingRules } from './rules/spelling.ts'
import { standardRules } from './rules/standards.ts'
import { structureRules } from './rules/structure.ts'
import { namingRules, termRules } from './rules/terms.ts'
import { versionRules } from './rules/versions.ts'

export const reviewRules: readonly ReviewRule[] = [
  ...standardRules,
  ...referenceRules,
  ...termRules,
  ...abbreviationRules,
  ...namingRules,
  ...spellingRules,
  ...contentsRules,
  ...outlineRules,
  ...versionRules,
  ...actorRules,
  ...formRules,
  ...structureRules,
  ...chronologyRules,
  ...markerRules,
]

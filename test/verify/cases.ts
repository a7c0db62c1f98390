/** The corpus: every rule of path validation with certificates that keep it and certificates that break it. */

import { authorityCases } from './cases/authorities.ts'
import { listCases } from './cases/lists.ts'
import { nameCases } from './cases/names.ts'
import { pathCases } from './cases/paths.ts'
import { policyCases } from './cases/policies.ts'
import { signatureCases } from './cases/signatures.ts'
import type { Case } from './scene.ts'

export const corpus: Readonly<Record<string, readonly Case[]>> = {
  'signatures and keys': signatureCases,
  'authorities and extensions': authorityCases,
  'names, identifiers and dates': nameCases,
  policies: policyCases,
  'building paths': pathCases,
  'revocation lists': listCases,
}

export const allCases: readonly Case[] = Object.values(corpus).flat()

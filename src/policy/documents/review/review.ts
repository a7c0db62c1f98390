/** Reviews a document by every rule: findings with their lines, as a person would write them into the margin. */

import type { Severity } from '../../lint/rule.ts'
import { definitionsOf } from './definitions.ts'
import { readDocument } from './read.ts'
import { reviewRules } from './rules.ts'
import { type Source, sourceOf } from './source.ts'
import { type Standard, standards } from './standards-register.ts'

export interface ReviewFinding {
  readonly rule: string
  readonly severity: Severity
  /** Line of a text, paragraph of a DOCX, from 1. */
  readonly line: number
  readonly found: string
  readonly says: string
  readonly where: string
}

export interface Reviewed {
  readonly file: string
  readonly unit: Source['unit']
  readonly lines: number
  readonly headings: number
  readonly definitions: number
  readonly findings: readonly ReviewFinding[]
}

export interface ReviewOptions {
  /** Documents whose headings and definitions count too. */
  readonly beside?: readonly Source[] | undefined
  /** The register of standards, where an environment has its own. */
  readonly standards?: readonly Standard[] | undefined
}

/**
 * @param file its name tells the format: `.md`, `.docx`, anything else is plain text
 * @throws NotReadable
 */
export async function openSource(file: string, octets: Buffer): Promise<Source> {
  return sourceOf(file, await readDocument(file, octets))
}

/** Findings in the order of their lines. */
export function review(
  source: Source,
  { beside = [], standards: register = standards }: ReviewOptions = {},
): Reviewed {
  const definitions = definitionsOf(source)
  const context = {
    definitions,
    beside: beside.map(one => ({ source: one, definitions: definitionsOf(one) })),
    standards: register,
  }
  const findings = reviewRules.flatMap(({ id, severity, says, where, faults }) =>
    [...faults(source, context)].map(fault => ({
      rule: id,
      severity: fault.severity ?? severity,
      line: fault.line,
      found: fault.found,
      says,
      where,
    })),
  )
  return {
    file: source.file,
    unit: source.unit,
    lines: source.lines.at(-1)?.number ?? 0,
    headings: source.headings.length,
    definitions: definitions.length,
    findings: findings.toSorted((a, b) => a.line - b.line),
  }
}

/** A rule of the linter is a row: what it demands, where that is written, and a predicate. */

import { type Kind, kinds } from './kind.ts'
import type { Field } from './profile.ts'
import { profiles } from './profiles.ts'
import type { View } from './view.ts'

/** A notice is worth knowing and no fault. */
export type Severity = 'error' | 'warning' | 'notice'

export interface Finding {
  /** Never renamed or reused. */
  readonly rule: string
  readonly severity: Severity
  /** What the rule demands. */
  readonly says: string
  /** What stands there instead, short, on one line. */
  readonly found: string
  readonly clause: string
}

export interface Rule {
  readonly id: string
  readonly says: string
  readonly clause: string
  readonly severity: Severity
  /** The kinds that the rule measures. */
  readonly kinds: readonly Kind[]
  /** The part of a profile that it speaks of: where that part is ASSUMED, an error is a warning. */
  readonly field: Field | undefined
  /** True where it holds, undefined where there is nothing to measure, else what was found. */
  readonly judge: (view: View) => true | undefined | { readonly found: string }
}

/** How a rule is written down: `of` picks what it looks at, or undefined; `holds` and `shows` see only that. */
export interface Row<V> {
  readonly id: string
  readonly says: string
  readonly clause: string
  /** An error, unless said. */
  readonly severity?: Severity
  /** All kinds, unless said. */
  readonly kinds?: readonly Kind[]
  readonly field?: Field
  readonly of: (view: View) => V | undefined
  readonly holds: (value: V, view: View) => boolean
  readonly shows: (value: V, view: View) => string
}

export function rule<V>(row: Row<V>): Rule {
  const { id, says, clause, severity = 'error', field, of, holds, shows } = row
  return {
    id,
    says,
    clause,
    severity,
    kinds: row.kinds ?? kinds,
    field,
    judge(view) {
      const value = of(view)
      if (value === undefined) return undefined
      return holds(value, view) || { found: oneLine(shows(value, view)) }
    },
  }
}

/** An error over a field that is ASSUMED for that kind is a warning (the register's row is named by `clauseFor`). */
export function severityFor({ severity, field }: Rule, kind: Kind): Severity {
  return severity === 'error' && field && profiles[kind].assumed?.[field] ? 'warning' : severity
}

export function clauseFor({ clause, field }: Rule, kind: Kind): string {
  const register = field && profiles[kind].assumed?.[field]
  return register && !clause.includes(register) ? `${clause}, ${register}` : clause
}

/** Text of a certificate must not forge a line of a report, or fill it. */
export function oneLine(text: string, longest = 160): string {
  const safe = text.replace(/[\p{C}\u2028\u2029]/gu, c => `\\u{${c.codePointAt(0)!.toString(16)}}`)
  return safe.length > longest ? `${safe.slice(0, longest - 3)}...` : safe
}

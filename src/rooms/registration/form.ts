/** The Organisation Information Form: what an applicant declares, checked before anybody looks at it (RAPP 5.1, A1). */

import type { JsonValue } from '../../ground/journal/entry.ts'
import type { Settings } from '../../policy/settings.ts'
import { checkRanges, type Range, readEui64, type Shared, writeEui64 } from './ranges.ts'
import { no } from './refusals.ts'
import { isPlainText } from './text.ts'

export type RegistrationRules = Settings['registration']

export type PartyKind = 'party' | 'rdp' | 'dcc' | 's1sp'

/** As it is received. EUI-64s are 16 hexadecimal digits or 8 pairs with hyphens. */
export interface OrganisationForm {
  readonly kind: PartyKind
  readonly legalName?: string | undefined
  readonly tradingName?: string | undefined
  /** SEC Party ID, RDP ID, or how else the Code knows the organisation. */
  readonly identifier?: string | undefined
  readonly companyNumber?: string | undefined
  readonly address?: string | undefined
  /** Found independently of the applicant, to call back. */
  readonly contactNumber?: string | undefined
  readonly userRoles: readonly { readonly userRole: string; readonly first: string; readonly last: string }[]
  /** H1.5: identifiers that several User Roles use. */
  readonly shared?: readonly { readonly eui64: string; readonly userRoles: readonly string[] }[] | undefined
  /** That the form is complete and accurate: where the signed paper is, and its date (YYYY-MM-DD). */
  readonly declaration?: { readonly reference: string; readonly signedOn: string } | undefined
}

const checked = Symbol('checked') // not exported: only `checkForm` can make one

/** A form that keeps every rule that can be told from the form alone. */
export interface CheckedForm extends OrganisationForm {
  readonly [checked]: true
  readonly tradingName: string
  readonly ranges: readonly Range[]
  readonly sharedIdentifiers: readonly Shared[]
}

/** More shared identifiers than that are no exception; it also bounds the journal entry that the form is bound by. */
const mostShared = 200
const longest = 200

/** @throws Refusal FORM_INCOMPLETE, FORM_UNFIT, ROLE_UNKNOWN, ROLE_NOT_FOR_ORGANISATION, and those of `checkRanges` */
export function checkForm(form: OrganisationForm, rules: RegistrationRules): CheckedForm {
  const missing = rules.formFields.filter(field => form[field] === undefined || form[field] === '')
  // The name stands in certificates: no form goes without it.
  if (!form.tradingName && !missing.includes('tradingName')) missing.push('tradingName')
  if (missing.length > 0) throw no('FORM_INCOMPLETE', missing.join(', '), { missing })
  const { kind, legalName, tradingName, identifier, companyNumber, address, contactNumber, declaration } = form
  if (!['party', 'rdp', 'dcc', 's1sp'].includes(kind)) throw no('FORM_UNFIT', 'kind')
  const texts = { legalName, tradingName, identifier, companyNumber, address, contactNumber, ...declaration }
  for (const [name, value] of Object.entries(texts))
    if (value !== undefined && !isPlainText(value, longest)) throw no('FORM_UNFIT', name)
  if (declaration && !/^\d{4}-\d\d-\d\d$/.test(declaration.signedOn)) throw no('FORM_UNFIT', 'signedOn')
  if ((form.shared?.length ?? 0) > mostShared) throw no('FORM_UNFIT', 'shared')

  for (const { userRole } of form.userRoles) {
    const known = Object.hasOwn(rules.userRoles, userRole) ? rules.userRoles[userRole] : undefined
    if (!known) throw no('ROLE_UNKNOWN', userRole.slice(0, longest))
    if (known.onlyFor && known.onlyFor !== kind) throw no('ROLE_NOT_FOR_ORGANISATION', userRole)
  }
  const ranges = form.userRoles.map(({ userRole, first, last }) => ({
    userRole,
    first: readEui64(first),
    last: readEui64(last),
  }))
  const shared = (form.shared ?? []).map(one => ({ eui64: readEui64(one.eui64), userRoles: one.userRoles }))
  checkRanges(ranges, shared, rules.sharedRoles)
  return { ...form, [checked]: true, tradingName: form.tradingName!, ranges, sharedIdentifiers: shared }
}

/** The form as it is kept and as its digest is made of: identifiers in our own form, absent fields absent. */
export function formBody(form: CheckedForm): Readonly<Record<string, JsonValue>> {
  const { kind, legalName, tradingName, identifier, companyNumber, address, contactNumber, declaration } = form
  const texts = { kind, legalName, tradingName, identifier, companyNumber, address, contactNumber }
  const given = Object.entries(texts).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return {
    ...Object.fromEntries(given),
    ...(declaration && { declaration: { reference: declaration.reference, signedOn: declaration.signedOn } }),
    userRoles: form.ranges.map(({ userRole, first, last }) => ({
      userRole,
      first: writeEui64(first),
      last: writeEui64(last),
    })),
    shared: form.sharedIdentifiers.map(one => ({ eui64: writeEui64(one.eui64), userRoles: one.userRoles })),
  }
}

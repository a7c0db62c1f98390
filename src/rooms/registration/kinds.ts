/** Every kind of task of this room. A door puts those of other rooms beside them. */

import { applications } from './applications.ts'
import { credentialTasks } from './credential-tasks.ts'
import { connections } from './dccki-connection.ts'
import type { RegistrationRules } from './form.ts'
import { nominations } from './nominations.ts'
import { organisationForms } from './organisation.ts'
import { sreptCompletions } from './srept.ts'
import type { Kinds } from './tasks.ts'

export function registrationKinds(rules: RegistrationRules): Kinds {
  return {
    ...organisationForms(rules),
    ...nominations(rules),
    ...sreptCompletions(rules),
    ...applications(rules),
    ...credentialTasks(rules),
    ...connections(rules),
  }
}

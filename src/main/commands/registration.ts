/** The commands of officers, over the operator API. */

import type { Command } from 'commander'
import type { Io } from './context.ts'
import { addAccount, addCredential } from './credential.ts'
import { addDecision } from './decision.ts'
import { addDefault } from './default.ts'
import { addDeferral } from './deferral.ts'
import { addNotices } from './notices.ts'
import { addOrganisation } from './organisation.ts'
import { addOrganisationCsr } from './organisation-csr.ts'
import { addPerson } from './person.ts'
import { addRevoke } from './revoke.ts'
import { addSrept } from './srept.ts'
import { addSuspension } from './suspension.ts'
import { addTasks } from './tasks.ts'

const commands = [
  addTasks,
  addOrganisation,
  addPerson,
  addCredential,
  addAccount,
  addSrept,
  addOrganisationCsr,
  addRevoke,
  addDeferral,
  addSuspension,
  addDefault,
  addDecision,
  addNotices,
]

export function addRegistration(program: Command, io: Io): void {
  for (const add of commands) add(program, io)
}

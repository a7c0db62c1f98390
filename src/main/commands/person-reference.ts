/** The reference of a person, as an option has it: acts are journalled under it, and never under a name. */

import { InvalidArgumentError } from 'commander'
import { isPerson } from '../../rooms/governance/act.ts'

export function person(text: string): string {
  if (!isPerson(text))
    throw new InvalidArgumentError('It is no reference of a person: those are like p-0123456789ab.')
  return text
}

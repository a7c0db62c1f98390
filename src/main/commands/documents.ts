/** `smki documents`: the reviewer, with the register of standards as the environment has it, if there is one. */

import type { Command } from 'commander'
import { addDocuments as addReview } from '../../doors/cli/documents.ts'
import { standards, standardsWith } from '../../policy/documents/review/standards-register.ts'
import { isMade, loadSettings } from '../home.ts'
import { homeOf, type Io } from './context.ts'

export function addDocuments(program: Command, io: Io): void {
  addReview(program, io, command => {
    const home = homeOf(command)
    return isMade(home) ? standardsWith(loadSettings(home).governance.standards) : standards
  })
}

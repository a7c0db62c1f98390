/** `smki documents`: the reviewer, with the environment's register of standards if there is one; and the register of documents. */

import type { Command } from 'commander'
import { addDocuments as addReview } from '../../doors/cli/documents.ts'
import { standards, standardsWith } from '../../policy/documents/review/standards-register.ts'
import { isMade, loadSettings } from '../home.ts'
import { homeOf, type Io } from './context.ts'
import { addDocumentVersions } from './document-versions.ts'

export function addDocuments(program: Command, io: Io): void {
  const group = addReview(program, io, command => {
    const home = homeOf(command)
    return isMade(home) ? standardsWith(loadSettings(home).governance.standards) : standards
  })
  addDocumentVersions(group, io)
}

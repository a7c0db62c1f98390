/** `smki journal`: checking the journal, proving from it, and keeping watch over it. */

import type { Command } from 'commander'
import type { Io } from './context.ts'
import { addCheckProof } from './journal/check-proof.ts'
import { addCosign } from './journal/cosign.ts'
import { addExport } from './journal/export.ts'
import { addProve } from './journal/prove.ts'
import { addVerify } from './journal/verify.ts'
import { addWatch } from './journal/watch.ts'
import { addWitness } from './journal/witness.ts'

export function addJournal(program: Command, io: Io): void {
  const journal = program
    .command('journal')
    .description('the journal: verify it, prove from it, publish it, keep watch over it')
  for (const add of [addVerify, addProve, addCheckProof, addExport, addWatch, addWitness, addCosign])
    add(journal, io)
}

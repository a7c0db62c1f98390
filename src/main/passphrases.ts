/** Where passphrases of key stores come from: a file that is named, the file of a test environment, or a person. */

import { existsSync } from 'node:fs'
import { askPassphrase, readPassphraseFile } from '../ground/keystore/passphrase.ts'

/** @throws Refusal NO_TERMINAL when there is neither a file nor anybody to ask; PASSPHRASE_FILE_READABLE */
export async function passphraseOf(what: string, file: string | undefined, besideStore: string): Promise<Buffer> {
  if (file !== undefined) return readPassphraseFile(file)
  if (existsSync(besideStore)) return readPassphraseFile(besideStore)
  return askPassphrase({
    input: process.stdin,
    output: process.stderr,
    question: `Passphrase of the ${what} key store: `,
  })
}

/** For a store that is about to be made: asked for twice. */
export async function newPassphrase(what: string, file: string | undefined): Promise<Buffer> {
  if (file !== undefined) return readPassphraseFile(file)
  const question = `Passphrase for the new ${what} key store: `
  return askPassphrase({ input: process.stdin, output: process.stderr, question, again: 'Once more: ' })
}

/** The host key of an environment's SFTP server: made once, kept in the home, and shown to whoever is to know it. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { replacePrivateFile } from '../ground/keystore/private-file.ts'
import { makeSshHostKey, sshFingerprint } from '../ground/keystore/ssh-host-key.ts'
import { type Home, privateFolder } from './home.ts'

/** The private key's file, as OpenSSH has it; made when there is none. Only one program of an environment may ask. */
export function sshHostKey(home: Home): Buffer {
  if (!existsSync(home.sshHostKey)) {
    privateFolder(dirname(home.sshHostKey))
    const { file, line } = makeSshHostKey()
    // The public half first: where there is a private key, there is what people compare.
    writeFileSync(publicFile(home), `${line}\n`, { mode: 0o644 })
    replacePrivateFile(home.sshHostKey, file, () => {})
    file.fill(0)
  }
  return readFileSync(home.sshHostKey)
}

/** `SHA256:…` as OpenSSH asks about it at the first login; undefined before the key was made. */
export function sshHostFingerprint(home: Home): string | undefined {
  if (!existsSync(home.sshHostKey)) return undefined
  const [, key] = readFileSync(publicFile(home), 'utf8').split(' ')
  return sshFingerprint(Buffer.from(key!, 'base64'))
}

const publicFile = (home: Home) => `${home.sshHostKey}.pub`

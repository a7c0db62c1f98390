import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeSshHostKey, sshFingerprint } from './ssh-host-key.ts'

const noOpenssh =
  !process.env.CI &&
  spawnSync('ssh-keygen', ['-?']).error !== undefined &&
  'skipped: the OpenSSH client (ssh-keygen) is not installed'

describe('a host key', { skip: noOpenssh }, () => {
  it('is what OpenSSH reads: the same public key, the same fingerprint, and signatures that hold', () => {
    const folder = mkdtempSync(join(tmpdir(), 'opensmki-host-key-'))
    const path = (name: string) => join(folder, name)
    const keygen = (words: string[], input = '') => {
      const { status, stdout, stderr } = spawnSync('ssh-keygen', words, { cwd: folder, input })
      assert.equal(status, 0, stderr.toString())
      return stdout.toString()
    }
    try {
      // Base64 of 70 octets a line ends differently for each key but for the same length: some are enough.
      for (let i = 0; i < 3; i++) {
        const { file, line } = makeSshHostKey()
        writeFileSync(path('key'), file, { mode: 0o600 })
        writeFileSync(path('allowed'), `host ${line}\n`)
        assert.equal(keygen(['-y', '-f', 'key']).trim(), line)
        const wire = Buffer.from(line.split(' ')[1]!, 'base64')
        assert.match(keygen(['-lf', 'key']), new RegExp(`^256 ${sshFingerprint(wire).replace(/[+/]/g, '\\$&')} `))
        const signature = keygen(['-Y', 'sign', '-f', 'key', '-n', 'test'], 'a text')
        writeFileSync(path('signature'), signature)
        keygen(['-Y', 'verify', '-f', 'allowed', '-I', 'host', '-n', 'test', '-s', 'signature'], 'a text')
        rmSync(path('key'))
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Refusal } from '../../ground/refusal.ts'
import { readSshKey } from './ssh-key.ts'

const isThere = spawnSync('ssh-keygen', ['-?']).error === undefined

describe('an SSH public key', { skip: !isThere && 'there is no ssh-keygen here' }, () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'opensmki-ssh-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const made = (...how: string[]): string => {
    const file = join(folder, how.join('-'))
    const { status, stderr } = spawnSync('ssh-keygen', ['-q', '-N', '', '-C', 'a system', '-f', file, '-t', ...how])
    assert.equal(status, 0, String(stderr))
    return readFileSync(`${file}.pub`, 'utf8')
  }
  const refused = (line: string) => {
    assert.throws(
      () => readSshKey(line),
      (cause: unknown) => cause instanceof Refusal && cause.code === 'SSH_KEY_UNFIT',
    )
  }

  it('of a kind that is taken is read as ssh-keygen wrote it', () => {
    for (const how of [['ed25519'], ['ecdsa', '-b', '256'], ['rsa', '-b', '3072']]) {
      const line = made(...how)
      assert.equal(readSshKey(line).toString('base64'), line.split(' ')[1])
    }
  })

  it('of another kind, or too short, is not taken', () => {
    refused(made('rsa', '-b', '2048'))
    refused(made('ecdsa', '-b', '384'))
    refused('ssh-dss AAAAB3NzaC1kc3MAAACBAA==')
  })

  it('with any one octet more, less or changed in its frame is refused, and nothing breaks', () => {
    const line = made('ed25519', '-C', 'again')
    const [type, text] = line.split(' ') as [string, string]
    const octets = Buffer.from(text, 'base64')
    const written = (changed: Buffer) => `${type} ${changed.toString('base64')} a comment`
    assert.deepEqual(readSshKey(written(octets)), octets)
    for (let length = 0; length < octets.length; length++) refused(written(octets.subarray(0, length)))
    refused(written(Buffer.concat([octets, Buffer.of(0)])))
    for (let at = 0; at < octets.length - 32; at++) {
      const changed = Buffer.from(octets)
      changed[at] = changed[at]! ^ 0x80
      refused(written(changed))
    }
    refused(line.replace('ssh-ed25519', 'ssh-rsa'))
    refused(`${type} ${text}!`)
    refused(type)
    refused('')
    refused(`${type} ${text} ${'x'.repeat(5000)}`)
  })
})

/** Parties with SSH keys, the SFTP door over a real store, and OpenSSH's client before it. */

import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SftpLimits } from '../../src/doors/sftp/connection.ts'
import { type SftpDoor, type SftpNeeds, sftpDoor } from '../../src/doors/sftp/door.ts'
import { makeSshHostKey } from '../../src/ground/keystore/ssh-host-key.ts'
import { systemChance, systemClock } from '../../src/main/world.ts'
import { handOver, requestCredential } from '../../src/rooms/registration/credentials.ts'
import { giveSshKey } from '../../src/rooms/registration/give.ts'
import { type FileKind, folderOf } from '../../src/rooms/repository/files/make.ts'
import { type Stops, watchStops } from '../../src/rooms/revocation/stops.ts'
import { evidence, type Office, type Officers, openOffice } from '../registration/office.ts'

/** For the `skip` of a test. Where everything must be installed, in CI, the test runs, and fails. */
export const noSftp: string | false =
  !process.env.CI &&
  ['sftp', 'ssh', 'ssh-keygen'].some(name => spawnSync(name, ['-?']).error !== undefined) &&
  'skipped: the OpenSSH client (sftp, ssh, ssh-keygen) is not installed'

export type Party = Officers & { readonly party: number }

export interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Scene {
  readonly office: Office
  readonly door: SftpDoor
  readonly needs: SftpNeeds
  /** What the door said, line by line. */
  readonly lines: readonly (Record<string, unknown> & { says: string })[]
  /** A folder for a user's own files. */
  readonly desk: string
  /** A new key of that type in a file. @returns its path */
  key(type?: string, bits?: number): string
  /** A credential in use, for that key. */
  credential(of: Party, key: string): Promise<number>
  /** A file on record, with octets that nobody can foresee. */
  lodge(kind: FileKind, sequence: number, octets: number): Promise<{ name: string; octets: Buffer }>
  /** OpenSSH's `sftp`, with these commands; it stops at the first that fails. */
  sftp(key: string, commands: readonly string[], port?: number): Promise<Said>
  /** Another program of OpenSSH, or `sftp` with options of its own. */
  run(program: string, options: readonly string[]): Promise<Said>
  /** Options that every OpenSSH program takes. */
  options(key: string): string[]
  close(): Promise<void>
}

export const limits: SftpLimits = { connections: 200, connectionsOfParty: 60, loginSeconds: 10, idleSeconds: 60 }

export async function openScene(changes: Partial<SftpLimits> = {}): Promise<Scene> {
  const office = await openOffice()
  const base = mkdtempSync(join(tmpdir(), 'opensmki-sftp-'))
  const folder = join(base, 'files')
  const desk = join(base, 'desk')
  mkdirSync(desk)
  const host = makeSshHostKey()
  const lines: (Record<string, unknown> & { says: string })[] = []
  const say = (about: object, says: string) => void lines.push({ ...about, says })
  const log = { info: say, error: say }
  const stops: Stops = await watchStops(office.store, office.hands.clock, fault => lines.push({ says: fault }))
  const needs: SftpNeeds = {
    store: office.store,
    clock: systemClock,
    chance: systemChance,
    stops,
    folder,
    hostKey: host.file,
    limits: { ...limits, ...changes },
    log,
  }
  const door = await sftpDoor(needs, '127.0.0.1', 0)
  writeFileSync(join(base, 'known_hosts'), `* ${host.line}\n`)
  let keys = 0

  const scene: Scene = {
    office,
    door,
    needs,
    lines,
    desk,
    key(type = 'ed25519', bits) {
      const path = join(base, `key-${++keys}`)
      const size = bits === undefined ? [] : ['-b', String(bits)]
      const made = spawnSync('ssh-keygen', ['-q', '-t', type, ...size, '-N', '', '-C', 'a user', '-f', path])
      if (made.status !== 0) throw new Error(made.stderr.toString())
      return path
    },
    async credential(of, key) {
      const { hands, personnel } = office
      const sshKey = readFileSync(`${key}.pub`, 'utf8').trim()
      const asked = await requestCredential(hands, of.sro, {
        kind: 'REPO_SFTP',
        party: of.party,
        systemName: `files ${++keys}`,
        sshKey,
      })
      await office.decide(asked)
      await giveSshKey(hands, personnel[0], asked.credential)
      await handOver(hands, personnel[0], asked.credential, { evidence: evidence('receipt') })
      return asked.credential
    },
    async lodge(kind, sequence, count) {
      const octets = randomBytes(count)
      const name = `SMKI-${kind}-20261120-${String(sequence).padStart(6, '0')}.zip`
      mkdirSync(folderOf(folder, kind), { recursive: true })
      writeFileSync(join(folderOf(folder, kind), name), octets)
      const at = new Date('2026-11-20T00:30:00Z')
      await office.store.query(
        `INSERT INTO repository_file (kind, sequence, name, covers_from, covers_until, created_at, unfinished, records, octets, sha256)
         VALUES ($1, $2, $3, $4, $5, $5, '{}', 0, $6, $7)`,
        [
          kind,
          sequence,
          name,
          kind === 'FULL' ? null : at,
          at,
          count,
          createHash('sha256').update(octets).digest(),
        ],
      )
      return { name, octets }
    },
    sftp(key, commands, port = door.port) {
      const batch = join(base, `batch-${++keys}`)
      writeFileSync(batch, commands.map(one => `${one}\n`).join(''))
      return scene.run('sftp', ['-b', batch, '-P', String(port), ...scene.options(key), 'smki@127.0.0.1'])
    },
    options: key => [
      ...['-F', '/dev/null', '-i', key],
      ...['IdentitiesOnly=yes', 'BatchMode=yes', 'StrictHostKeyChecking=yes', 'LogLevel=INFO']
        .concat(`UserKnownHostsFile=${join(base, 'known_hosts')}`)
        .flatMap(one => ['-o', one]),
    ],
    run: (program, options) =>
      new Promise((resolve, reject) => {
        const child = spawn(program, options, { cwd: desk, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
        const said = { out: '', err: '' }
        child.stdout.on('data', part => {
          said.out += part
        })
        child.stderr.on('data', part => {
          said.err += part
        })
        child.once('error', reject)
        child.once('close', code => resolve({ code, ...said }))
      }),
    async close() {
      stops.close()
      await door.close()
      await office.close()
      rmSync(base, { recursive: true, force: true })
    },
  }
  return scene
}

export async function until(says: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 750; look++) {
    if (await holds()) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`it did not come to pass that ${says}`)
}

/** step-ca where Debian has its library: built, given an authority, and looked at. */

import { execFile, spawnSync } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ran = promisify(execFile)

/** Null where the compiler or Debian's package of the library is missing. */
export function versionThere(): string | null {
  const library = 'golang-github-smallstep-certificates-dev'
  const debian = spawnSync('dpkg-query', ['-W', '-f', '$' + '{Version}', library], { encoding: 'utf8' })
  const go = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' })
  if (debian.status !== 0 || go.status !== 0) return null
  return `step-ca ${debian.stdout.replace(/-[^-]*$/, '')} (Debian), ${go.stdout.trim()}`
}

/** From what Debian installed, without a network. @returns null when a package that it needs is missing */
export async function built(folder: string, signal: AbortSignal): Promise<string | null> {
  const program = join(folder, 'step-ca')
  const source = join(import.meta.dirname, 'step-ca.go')
  const env = {
    GOCACHE: join(folder, 'go-cache'),
    ...process.env,
    GOPATH: '/usr/share/gocode',
    GO111MODULE: 'off',
    GOFLAGS: '',
  }
  try {
    await ran('go', ['build', '-o', program, source], { env, signal })
    return program
  } catch (cause) {
    if (/cannot find package/.test((cause as { stderr?: string }).stderr ?? '')) return null
    throw cause
  }
}

/** A root, an intermediate that issues, and a configuration as `step ca init` writes it; its key has no password. */
export async function prepare(folder: string, port: number, provisioner: KeyObject): Promise<void> {
  const file = (name: string, content: string) => writeFileSync(join(folder, name), content)
  file(
    'openssl.cnf',
    '[req]\ndistinguished_name = nobody\nx509_extensions = authority\n[nobody]\n[authority]\n' +
      'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n',
  )
  for (const [name, by] of Object.entries({ root: '', issuing: '-CA root.pem -CAkey root.key' })) {
    const newKey = `-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}.key -out ${name}.pem`
    const command = `req -x509 -config openssl.cnf -days 30 -subj /CN=${name} ${newKey} ${by}`
    await ran('openssl', command.trim().split(' '), { cwd: folder })
  }
  file(
    'ca.json',
    JSON.stringify({
      root: 'root.pem',
      crt: 'issuing.pem',
      key: 'issuing.key',
      address: `127.0.0.1:${port}`,
      dnsNames: ['localhost'],
      logger: { format: 'text' },
      db: { type: 'badgerv2', dataSource: 'db' },
      authority: {
        provisioners: [
          {
            type: 'JWK',
            name: 'bench',
            key: { ...provisioner.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'bench' },
          },
        ],
      },
    }),
  )
}

/** Badger flushes by opening the file of its values O_DSYNC (open(2)); Linux tells how a file was opened. */
export function flushes(pid: number): boolean {
  const log = readdirSync(`/proc/${pid}/fd`).find(fd => readlinkSync(`/proc/${pid}/fd/${fd}`).endsWith('.vlog'))
  const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${log}`, 'latin1'))?.[1]
  return (Number.parseInt(flags ?? '0', 8) & 0o10000) !== 0
}

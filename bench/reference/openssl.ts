/** `openssl ca` on the same requests: one process, one command, the extensions of a Device Certificate. */

import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Bytes } from '../../src/ground/bytes.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { cpuOfChildren } from '../processes.ts'

/** Requests have no subject: every attribute is optional, and the database may hold equal subjects. */
const configuration = `[ca]
default_ca = bench

[bench]
certificate = ca.pem
private_key = ca.key
database = index.txt
new_certs_dir = certificates
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = 3650
policy = anything
email_in_dn = no
x509_extensions = device
copy_extensions = copy

[anything]
commonName = optional

[device]
certificatePolicies = critical, 1.2.826.0.1.8641679.1.2.1.4
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid

[req]
distinguished_name = nobody
x509_extensions = authority

[authority]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash

[nobody]
`

/** To be asked before the work. @throws Refusal NO_OPENSSL */
export async function requireOpenssl(): Promise<void> {
  try {
    await promisify(execFile)('openssl', ['version'])
  } catch (cause) {
    throw new Refusal('NO_OPENSSL', 'the command openssl is not there: install it, or add --skip-openssl', {
      cause,
    })
  }
}

/**
 * @param folder must not exist yet.
 * @returns certificates a second, and processor time for each.
 * @throws Error unless it issued them all
 */
export async function opensslCa(csrs: readonly Bytes[], folder: string, signal: AbortSignal) {
  // Before the clock starts: the authority, and a file for each request.
  mkdirSync(join(folder, 'certificates'), { recursive: true })
  mkdirSync(join(folder, 'requests'))
  writeFileSync(join(folder, 'ca.cnf'), configuration)
  writeFileSync(join(folder, 'index.txt'), '')
  csrs.forEach((csr, i) => {
    writeFileSync(join(folder, 'requests', `${i}`), toPem('CERTIFICATE REQUEST', csr))
  })
  const newCa =
    'req -x509 -config ca.cnf -subj /CN=bench -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem'
  await promisify(execFile)('openssl', newCa.split(' '), { cwd: folder, signal })

  const cpu = cpuOfChildren()
  const began = performance.now()
  await allAtOnce(folder, signal)
  const seconds = (performance.now() - began) / 1000
  const cpuSeconds = cpuOfChildren() - cpu

  const issued = readFileSync(join(folder, 'index.txt'), 'latin1').match(/^V\t/gm)?.length ?? 0
  if (issued !== csrs.length) throw new Error(`openssl ca issued ${issued} of ${csrs.length}: ${lastWords(folder)}`)
  return { perSecond: csrs.length / seconds, cpuMicroseconds: (cpuSeconds * 1e6) / csrs.length }
}

/** The shell lets 50,000 names onto one command line, and becomes openssl. */
async function allAtOnce(folder: string, signal: AbortSignal): Promise<void> {
  const command =
    'ulimit -s unlimited; exec openssl ca -config ca.cnf -batch -notext -out all.pem -infiles requests/* 2>said'
  const child = spawn('/bin/sh', ['-c', command], { cwd: folder, stdio: ['ignore', 'ignore', 2], signal })
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, name) => resolve(code ?? name))
  })
  if (code !== 0) throw new Error(`openssl ca ended with ${code}: ${lastWords(folder)}`)
}

function lastWords(folder: string): string {
  return readFileSync(join(folder, 'said'), 'latin1').slice(-500)
}

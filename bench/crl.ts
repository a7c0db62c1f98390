/** `npm run bench -- crl`: a list of a million entries, and `openssl ca -gencrl` at fifty thousand beside it. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readPassphraseFile } from '../src/ground/keystore/passphrase.ts'
import { openSoftwareKeyStore } from '../src/ground/keystore/software.ts'
import { homeAt } from '../src/main/home.ts'
import { init } from '../src/main/init.ts'
import { openHomeStore, systemChance, systemClock } from '../src/main/world.ts'
import { hierarchies } from '../src/policy/hierarchies.ts'
import { issuingAuthority } from '../src/rooms/authority/register.ts'
import { publishList } from '../src/rooms/revocation/list.ts'

const compared = 50_000

/** Seconds for each size, the peak of our memory, and the ratio to OpenSSL at 50,000 entries. */
export async function run({ count = 1_000_000 } = {}): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-crl-'))
  try {
    const home = homeAt(join(folder, 'home'))
    const settings = await init(home, {
      environment: 'bench',
      kind: 'test',
      with: [],
      log2N: 10,
      witness: () => {},
    })
    const opened = await openHomeStore(home, { share: false, max: 2 })
    const passphrase = readPassphraseFile(home.issuingPassphrase)
    const keys = openSoftwareKeyStore({ path: home.issuingKeys, passphrase, chance: systemChance, allowWeak: true })
    const authority = await issuingAuthority(opened.store, 'smki-organisation')
    const schedule = hierarchies(settings)['smki-organisation'].issuing.list!
    const publish = async () => {
      const began = performance.now()
      const list = await publishList({ store: opened.store, clock: systemClock }, authority, keys, schedule)
      return { seconds: (performance.now() - began) / 1000, octets: list.der.length, der: list.der }
    }
    const fill = (from: number, to: number) =>
      opened.store.query(
        `INSERT INTO revoked (authority, serial, at, reason, expires_at)
         SELECT $1, set_byte(decode(md5(i::text), 'hex'), 0, 1 + (i % 127)::int), now(), CASE i % 3 WHEN 0 THEN 0 ELSE 1 END,
                now() + interval '5 years' FROM generate_series($2::int8, $3::int8) AS i`,
        [authority.id, from, to],
      )
    try {
      await fill(1, compared)
      await publish()
      const small = await publish()
      const openssl = opensslSeconds(folder, small.der)
      await fill(compared + 1, count)
      await opened.store.query('ANALYZE revoked')
      const before = process.memoryUsage().rss
      const big = await publish()
      return {
        entries: count,
        seconds: big.seconds,
        octets: big.octets,
        peakMemoryMiB: process.resourceUsage().maxRSS / 1024,
        memoryBeforeMiB: before / 2 ** 20,
        secondsAt50000: small.seconds,
        opensslSecondsAt50000: openssl,
        ratioToOpenssl: openssl / small.seconds,
      }
    } finally {
      keys.close()
      await opened.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `openssl ca -gencrl` over an index of as many revoked certificates; it also reads our list, and must find it good. */
function opensslSeconds(folder: string, ours: Buffer): number {
  const at = join(folder, 'openssl')
  mkdirSync(at)
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: at, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 30 })
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'key.pem',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=O1',
    '-days',
    '30',
  )
  writeFileSync(
    join(at, 'ca.cnf'),
    '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ncertificate=ca.pem\nprivate_key=key.pem\ndefault_crl_days=2\n',
  )
  writeFileSync(join(at, 'crlnumber'), '01\n')
  const lines = Array.from({ length: compared }, (_, i) => {
    const serial = `01${(i + 1).toString(16).toUpperCase().padStart(30, '0')}`
    return `R\t361120000000Z\t261120000000Z${i % 3 ? ',keyCompromise' : ''}\t${serial}\tunknown\t/CN=${i}\n`
  })
  writeFileSync(join(at, 'index.txt'), lines.join(''))
  const began = performance.now()
  openssl('ca', '-gencrl', '-config', 'ca.cnf', '-out', 'crl.pem')
  const seconds = (performance.now() - began) / 1000
  if (!readFileSync(join(at, 'crl.pem'), 'latin1').startsWith('-----BEGIN X509 CRL'))
    throw new Error('openssl made no list')
  writeFileSync(join(at, 'ours.crl'), ours)
  const text = openssl('crl', '-inform', 'DER', '-in', 'ours.crl', '-noout', '-text').toString('latin1')
  const found = text.match(/Serial Number:/g)?.length
  if (found !== compared) throw new Error(`openssl read ${found} entries of our list, not ${compared}`)
  return seconds
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const figures = await run()
  console.log(process.argv.includes('--json') ? JSON.stringify(figures) : figures)
}

/** What must be so whatever was broken off: read from the tables themselves, by nothing of the rooms' code. */

import { spawnSync } from 'node:child_process'
import { createHash, type createPublicKey, verify, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '../../src/ground/store/store.ts'

/** From where on is looked. */
export interface From {
  readonly signing: bigint
  readonly entry: bigint
  readonly list: Readonly<Record<string, bigint>>
}

export const fromTheStart: From = { signing: 0n, entry: 0n, list: {} }

type Reader = Pick<Store, 'query'>
type Said = Readonly<Record<string, unknown>> & { readonly act: string }

const sha256 = (...octets: Uint8Array[]): Buffer => {
  const digest = createHash('sha256')
  for (const one of octets) digest.update(one)
  return digest.digest()
}

/** Where the tables end now. */
export async function here(store: Reader): Promise<From> {
  const { rows } = await store.query<{ signing: bigint; entry: bigint }>(
    `SELECT (SELECT coalesce(max(id), 0) FROM signing) AS signing,
            greatest((SELECT coalesce(max(id), 0) FROM journal_entry),
                     (SELECT coalesce(max(id), 0) FROM journal_pending)) AS entry`,
  )
  const lists = await store.query<{ authority: number; number: bigint }>(
    'SELECT authority, max(number) AS number FROM list GROUP BY authority',
  )
  return { ...rows[0]!, list: Object.fromEntries(lists.rows.map(row => [row.authority, row.number])) }
}

/**
 * Every fault that is found, in words.
 * @param signed what the key stores really signed since `from`: octets, hexadecimal
 */
export async function faults(store: Reader, from: From, signed: readonly string[]): Promise<string[]> {
  const said = await entries(store, from.entry)
  return [
    ...(await signedAndUnknown(store, signed)),
    ...(await signings(store, from.signing, said)),
    ...(await certificates(store, from.signing)),
    ...(await revocations(store, said, from.entry === 0n)),
    ...(await batches(store)),
    ...(await lists(store, from, said)),
  ]
}

async function entries(store: Reader, after: bigint): Promise<Said[]> {
  const { rows } = await store.query<{ octets: Buffer }>(
    `SELECT id, octets FROM journal_entry WHERE id > $1
      UNION ALL SELECT id, octets FROM journal_pending WHERE id > $1 ORDER BY id`,
    [after],
  )
  return rows.map(row => JSON.parse(row.octets.toString()) as Said)
}

/** A TBSCertificate begins with its version, [0]. */
const isCertificate = (hex: string): boolean => /^30(82....|81..|..)a003020102/.test(hex)

/** Every certificate that was signed is on record. */
async function signedAndUnknown(store: Reader, signed: readonly string[]): Promise<string[]> {
  const certificates = signed.filter(isCertificate)
  const { rows } = await store.query<{ tbs: Buffer }>('SELECT tbs FROM certificate WHERE tbs = ANY($1)', [
    certificates.map(one => Buffer.from(one, 'hex')),
  ])
  const known = new Set(rows.map(row => row.tbs.toString('hex')))
  return certificates
    .filter(one => !known.has(one))
    .map(one => `a certificate was signed, and is not on record: ${one.slice(0, 80)}`)
}

/** Nothing is left open; each signing has its entries, one of each, and each entry its signing. */
async function signings(store: Reader, after: bigint, said: readonly Said[]): Promise<string[]> {
  const { rows } = await store.query<{ id: bigint; state: string; count: number; certificates: bigint }>(
    `SELECT id, state, count, (SELECT count(*) FROM certificate WHERE signing = signing.id) AS certificates
       FROM signing WHERE id > $1 ORDER BY id`,
    [after],
  )
  const told = new Map<string, string[]>()
  for (const { act, signing } of said)
    if (signing !== undefined && ['intend', 'issue', 'abandon'].includes(act))
      told.set(String(signing), [...(told.get(String(signing)) ?? []), act])
  const found: string[] = []
  for (const { id, state, count, certificates } of rows) {
    const expected = state === 'complete' ? 'intend, issue' : state === 'abandoned' ? 'abandon, intend' : undefined
    const is = (told.get(String(id)) ?? []).sort().join(', ')
    if (!expected) found.push(`signing ${id} is still ${state}`)
    else if (is !== expected) found.push(`signing ${id} is ${state}, and the journal has: ${is}`)
    if (BigInt(count) !== certificates) found.push(`signing ${id} has ${certificates} certificates, not ${count}`)
    told.delete(String(id))
  }
  for (const [id, acts] of told)
    if (BigInt(id) > after) found.push(`the journal has ${acts} of signing ${id}, which is not there`)
  return found
}

/** No serial number twice; one certificate of each ordinal; each signature by the authority's key, over what is stored. */
async function certificates(store: Reader, after: bigint): Promise<string[]> {
  const found: string[] = []
  const twice = await store.query<{ serial: Buffer }>(
    `SELECT serial FROM certificate WHERE serial IN (SELECT serial FROM certificate WHERE signing > $1)
      GROUP BY authority, serial HAVING count(*) > 1`,
    [after],
  )
  for (const { serial } of twice.rows) found.push(`the serial number ${serial.toString('hex')} is there twice`)
  const { rows } = await store.query<{ tbs: Buffer; serial: Buffer; ca: Buffer; slot: Buffer }>(
    `SELECT c.tbs, c.serial, a.der AS ca, substr(s.signatures, c.position * s.slot + 1, s.slot) AS slot
       FROM certificate c JOIN signing s ON s.id = c.signing JOIN authority a ON a.id = c.authority
      WHERE s.state = 'complete' AND c.signing > $1`,
    [after],
  )
  const keys = new Map<string, ReturnType<typeof createPublicKey>>()
  for (const { tbs, serial, ca, slot } of rows) {
    const name = ca.toString('base64')
    if (!keys.has(name)) keys.set(name, new X509Certificate(ca).publicKey)
    const signature = slot[0] === 0x30 && slot.length === 72 ? slot.subarray(0, 2 + slot[1]!) : slot
    if (!verify('sha256', tbs, keys.get(name)!, signature))
      found.push(`the signature of certificate ${serial.toString('hex')} is not its authority's`)
    if (!tbs.includes(serial)) found.push(`certificate ${serial.toString('hex')} has another serial number`)
  }
  return found
}

/** What is revoked has one entry that says so. */
async function revocations(store: Reader, said: readonly Said[], whole: boolean): Promise<string[]> {
  const told = said.filter(one => one.act === 'revoke').map(one => JSON.stringify(one.certificate))
  const found = told.filter((one, i) => told.indexOf(one) !== i).map(one => `${one} was revoked twice`)
  if (!whole) return found
  const { rows } = await store.query<{ count: bigint }>('SELECT count(*) AS count FROM revoked')
  if (rows[0]!.count !== BigInt(told.length))
    found.push(`${rows[0]!.count} certificates are revoked, and ${told.length} entries say so`)
  return found
}

/** A batch that is complete has one result for each of its requests, and no certificate of it stands in two of them. */
async function batches(store: Reader): Promise<string[]> {
  const { rows } = await store.query<{ id: bigint; state: string; count: number; results: bigint; open: bigint }>(
    `SELECT b.id, b.state, b.count,
            (SELECT coalesce(sum(json_array_length(p.results)), 0)::bigint FROM portion p WHERE p.batch = b.id) AS results,
            (SELECT count(*) FROM portion p WHERE p.batch = b.id AND p.state <> 'done') AS open
       FROM batch b`,
  )
  return rows.flatMap(({ id, state, count, results, open }) =>
    state === 'COMPLETED' && results === BigInt(count) && open === 0n
      ? []
      : [`batch ${id} is ${state} with ${results} results of ${count}, ${open} portions open`],
  )
}

/** Numbers without a gap but those that were skipped; one list current, the last; each as OpenSSL reads it, and journalled. */
async function lists(store: Reader, from: From, said: readonly Said[]): Promise<string[]> {
  const { rows } = await store.query<{
    authority: number
    number: bigint
    current: boolean
    skipped: bigint | null
  }>(
    `SELECT authority, number, superseded_at IS NULL AS current,
            (SELECT max(s.number) FROM list_skipped s WHERE s.authority = list.authority AND s.number < list.number) AS skipped
       FROM list ORDER BY authority, number`,
  )
  const found: string[] = []
  for (const [i, { authority, number, current, skipped }] of rows.entries()) {
    const before = rows[i - 1]?.authority === authority ? rows[i - 1]!.number : 0n
    const last = rows[i + 1]?.authority !== authority
    if (number !== before + 1n && number !== (skipped ?? -1n) + 1n)
      found.push(`list ${number} of authority ${authority} follows ${before}`)
    if (current !== last) found.push(`list ${number} of authority ${authority} is ${current ? '' : 'not '}current`)
  }
  for (const { authority, number } of rows)
    if (number > (from.list[authority] ?? 0n)) found.push(...(await oneList(store, authority, number, said)))
  return found
}

async function oneList(store: Reader, authority: number, number: bigint, said: readonly Said[]): Promise<string[]> {
  const { rows } = await store.query<{ der: Buffer; ca: Buffer }>(
    `SELECT l.der, a.der AS ca FROM list l JOIN authority a ON a.id = l.authority
      WHERE l.authority = $1 AND l.number = $2`,
    [authority, number],
  )
  const { der, ca } = rows[0]!
  const found: string[] = []
  const entry = said.filter(
    one => one.act === 'publish list' && one.authority === authority && one.number === String(number),
  )
  if (entry.length !== 1)
    found.push(`${entry.length} entries say that list ${number} of authority ${authority} was published`)
  else if (entry[0]!.sha256 !== sha256(der).toString('hex'))
    found.push(`list ${number} is not the one of its entry`)
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-list-'))
  try {
    writeFileSync(join(folder, 'ca.pem'), new X509Certificate(ca).toString())
    writeFileSync(join(folder, 'list.der'), der)
    const { stdout, stderr } = spawnSync(
      'openssl',
      ['crl', '-inform', 'DER', '-in', 'list.der', '-noout', '-crlnumber', '-CAfile', 'ca.pem'],
      { cwd: folder, encoding: 'utf8' },
    )
    const hex = /crlNumber=0x([0-9A-F]+)/i.exec(stdout)?.[1]
    if (hex === undefined || BigInt(`0x${hex}`) !== number) found.push(`OpenSSL reads ${hex} on list ${number}`)
    if (!/verify OK/.test(stderr)) found.push(`OpenSSL does not verify list ${number}: ${stderr.trim()}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
  return found
}

/** The journal from its first entry: positions without a gap, nothing in two places, each checkpoint over the right root. */
export async function journalFaults(store: Reader): Promise<string[]> {
  const found: string[] = []
  const { rows } = await store.query<{ position: bigint; id: bigint; octets: Buffer }>(
    'SELECT position, id, octets FROM journal_entry ORDER BY position',
  )
  rows.forEach((row, i) => {
    if (row.position !== BigInt(i)) found.push(`position ${row.position} stands where ${i} should`)
  })
  if (new Set(rows.map(row => row.id)).size !== rows.length) found.push('an entry has two positions')
  const both = await store.query('SELECT FROM journal_pending p JOIN journal_entry e ON e.id = p.id')
  if (both.rowCount !== 0) found.push(`${both.rowCount} entries wait and are placed`)
  const checkpoints = await store.query<{ size: bigint; previous: bigint | null; root: Buffer; note: string }>(
    'SELECT size, previous, root, note FROM journal_checkpoint ORDER BY size',
  )
  const leaves = rows.map(row => sha256(Buffer.from([0]), row.octets))
  let before: bigint | null = null
  for (const { size, previous, root, note } of checkpoints.rows) {
    if (previous !== before) found.push(`checkpoint ${size} follows ${previous}, and the one before is ${before}`)
    before = size
    if (!root.equals(rootOf(leaves.slice(0, Number(size)))))
      found.push(`the root of checkpoint ${size} is not that of its entries`)
    if (!note.includes(`\n${size}\n${root.toString('base64')}\n\n`))
      found.push(`the note of checkpoint ${size} says otherwise`)
  }
  if (BigInt(rows.length) !== (before ?? 0n))
    found.push(`${rows.length} entries are placed, and ${before} are signed for`)
  return found
}

/** RFC 6962 2.1, as it stands there. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return leaves[0]!
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return sha256(Buffer.from([1]), rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)))
}

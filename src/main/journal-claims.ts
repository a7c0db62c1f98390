/** Holds what the journal says of certificates against the register, and names the certificate where they differ. */

import { hash, X509Certificate } from 'node:crypto'
import { equal, fromHex, toHex, toHexUpper, view } from '../ground/bytes.ts'
import { NotDer } from '../ground/der/read.ts'
import { type Act, NotAnEntry, readEntry } from '../ground/journal/entry.ts'
import { leafHash, rootOf } from '../ground/journal/merkle.ts'
import { readCertificate } from '../ground/x509/certificate.ts'
import { authorities } from '../rooms/authority/register.ts'
import { everyCertificate, type Reader } from '../rooms/repository/find.ts'
import { certificatesOf, completeSignings, tbsOf } from '../rooms/repository/signings.ts'

export interface Claims {
  /** Signings that an `issue` entry spoke of so far. */
  readonly seen: ReadonlySet<string>
  /** What is wrong with what an entry says; undefined when it is so, or says nothing of certificates. */
  of(act: Act): Promise<string | undefined>
  /** The same of an entry that has no position yet. */
  ofPending(octets: Buffer): Promise<string | undefined>
  /** Signings that led to certificates and stand in no entry that was heard. */
  missing(): Promise<bigint[]>
}

/** @param store one snapshot for all of it: a service may be issuing meanwhile */
export function claims(store: Reader): Claims {
  const seen = new Set<string>()
  const of = async (act: Act) => {
    const { signing } = act.body
    if (act.act === 'intend' && act.body.root !== undefined) return intended(store, act)
    if (act.act !== 'issue') return undefined
    seen.add(String(signing))
    return issued(store, act)
  }
  return {
    seen,
    of,
    async ofPending(octets) {
      try {
        return await of(readEntry(octets))
      } catch (cause) {
        if (cause instanceof NotAnEntry) return cause.message
        throw cause
      }
    },
    missing: async () => (await completeSignings(store)).filter(signing => !seen.has(String(signing))),
  }
}

/**
 * Rows by which certificates are found, held against the certificates themselves: a sentence for each that leads to
 * another. @param onRow how many were looked at
 */
export async function* misfiled(store: Reader, onRow: (done: number) => void = () => {}): AsyncGenerator<string> {
  let done = 0
  try {
    for await (const one of everyCertificate(store, new Date(0))) {
      onRow(++done)
      const where = `certificate ${one.position} of signing ${one.signing}`
      const { serial } = readCertificate(one.der)
      if (!equal(serial, one.serial))
        yield `${where} has the serial number ${toHexUpper(serial)}, and is filed under ${toHexUpper(one.serial)}`
      if (one.eui64 !== undefined && !view(one.der).includes(fromHex(one.eui64)))
        yield `${where} is filed under the EUI-64 ${one.eui64}, which is not in it`
    }
  } catch (cause) {
    if (!(cause instanceof NotDer)) throw cause
    yield `after ${done} certificates the register has one that cannot be read: ${cause.message}`
  }
}

async function intended(store: Reader, { body }: Act): Promise<string | undefined> {
  const planned = rootOf((await tbsOf(store, BigInt(String(body.signing)))).map(leafHash))
  return toHex(planned) === body.root
    ? undefined
    : `what signing ${body.signing} wrote down is not in the register as it was`
}

/** As many certificates as the entry says, with the root or the hash that it says. */
async function issued(store: Reader, { body }: Act): Promise<string | undefined> {
  const { signing, root, sha256, count } = body
  const certificates = await certificatesOf(store, BigInt(String(signing)))
  if (sha256 !== undefined) {
    const [only] = certificates
    if (only && certificates.length === 1 && hash('sha256', only, 'hex') === sha256) return undefined
    return `the certificate of signing ${signing}${only ? named(only) : ''} is not the one that was issued`
  }
  if (toHex(rootOf(certificates.map(leafHash))) === root) return undefined
  const sentence = `the certificates of signing ${signing} are not those that were issued`
  if (typeof count === 'number' && certificates.length !== count)
    return `${sentence}: ${certificates.length} are there, and ${count} were issued`
  const altered = await unsigned(store, certificates)
  return altered.length === 0
    ? `${sentence}: each is signed by its authority, so another was put in the place of one`
    : `${sentence}: not as its authority signed it is ${altered.join(', ')}`
}

/** A root tells of a group. Which one of it was changed, its own signature tells. */
async function unsigned(store: Reader, certificates: readonly Buffer[]): Promise<string[]> {
  const keys = (await authorities(store)).map(one => new X509Certificate(one.certificate.der).publicKey)
  const holds = (der: Buffer) => {
    try {
      const certificate = new X509Certificate(der)
      return keys.some(key => key.asymmetricKeyType === 'ec' && certificate.verify(key))
    } catch {
      // Octets that no longer are a certificate.
      return false
    }
  }
  return certificates.flatMap((der, position) => (holds(der) ? [] : [`number ${position}${named(der)}`]))
}

function named(der: Buffer): string {
  try {
    return ` (serial ${toHexUpper(readCertificate(der).serial)})`
  } catch {
    return ''
  }
}

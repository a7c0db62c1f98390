/** Certificates and revocation lists from files and folders, PEM or DER, as commands are given them. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Bytes } from '../../ground/bytes.ts'
import { NotDer } from '../../ground/der/read.ts'
import { type Certificate, readCertificate } from '../../ground/x509/certificate.ts'
import { type RevocationList, readList } from '../../ground/x509/list.ts'
import { NotPem, readPemOrDer } from '../../ground/x509/pem.ts'

/** What was found under some paths. */
export interface Material<T> {
  readonly found: readonly T[]
  /** Files in folders that hold nothing of the kind. */
  readonly passedOver: readonly string[]
  /** What was named and cannot be used, so that nothing may be decided. */
  readonly faults: readonly { readonly file: string; readonly why: string }[]
}

/** PEM labels of a certificate. */
export const certificateLabels: readonly string[] = ['CERTIFICATE', 'X509 CERTIFICATE']

/** In a folder a certificate that cannot be read is passed over: one candidate fewer never makes a yes of a no. */
export function readCertificates(paths: readonly string[]): Material<Certificate> {
  return gather(
    paths,
    octets => readPemOrDer(octets, certificateLabels).map(der => readCertificate(der)),
    () => false,
  )
}

/**
 * A list that cannot be read is a fault wherever it lies: it might be the one that revokes. In a folder a file is taken
 * for a list when it says so, by its PEM label or by a name that ends in `.crl` or `.arl`.
 */
export function readLists(paths: readonly string[]): Material<RevocationList> {
  return gather(
    paths,
    octets => readPemOrDer(octets, ['X509 CRL']).map(der => readList(der)),
    (file, octets) => /\.[ca]rl$/i.test(file) || octets.includes('-----BEGIN X509 CRL-----'),
  )
}

/** Longer than any list that anyone has seen; what is longer would fill the memory. */
const longest = 1 << 29

class TooLong extends Error {
  override name = 'TooLong'
}

/** The octets of a file that was named. @throws what `isUnreadable` knows */
export function readWhole(file: string): Buffer {
  const { size } = statSync(file)
  if (size > longest) throw new TooLong(`${file} is longer than 512 MiB`)
  return readFileSync(file)
}

/** The file system said no, or the file is too long; everything else is a fault of ours. */
export function isUnreadable(cause: unknown): cause is Error {
  return cause instanceof TooLong || (cause instanceof Error && 'syscall' in cause)
}

/** The octets are not what they should be. */
export function isMalformed(cause: unknown): cause is NotDer | NotPem {
  return cause instanceof NotDer || cause instanceof NotPem
}

function gather<T>(
  paths: readonly string[],
  read: (octets: Bytes) => T[],
  claims: (file: string, octets: Buffer) => boolean,
): Material<T> {
  const found: T[] = []
  const passedOver: string[] = []
  const faults: { file: string; why: string }[] = []
  const take = (file: string, inFolder: boolean) => {
    let octets: Buffer | undefined
    try {
      octets = readWhole(file)
      found.push(...read(octets))
    } catch (cause) {
      if (!isMalformed(cause) && !isUnreadable(cause)) throw cause
      const must = !inFolder || octets === undefined || claims(file, octets)
      if (must) faults.push({ file, why: cause.message })
      else passedOver.push(file)
    }
  }
  for (const path of paths) {
    try {
      if (statSync(path).isDirectory()) for (const file of filesIn(path)) take(file, true)
      else take(path, false)
    } catch (cause) {
      if (!isUnreadable(cause)) throw cause
      faults.push({ file: path, why: cause.message })
    }
  }
  return { found, passedOver, faults }
}

/** All files below a folder, by name. A link to a folder is not followed: it may go round. */
function* filesIn(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true })
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesIn(path)
    else if (entry.isFile() || statSync(path, { throwIfNoEntry: false })?.isFile()) yield path
  }
}

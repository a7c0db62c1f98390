/** What a revocation list is worth under one issuer: whose it is, whether it is understood, what it revokes. */

import { toHex, toHexUpper } from '../../bytes.ts'
import { readCrlNumber, readReasonCode, reasonCodes } from '../extensions.ts'
import type { RevocationList } from '../list.ts'
import { sameName, showName } from '../name.ts'
import { oidName, oids } from '../names.ts'
import { type ProfileName, signatureFault } from './keys.ts'
import { identifierMismatch } from './link.ts'
import { type Opened, readAuthority } from './opened.ts'
import { notDer, type PathCode } from './refusals.ts'

/** A list held against one issuer of its name. */
export interface Judged {
  readonly list: RevocationList
  /**
   * `sound`: signed by the issuer, and understood whole. `unsound`: signed by the issuer, and not understood, so that
   * nobody can say what it revokes. `unusable`: not shown to be the issuer's, or not by a key that may sign lists.
   */
  readonly worth: 'sound' | 'unsound' | 'unusable'
  /** Why it is not sound. */
  readonly fault?: { readonly code: PathCode; readonly says: string }
  /** By serial number, the content octets in hexadecimal. Of an unusable list empty, unless the issuer did sign it. */
  readonly revoked: ReadonlyMap<string, Revoked>
}

export interface Revoked {
  /** A number of RFC 5280 5.3.1; 0 when none is given. */
  readonly reason: number
  readonly at: number
}

/** `keyCompromise on 2026-11-20T09:30:00Z`. */
export function showRevoked({ reason, at }: Revoked): string {
  return `${reasonCodes[reason]} on ${new Date(at).toISOString().replace('.000', '')}`
}

/** Undefined: the list is of another issuer, by its name or by the key that it names, and says nothing here. */
export function judge(list: RevocationList, issuer: Opened, profile: ProfileName): Judged | undefined {
  if (!sameName(list.issuer, issuer.certificate.subject)) return undefined
  const none: ReadonlyMap<string, Revoked> = new Map()
  const authority = readOr(() => authorityOf(list))
  const signature = signatureFault(
    { tbs: list.tbs, inner: list.innerAlgorithm, outer: list.outerAlgorithm, signature: list.signature },
    { key: issuer.key, kind: issuer.certificate.publicKey.kind },
    profile,
  )
  if (signature) {
    // Several keys may bear one name, each with lists of its own.
    const another = typeof authority === 'object' && identifierMismatch(authority, issuer) !== undefined
    if (another) return undefined
    return { list, worth: 'unusable', fault: { code: 'LIST_SIGNATURE_BAD', says: signature.says }, revoked: none }
  }

  const form = formFault(list, issuer, authority)
  const entries = readEntries(list)
  const says = form ?? entries.fault
  if (says)
    return { list, worth: 'unsound', fault: { code: 'LIST_NOT_UNDERSTOOD', says }, revoked: entries.revoked }
  const { keyUsage } = issuer
  if (keyUsage !== undefined && !keyUsage.includes('cRLSign')) {
    const fault = { code: 'LIST_SIGNER', says: 'its keyUsage has no cRLSign (RFC 5280 6.3.3 (f))' } as const
    return { list, worth: 'unusable', fault, revoked: entries.revoked }
  }
  return { list, worth: 'sound', revoked: entries.revoked }
}

/** For people: `list 12 of OU=07, CN=Z1`. */
export function showList(list: RevocationList): string {
  const number = readOr(() => numberOf(list))
  const which = number instanceof Uint8Array ? `list ${BigInt(`0x${toHex(number)}`)}` : 'a list'
  return `${which} of ${showName(list.issuer)}`
}

/** The list's own form, entries apart: complete, direct, and with what RFC 5280 section 5 demands. */
function formFault(list: RevocationList, issuer: Opened, authority: ReturnType<typeof authorityOf> | string) {
  if (list.version !== 2) return 'it is of version 1, which has no number (RFC 5280 5.1.2.1)'
  if (list.nextUpdate === undefined) return 'it does not say when the next one is due (RFC 5280 5.1.2.5)'
  for (const { oid, critical } of list.extensions) {
    if (oid === oids.deltaCrlIndicator) return 'it is a delta list (RFC 5280 5.2.4)'
    if (oid === oids.issuingDistributionPoint)
      return 'it has an issuingDistributionPoint, so it is not complete (RFC 5280 5.2.5)'
    if (critical) return `its critical extension ${oidName(oid)} is not understood (RFC 5280 5.2)`
  }
  if (typeof authority === 'string') return authority
  if (authority?.keyIdentifier === undefined) return 'its authorityKeyIdentifier names no key (RFC 5280 5.2.1)'
  const mismatch = identifierMismatch(authority, issuer)
  if (mismatch) return `${mismatch}, though that key signed it`
  const number = readOr(() => numberOf(list))
  if (typeof number === 'string') return number
  if (number === undefined) return 'it has no cRLNumber (RFC 5280 5.2.3)'
  return number.length > 20 ? 'its cRLNumber has more than 20 octets (RFC 5280 5.2.3)' : undefined
}

/** Every entry, once. What is found before a fault is kept: it may revoke, though the list cannot acquit. */
function readEntries(list: RevocationList): { revoked: ReadonlyMap<string, Revoked>; fault?: string } {
  const revoked = new Map<string, Revoked>()
  let fault: string | undefined
  for (const entry of list.entries()) {
    const serial = toHex(entry.serial)
    let reason = 0
    if (revoked.has(serial)) fault ??= `the serial number ${toHexUpper(entry.serial)} stands there twice`
    for (const { oid, critical, value } of entry.extensions) {
      if (oid === oids.reasonCode) {
        const code = readOr(() => readReasonCode(value))
        if (typeof code === 'string') fault ??= code
        else reason = code
      } else if (oid === oids.certificateIssuer) fault ??= 'it is an indirect list (RFC 5280 5.3.3)'
      else if (critical && oid !== oids.invalidityDate)
        fault ??= `the critical entry extension ${oidName(oid)} is not understood (RFC 5280 5.3)`
    }
    if (reason === removeFromCrl) fault ??= 'it takes an entry back, which only a delta list may (RFC 5280 5.3.1)'
    else revoked.set(serial, { reason, at: entry.revokedAt.ms })
  }
  return fault === undefined ? { revoked } : { revoked, fault }
}

const removeFromCrl = 8

function authorityOf(list: RevocationList) {
  const found = list.extensions.find(({ oid }) => oid === oids.authorityKeyIdentifier)
  return found && readAuthority(found.value)
}

function numberOf(list: RevocationList) {
  const found = list.extensions.find(({ oid }) => oid === oids.crlNumber)
  return found && readCrlNumber(found.value)
}

/** What was read, or the sentence that says why it could not be. */
function readOr<T>(reader: () => T): T | string {
  try {
    return reader()
  } catch (cause) {
    return notDer(cause)
  }
}

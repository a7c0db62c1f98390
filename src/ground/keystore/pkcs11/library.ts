/** The PKCS#11 library of a module: loaded once in each thread, initialised once in the process, its tokens found by label. */

import { existsSync } from 'node:fs'
import pkcs11js from 'pkcs11js'
import { refusal } from '../refusals.ts'

export type Pkcs11 = pkcs11js.PKCS11
export type Handle = pkcs11js.Handle

/** A token, and what it says it is. */
export interface Token {
  readonly slot: Handle
  readonly label: string
  /** Tells a token from another of the same label. */
  readonly serial: string
  readonly model: string
}

/**
 * The library, initialised for use by several threads.
 * @throws Refusal MODULE_MISSING when there is none at the path or it does not load
 */
export function library(path: string): Pkcs11 {
  const loaded = libraries.get(path) ?? load(path)
  initialise(loaded)
  return loaded
}

/**
 * The one token of that label.
 * @throws Refusal MODULE_NO_TOKEN, also when two tokens have the label: which of them holds our keys is not for us to guess
 */
export function findToken(pkcs11: Pkcs11, label: string): Token {
  const found = pkcs11
    .C_GetSlotList(true)
    .map(slot => ({ slot, info: pkcs11.C_GetTokenInfo(slot) }))
    .filter(({ info }) => info.label.trimEnd() === label)
  const [first, ...others] = found
  if (!first || others.length > 0) {
    throw refusal('MODULE_NO_TOKEN', first ? `${found.length} tokens are called ${label}` : label)
  }
  const { serialNumber, model } = first.info
  return { slot: first.slot, label, serial: serialNumber.trimEnd(), model: model.trimEnd() }
}

// Of this thread, and never let go: a library object that is collected closes the library under its sessions.
const libraries = new Map<string, Pkcs11>()

function load(path: string): Pkcs11 {
  if (!existsSync(path)) throw refusal('MODULE_MISSING', path)
  const loaded = new pkcs11js.PKCS11()
  try {
    loaded.load(path)
  } catch (cause) {
    throw refusal('MODULE_MISSING', path, cause)
  }
  libraries.set(path, loaded)
  return loaded
}

/** Without the flag, calls from several threads crash the process (smets1-keys.md section 8). */
function initialise(pkcs11: Pkcs11): void {
  try {
    pkcs11.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK })
  } catch (cause) {
    // Another thread, or another store in this one, was there before.
    if (!isResult(cause, pkcs11js.CKR_CRYPTOKI_ALREADY_INITIALIZED)) throw cause
  }
}

/** Whether a call ended with one of these return values of PKCS#11. */
export function isResult(cause: unknown, ...results: readonly number[]): boolean {
  const code = resultOf(cause)
  return code !== undefined && results.includes(code)
}

/** The return value that a call ended with; undefined for an error of another kind. */
export function resultOf(cause: unknown): number | undefined {
  if (cause instanceof pkcs11js.Pkcs11Error) return cause.code
  // The binding leaves some calls out when it gives its errors their type.
  const [, code] = cause instanceof Error ? (/^CKR_\w+:(\d+)/.exec(cause.message) ?? []) : []
  return code === undefined ? undefined : Number(code)
}

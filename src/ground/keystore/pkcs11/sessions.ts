/** Sessions with one token: pooled, checked, opened anew when they are lost, and left alone while the module is away. */

import { createSecretKey, type KeyObject } from 'node:crypto'
import pkcs11js from 'pkcs11js'
import type { Bytes } from '../../bytes.ts'
import { view } from '../../bytes.ts'
import type { Clock } from '../../clock.ts'
import { Refusal } from '../../refusal.ts'
import { refusal } from '../refusals.ts'
import { Breaker, type Pauses } from './breaker.ts'
import { findToken, type Handle, isResult, library, type Pkcs11, resultOf, type Token } from './library.ts'

/** What a thread needs to open sessions with a token of its own accord. */
export interface Access {
  /** Path of the PKCS#11 library. */
  readonly library: string
  /** Label of the token. */
  readonly token: string
  /** The user PIN. A KeyObject, so that it is not shown where a value is logged. */
  readonly pin: KeyObject
  /** Of the token that was opened first: a token with another serial number is another token. */
  readonly serial?: string
}

/** Lent for one piece of work. `epoch` changes when sessions were lost: handles of another epoch mean nothing. */
export interface Session {
  readonly pkcs11: Pkcs11
  readonly handle: Handle
  readonly epoch: number
  /** Of the session that lives until sessions are lost: session objects are made in it, and end with it. */
  anchor(): Handle
}

export interface SessionOptions {
  readonly clock: Clock
  readonly pauses?: Pauses
}

/**
 * One pool to a thread. Work is synchronous, so that a pool seldom has more than one session; it has more when work
 * needs a session within a session.
 */
export class Sessions {
  #access: Access
  readonly #breaker: Breaker
  #idle: Handle[] = []
  #anchor: Handle | undefined
  #pkcs11: Pkcs11 | undefined
  #token: Token | undefined
  #serial: string | undefined
  #epoch = 0
  #closed = false

  constructor(access: Access, { clock, pauses = { first: 250, longest: 30_000 } }: SessionOptions) {
    this.#access = access
    this.#serial = access.serial
    this.#breaker = new Breaker(clock, pauses)
  }

  /** @throws Refusal as `use` */
  get token(): Token {
    if (!this.#token) this.use(() => undefined)
    return this.#token!
  }

  get closed(): boolean {
    return this.#closed
  }

  get epoch(): number {
    return this.#epoch
  }

  /** For another thread, bound to the token that we found. */
  get access(): Access {
    return { ...this.#access, serial: this.token.serial }
  }

  /**
   * Runs `work` with a session in which the user is logged in. When the session turns out to be lost, everything is
   * opened anew and `work` runs again: it must look up its handles by itself, by `epoch`. When it was lost three times
   * in a row the breaker opens, and until its time is up nothing is tried: a module that comes back meets no storm.
   * @throws Refusal MODULE_UNAVAILABLE, MODULE_MISSING, MODULE_NO_TOKEN, MODULE_PIN_LOCKED,
   * KEYSTORE_WRONG_PASSPHRASE, KEYSTORE_REPLACED; what `work` throws
   */
  use<T>(work: (session: Session) => T): T {
    this.mustBeOpen()
    const until = this.#breaker.openUntil()
    if (until) throw refusal('MODULE_UNAVAILABLE', `${this.#access.token}, until ${until.toISOString()}`)
    for (let left = tries; ; left--) {
      try {
        const result = this.#once(work)
        this.#breaker.worked()
        return result
      } catch (cause) {
        if (!isLoss(cause)) throw cause
        this.lose()
        if (left > 1) continue
        this.#breaker.failed()
        throw refusal('MODULE_UNAVAILABLE', this.#access.token, cause)
      }
    }
  }

  mustBeOpen(): void {
    if (this.#closed) throw new Error('the key store is closed')
  }

  /** Forgets every session and handle: they are no longer what they were. */
  lose(): void {
    this.#epoch += 1
    for (const handle of this.#idle.splice(0)) this.#end(handle)
    if (this.#anchor !== undefined) this.#end(this.#anchor)
    this.#anchor = undefined
    this.#pkcs11 = undefined
  }

  /** @throws Refusal PASSPHRASE_EMPTY, PASSPHRASE_TOO_LONG */
  changePin(pin: Bytes): void {
    if (pin.length === 0) throw refusal('PASSPHRASE_EMPTY')
    const old = this.#access.pin.export()
    try {
      this.use(({ pkcs11, handle }) => {
        const { minPinLen, maxPinLen } = pkcs11.C_GetTokenInfo(this.token.slot)
        if (pin.length < minPinLen || pin.length > maxPinLen) {
          throw refusal('PASSPHRASE_TOO_LONG', `the token takes ${minPinLen} to ${maxPinLen}`)
        }
        pkcs11.C_SetPIN(handle, old.toString(), view(pin).toString())
      })
    } finally {
      old.fill(0)
    }
    this.#access = { ...this.#access, pin: createSecretKey(pin) }
  }

  /** Other stores of this process may have sessions with the token: the user is not logged out before the last one. */
  close(): void {
    this.lose()
    this.#closed = true
  }

  #once<T>(work: (session: Session) => T): T {
    const handle = this.#take()
    let result: T
    try {
      const anchor = () => {
        this.#anchor ??= this.#open()
        return this.#anchor
      }
      result = work({ pkcs11: this.#pkcs11!, handle, epoch: this.#epoch, anchor })
    } catch (cause) {
      // An operation may have been left open in it (smets1-keys.md section 8): nobody uses it again.
      this.#end(handle)
      throw cause
    }
    this.#idle.push(handle)
    return result
  }

  #take(): Handle {
    return this.#idle.pop() ?? this.#open()
  }

  #open(): Handle {
    const pkcs11 = this.#connect()
    const handle = pkcs11.C_OpenSession(this.#token!.slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION)
    try {
      this.#login(pkcs11, handle)
    } catch (cause) {
      this.#end(handle)
      throw cause
    }
    return handle
  }

  #connect(): Pkcs11 {
    if (this.#pkcs11) return this.#pkcs11
    const pkcs11 = library(this.#access.library)
    const token = this.#find(pkcs11)
    if (this.#serial !== undefined && this.#serial !== token.serial) {
      throw refusal('KEYSTORE_REPLACED', `token ${token.label}, serial number ${token.serial}`)
    }
    this.#serial = token.serial
    this.#token = token
    this.#pkcs11 = pkcs11
    return pkcs11
  }

  #find(pkcs11: Pkcs11): Token {
    try {
      return findToken(pkcs11, this.#access.token)
    } catch (cause) {
      // It was there before: a module that starts anew shows its tokens late.
      if (this.#serial !== undefined && cause instanceof Refusal)
        throw new Lost('the token is not there', { cause })
      throw cause
    }
  }

  /** A wrong PIN is never tried twice by itself: modules lock it after a few. */
  #login(pkcs11: Pkcs11, handle: Handle): void {
    const octets = this.#access.pin.export()
    try {
      pkcs11.C_Login(handle, pkcs11js.CKU_USER, octets.toString())
    } catch (cause) {
      if (isResult(cause, pkcs11js.CKR_USER_ALREADY_LOGGED_IN)) return
      if (isResult(cause, pkcs11js.CKR_PIN_LOCKED)) throw refusal('MODULE_PIN_LOCKED', this.#access.token)
      if (isResult(cause, ...wrongPin)) throw refusal('KEYSTORE_WRONG_PASSPHRASE', `token ${this.#access.token}`)
      throw cause
    } finally {
      octets.fill(0)
    }
  }

  #end(handle: Handle): void {
    try {
      this.#pkcs11?.C_CloseSession(handle)
    } catch (cause) {
      if (resultOf(cause) === undefined) throw cause
      // It was lost: there is nothing to close.
    }
  }
}

const tries = 3

const wrongPin = [
  pkcs11js.CKR_PIN_INCORRECT,
  pkcs11js.CKR_PIN_INVALID,
  pkcs11js.CKR_PIN_LEN_RANGE,
  pkcs11js.CKR_PIN_EXPIRED,
]

/** Ends of a call that a new session may mend: the session, the login, the handle, the library or the device went. */
const losses = [
  pkcs11js.CKR_SESSION_HANDLE_INVALID,
  pkcs11js.CKR_SESSION_CLOSED,
  pkcs11js.CKR_USER_NOT_LOGGED_IN,
  pkcs11js.CKR_OBJECT_HANDLE_INVALID,
  pkcs11js.CKR_KEY_HANDLE_INVALID,
  pkcs11js.CKR_CRYPTOKI_NOT_INITIALIZED,
  pkcs11js.CKR_TOKEN_NOT_PRESENT,
  pkcs11js.CKR_TOKEN_NOT_RECOGNIZED,
  pkcs11js.CKR_SLOT_ID_INVALID,
  pkcs11js.CKR_DEVICE_ERROR,
  pkcs11js.CKR_DEVICE_REMOVED,
  pkcs11js.CKR_DEVICE_MEMORY,
  pkcs11js.CKR_GENERAL_ERROR,
  pkcs11js.CKR_FUNCTION_FAILED,
  pkcs11js.CKR_OPERATION_ACTIVE,
]

function isLoss(cause: unknown): boolean {
  return cause instanceof Lost || isResult(cause, ...losses)
}

/** What a module answered cannot be right: what we hold of it is to be fetched anew. */
export class Lost extends Error {}

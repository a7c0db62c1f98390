/** HSM Keys on a token: AES-128, each with the one role that it was made for. */

import pkcs11js from 'pkcs11js'
import type { Bytes } from '../../bytes.ts'
import type { KeyType } from '../dlms-cipher.ts'
import { refusal } from '../refusals.ts'
import { type HsmKey, type HsmKeyRole, mustBeHsmLabel, roleOf } from '../symmetric.ts'
import { importTransportKey } from '../transport.ts'
import { mustBeGuarded } from './kinds.ts'
import { keyWrap } from './lend.ts'
import type { Handle } from './library.ts'
import { type Attribute, findObjects, guarded, isTrue, valuesOf } from './objects.ts'
import type { Session } from './sessions.ts'
import { unwrapOaep, wrapTo } from './transport.ts'

interface Known {
  readonly epoch: number
  readonly handle: Handle
  readonly role: HsmKeyRole
}

export class HsmKeys {
  readonly #known = new Map<string, Known>()

  /**
   * Makes a key. One that is for others too is a session object until it was wrapped for them; what is kept on the
   * token is a copy that cannot be wrapped any more.
   */
  make(session: Session, label: string, role: HsmKeyRole, recipients: readonly Bytes[]): Buffer[] {
    mustBeHsmLabel(label)
    for (const recipient of recipients) importTransportKey(recipient)
    this.#mustBeFree(session, label)
    const { pkcs11, handle } = session
    if (recipients.length === 0) {
      const kept = pkcs11.C_GenerateKey(handle, aes, [...template(label, role, true, false), length])
      try {
        mustBeGuarded(session, kept, label)
      } catch (cause) {
        pkcs11.C_DestroyObject(handle, kept)
        throw cause
      }
      return []
    }
    const original = pkcs11.C_GenerateKey(handle, aes, [...template(label, role, false, true), length])
    try {
      const copies = recipients.map(recipient => wrapTo(session, recipient, original))
      this.#keep(session, original, label)
      return copies
    } finally {
      pkcs11.C_DestroyObject(handle, original)
    }
  }

  /** @throws Refusal TRANSPORT_REFUSED */
  import(session: Session, label: string, role: HsmKeyRole, transport: Handle, wrapped: Bytes): void {
    mustBeHsmLabel(label)
    this.#mustBeFree(session, label)
    // First for the session: some modules cannot unwrap to what is not to be changed.
    const arrived = unwrapOaep(session, transport, wrapped, [
      { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
      { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
      ...template(label, role, false, true),
    ])
    try {
      if (lengthOf(session, arrived) !== 16) throw refusal('TRANSPORT_REFUSED')
      this.#keep(session, arrived, label)
    } finally {
      session.pkcs11.C_DestroyObject(session.handle, arrived)
    }
  }

  list(session: Session): HsmKey[] {
    const found = findObjects(session, secretKeys)
      .map(object => valuesOf(session, object, pkcs11js.CKA_LABEL, pkcs11js.CKA_ID))
      .map(([label, id]) => ({ label: label!.toString('latin1'), role: roleFrom(id!) }))
    return found.filter((one): one is HsmKey => one.role !== undefined).sort((a, b) => (a.label < b.label ? -1 : 1))
  }

  /** @throws Refusal KEY_UNKNOWN */
  find(session: Session, label: string): Known {
    const known = this.#known.get(label)
    if (known?.epoch === session.epoch) return known
    const [handle, ...others] = findObjects(session, named(label))
    const role = handle && roleFrom(valuesOf(session, handle, pkcs11js.CKA_ID)[0]!)
    if (!handle || !role) throw refusal('KEY_UNKNOWN', label)
    if (others.length > 0) throw refusal('KEYSTORE_DAMAGED', label)
    const found = { epoch: session.epoch, handle, role }
    this.#known.set(label, found)
    return found
  }

  /** The key that keys of the type are packaged under. @throws Refusal KEY_UNKNOWN, HSM_KEY_ROLE */
  findFor(session: Session, type: KeyType, label: string): Handle {
    const { handle, role } = this.find(session, label)
    if (role !== roleOf[type]) throw refusal('HSM_KEY_ROLE', `${type} under ${label}`)
    return handle
  }

  /** @throws Refusal KEY_UNKNOWN; HSM_KEY_ROLE for a seal */
  findPackaging(session: Session, label: string): Handle {
    const { handle, role } = this.find(session, label)
    if (role === 'seal') throw refusal('HSM_KEY_ROLE', label)
    return handle
  }

  #mustBeFree(session: Session, label: string): void {
    if (findObjects(session, named(label)).length > 0) throw refusal('KEY_EXISTS', label)
  }

  /** A copy on the token that cannot leave it any more, nor be changed. */
  #keep(session: Session, original: Handle, label: string): void {
    const { pkcs11, handle } = session
    const kept = pkcs11.C_CopyObject(handle, original, [
      { type: pkcs11js.CKA_TOKEN, value: true },
      { type: pkcs11js.CKA_EXTRACTABLE, value: false },
      { type: pkcs11js.CKA_MODIFIABLE, value: false },
    ])
    const asked = [pkcs11js.CKA_EXTRACTABLE, pkcs11js.CKA_SENSITIVE, pkcs11js.CKA_MODIFIABLE]
    const [extractable, sensitive, modifiable] = valuesOf(session, kept, ...asked).map(isTrue)
    if (!extractable && sensitive && !modifiable) return
    pkcs11.C_DestroyObject(handle, kept)
    throw refusal('MODULE_KEY_EXPOSED', label)
  }
}

/** SoftHSM2 gives an unwrapped key no length of its own: it shows in what the key is under another (RFC 3394). */
function lengthOf(session: Session, key: Handle): number {
  const { pkcs11, handle } = session
  const uses = { extractable: false, encrypt: false, decrypt: false, sign: false, derive: false, wrap: true }
  const other = pkcs11.C_GenerateKey(handle, aes, [...guarded(false, uses), length])
  try {
    return pkcs11.C_WrapKey(handle, keyWrap, other, key, Buffer.alloc(64)).length - 8
  } finally {
    pkcs11.C_DestroyObject(handle, other)
  }
}

const aes = { mechanism: pkcs11js.CKM_AES_KEY_GEN }
const length = { type: pkcs11js.CKA_VALUE_LEN, value: 16 }
const secretKeys = [
  { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
  { type: pkcs11js.CKA_TOKEN, value: true },
]
const named = (label: string) => [...secretKeys, { type: pkcs11js.CKA_LABEL, value: label }]

/** The role is the key's CKA_ID; what the key can do follows from it too, and neither can be changed afterwards. */
function template(label: string, role: HsmKeyRole, kept: boolean, extractable: boolean): Attribute[] {
  const packages = role !== 'seal'
  const uses = { extractable, encrypt: packages, decrypt: packages, sign: !packages, wrap: false, unwrap: false }
  return [
    { type: pkcs11js.CKA_LABEL, value: label },
    { type: pkcs11js.CKA_ID, value: Buffer.from(idStart + role) },
    ...(kept ? [{ type: pkcs11js.CKA_MODIFIABLE, value: false }] : []),
    ...guarded(kept, { ...uses, derive: false }),
  ]
}

const idStart = 'opensmki '
const roles: readonly HsmKeyRole[] = ['DCO Key', 'Shared Key', 'seal']
const roleFrom = (id: Buffer) => roles.find(role => id.toString('latin1') === idStart + role)

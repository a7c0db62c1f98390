/** Security Setup (class 64): the transfer of new keys, and what a Device is told to demand (dlms.md section 5). */

import type { Bytes } from '../bytes.ts'
import type { DlmsCipher, Opened, TransferKey } from '../keystore/dlms-cipher.ts'
import type { ActionRequest } from './action.ts'
import type { Data } from './data.ts'
import { refusal } from './refusals.ts'
import { usualInvoke } from './request.ts'

export const securitySetupClass = 64

/** The attributes and methods of the class that belong to suite 0. */
export const securitySetup = {
  attributes: {
    logicalName: 1,
    securityPolicy: 2,
    securitySuite: 3,
    clientSystemTitle: 4,
    serverSystemTitle: 5,
  },
  methods: { securityActivate: 1, keyTransfer: 2 },
} as const

export type TransferType = TransferKey['type']

export const keyIds = { GUEK: 0, GBEK: 1, AK: 2, MK: 3 } as const satisfies Record<TransferType, number>

/** One new key, as it travels: wrapped under the Device's Master Key, 24 octets. Nothing in it says whose it is. */
export interface TransferredKey {
  readonly type: TransferType
  readonly wrapped: Bytes
}

/** Wraps new keys under the Master Key that the Device holds now, also a new Master Key. */
export function wrapForTransfer(
  cipher: DlmsCipher,
  mk: Opened<'MK'>,
  keys: readonly TransferKey[],
): TransferredKey[] {
  return keys.map(key => ({ type: key.type, wrapped: cipher.wrap(mk, key) }))
}

/**
 * key_transfer, in version 0 of the class global_key_transfer.
 * @param logicalName the Security Setup of the client, 0.0.43.0.x.255
 * @throws RangeError unless there is at least one key, each type at most once, each wrap 24 octets
 */
export function keyTransfer(
  logicalName: string,
  keys: readonly TransferredKey[],
  invoke = usualInvoke,
): ActionRequest {
  const types = new Set(keys.map(({ type }) => type))
  if (keys.length === 0 || types.size !== keys.length) throw new RangeError('a key_transfer has each key once')
  if (keys.some(({ wrapped }) => wrapped.length !== wrapLength)) throw new RangeError('a wrapped key is 24 octets')
  const items = keys.map(({ type, wrapped }): Data => {
    const keyId: Data = { type: 'enum', value: keyIds[type] }
    return { type: 'structure', items: [keyId, { type: 'octet-string', octets: wrapped }] }
  })
  return onSetup(logicalName, securitySetup.methods.keyTransfer, { type: 'array', items }, invoke)
}

/**
 * The keys in a key_transfer.
 * @throws Refusal DLMS_SERVICE_MISMATCH when it is another action, DLMS_ENCODING when its argument is another
 */
export function readKeyTransfer(request: ActionRequest): TransferredKey[] {
  const { classId, member, data } = request
  if (classId !== securitySetupClass || member !== securitySetup.methods.keyTransfer) {
    throw refusal('DLMS_SERVICE_MISMATCH', `method ${member} of class ${classId} is not key_transfer`)
  }
  if (data?.type !== 'array' || data.items.length === 0) throw refusal('DLMS_ENCODING', 'not an array of keys')
  const keys = data.items.map(readTransferred)
  if (new Set(keys.map(({ type }) => type)).size !== keys.length) {
    throw refusal('DLMS_ENCODING', 'one key stands twice in a key_transfer')
  }
  return keys
}

/** security_activate: it can only strengthen, and 3 (version 0: authenticated and encrypted) cannot be undone. */
export function securityActivate(logicalName: string, policy: number, invoke = usualInvoke): ActionRequest {
  return onSetup(logicalName, securitySetup.methods.securityActivate, { type: 'enum', value: policy }, invoke)
}

/** RFC 3394: 16 octets to 24. */
const wrapLength = 24

const typeOf = new Map<number, TransferType>(Object.entries(keyIds).map(([type, id]) => [id, type as TransferType]))

function onSetup(logicalName: string, member: number, data: Data, invoke: number): ActionRequest {
  return { service: 'action-request', invoke, classId: securitySetupClass, logicalName, member, data }
}

function readTransferred(item: Data): TransferredKey {
  const [keyId, wrapped, ...more] = item.type === 'structure' ? item.items : []
  const type = keyId?.type === 'enum' ? typeOf.get(keyId.value) : undefined
  if (type === undefined) throw refusal('DLMS_ENCODING', 'not a key id')
  if (wrapped?.type !== 'octet-string' || wrapped.octets.length !== wrapLength || more.length > 0) {
    throw refusal('DLMS_ENCODING', 'not a wrapped key')
  }
  return { type, wrapped: wrapped.octets }
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TransferKey } from '../keystore/dlms-cipher.ts'
import { readActionRequest, writeActionRequest } from './action.ts'
import { writeGetRequest } from './get.ts'
import type { DlmsCode } from './refusals.ts'
import {
  keyIds,
  keyTransfer,
  readKeyTransfer,
  securityActivate,
  type TransferType,
  wrapForTransfer,
} from './setup.ts'
import { hold, noVectors, octets, refused, upper, vector, vectors } from './testing.ts'

const setup = '0.0.43.0.0.255'
const typeOf = (id: number) => (Object.keys(keyIds) as TransferType[]).find(type => keyIds[type] === id)!

describe('A key_transfer', () => {
  it('is what X1, X5, X6 and X7 say, from the keys themselves and back to them', { skip: noVectors }, () => {
    const found = vectors().filter(({ given }) => given.keys !== undefined)
    assert.deepEqual(
      found.map(({ id }) => id),
      ['X1', 'X5', 'X6', 'X7'],
    )
    for (const { id, given, expect } of found) {
      const { cipher } = hold()
      const mk = cipher.hold('MK', 'mk', octets(given.mk!))
      const keys = given.keys!.map(({ keyId, key }) => cipher.hold(typeOf(keyId), `new ${keyId}`, octets(key)))
      const wrapped = wrapForTransfer(cipher, mk, keys as TransferKey[])
      assert.deepEqual(
        wrapped.map(each => upper(each.wrapped)),
        given.keys!.map(each => each.wrapped),
        id,
      )
      const made = writeActionRequest(keyTransfer(setup, wrapped))
      assert.equal(upper(made), expect.plain ?? given.plain, id)

      const read = readKeyTransfer(readActionRequest(made))
      assert.deepEqual(
        read.map(({ type }) => keyIds[type]),
        given.keys!.map(({ keyId }) => keyId),
        id,
      )
      for (const each of read) {
        const opened = cipher.unwrap(mk, each.wrapped, each.type, 'opened')
        const again = cipher.wrap(mk, opened as TransferKey)
        assert.deepEqual([opened.type, upper(again)], [each.type, upper(each.wrapped)], id)
      }
    }
  })

  it('has each key once, and every wrap whole', () => {
    const one = { type: 'AK', wrapped: Buffer.alloc(24) } as const
    keyTransfer(setup, [one])
    for (const keys of [[], [one, one], [{ ...one, wrapped: Buffer.alloc(16) }]]) {
      assert.throws(() => keyTransfer(setup, keys), RangeError)
    }
  })

  it('is refused for its own reason when it is none', () => {
    const head = 'C3 01 C1 0040 00002B0000FF 02'
    const key = `02 02 16 02 09 18 ${'00'.repeat(24)}`
    const cases: [string, DlmsCode][] = [
      ['C3 01 C1 0040 00002B0000FF 01 01 16 03', 'DLMS_SERVICE_MISMATCH'],
      ['C3 01 C1 0041 00002B0000FF 02 00', 'DLMS_SERVICE_MISMATCH'],
      [`${head} 00`, 'DLMS_ENCODING'],
      [`${head} 01 01 00`, 'DLMS_ENCODING'],
      [`${head} 01 02 01 ${key}`, 'DLMS_ENCODING'],
      [`${head} 01 01 01 00`, 'DLMS_ENCODING'],
      [`${head} 01 01 01 02 02 16 04 09 18 ${'00'.repeat(24)}`, 'DLMS_ENCODING'],
      [`${head} 01 01 01 02 02 11 02 09 18 ${'00'.repeat(24)}`, 'DLMS_ENCODING'],
      [`${head} 01 01 01 02 02 16 02 09 10 ${'00'.repeat(16)}`, 'DLMS_ENCODING'],
      [`${head} 01 01 01 02 03 16 02 09 18 ${'00'.repeat(24)} 00`, 'DLMS_ENCODING'],
      [`${head} 01 01 02 ${key} ${key}`, 'DLMS_ENCODING'],
    ]
    assert.equal(readKeyTransfer(readActionRequest(octets(`${head} 01 01 01 ${key}`))).length, 1)
    for (const [hex, code] of cases) {
      assert.throws(() => readKeyTransfer(readActionRequest(octets(hex))), refused(code), hex)
    }
  })
})

describe('A Security Setup', () => {
  it('is strengthened as E2 says, and the frame counter read as E1 says', { skip: noVectors }, () => {
    assert.equal(upper(writeActionRequest(securityActivate(setup, 3))), vector('E2').expect.plain)
    const counter = { classId: 1, logicalName: '0.0.43.1.0.255', member: 2 }
    const read = writeGetRequest({ service: 'get-request', invoke: 0xc1, ...counter })
    assert.equal(upper(read), vector('E1').expect.plain)
  })
})

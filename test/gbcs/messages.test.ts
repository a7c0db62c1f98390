/** The real messages: each is read, written again to the same octets, and its signature holds. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHexUpper } from '../../src/ground/bytes.ts'
import {
  readCertificateCommand,
  readIssued,
  readProvided,
  readUpdated,
  readUsageCommand,
  writeGiven,
  writeUpdated,
  writeUsageCommand,
} from '../../src/ground/gbcs/certificate.ts'
import {
  readDetails,
  readDetailsRequest,
  writeDetails,
  writeDetailsRequest,
} from '../../src/ground/gbcs/details.ts'
import { requireMac } from '../../src/ground/gbcs/mac.ts'
import { type GbcsMessage, readMessage, signedOctets, writeMessage } from '../../src/ground/gbcs/message.ts'
import {
  readUpdateAlert,
  readUpdateResponse,
  writeUpdateAlert,
  writeUpdateResponse,
} from '../../src/ground/gbcs/outcome.ts'
import { otherInfo, requireSignature } from '../../src/ground/gbcs/protect.ts'
import { readUpdate, writeUpdate } from '../../src/ground/gbcs/update.ts'
import { modeOfCode, useCases } from '../../src/ground/gbcs/use-cases.ts'
import { macKeyOf } from '../../src/ground/keystore/agreement.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import { certificates, message, messageNames, skip } from './published.ts'

/** Reads a payload by its use case, and writes it again. */
function again({ messageCode, payload, cra }: GbcsMessage): Uint8Array {
  const isCommand = cra === 1
  if (messageCode === useCases.CS02a) {
    if (isCommand) return writeDetailsRequest(readDetailsRequest(payload))
    const { roles, lengths } = readDetails(payload)
    return writeDetails(roles, lengths)
  }
  if (messageCode === useCases.CS02d) {
    return isCommand ? readCertificateCommand(payload) : writeUpdated(readUpdated(payload))
  }
  if (messageCode === useCases.CS02c || messageCode === useCases.CS02e) {
    if (isCommand) return writeUsageCommand(readUsageCommand(payload))
    return writeGiven(messageCode === useCases.CS02c ? readIssued(payload) : readProvided(payload))
  }
  if (messageCode === useCases.CS02bAlert) {
    const { lengths, ...alert } = readUpdateAlert(payload)
    return writeUpdateAlert(alert, lengths)
  }
  assert.ok(modeOfCode(messageCode), `message code ${messageCode}`)
  if (isCommand) {
    const { lengths, ...command } = readUpdate(payload)
    assert.equal(command.mode, modeOfCode(messageCode)!.mode)
    return writeUpdate(command, lengths)
  }
  const { outcome, lengths } = readUpdateResponse(payload)
  return writeUpdateResponse(outcome, lengths)
}

describe('The published messages', { skip }, () => {
  it('are all there', () => assert.ok(messageNames.length >= 32, `${messageNames.length} messages`))

  for (const name of messageNames) {
    it(`${name.slice(0, -4)} is read and written again to the same octets`, () => {
      const octets = message(name)
      const read = readMessage(octets)
      assert.equal(toHexUpper(writeMessage(read, read.signature, read.mac)), toHexUpper(octets))
      assert.deepEqual(Buffer.from(signedOctets(read)), Buffer.from(read.signed))
      assert.equal(toHexUpper(again(read)), toHexUpper(read.payload))
      assert.equal(read.signature === undefined, name.includes('PRECOMMAND'))
    })

    it(`${name.slice(0, -4)} cut short anywhere, or with an octet more, is refused`, () => {
      const octets = message(name)
      for (let length = 0; length < octets.length; length++) {
        const cut = octets.subarray(0, length)
        // A pre-command is a message without the signature part: cut there, it is whole, and another kind of message.
        const whole = readMessage(octets)
        const end = 1 + whole.signed.length
        if (whole.mac === undefined && length === end) continue
        assert.throws(() => readMessage(cut), Refusal, `${length} octets`)
      }
      assert.throws(() => readMessage(Buffer.concat([octets, Buffer.of(1)])), Refusal)
    })
  }

  const keys = certificates.map(one => one.publicKey.spki)

  it('carry signatures of the certificates that are at hand', () => {
    assert.ok(keys.length > 50, `${keys.length} keys`)
    const signedBy = (read: GbcsMessage) =>
      keys.filter(spki => {
        try {
          requireSignature(read, spki)
          return true
        } catch {
          return false
        }
      }).length
    const found = messageNames
      .map(name => ({ name, read: readMessage(message(name)) }))
      .filter(({ read }) => read.signature instanceof Uint8Array)
    const verified = found.filter(({ read }) => signedBy(read) > 0)
    const missing = found
      .filter(one => !verified.includes(one))
      .map(({ name, read }) => `${name} by ${toHexUpper(read.originator)}`)
    assert.deepEqual(missing, [])
    for (const { read } of verified) {
      const changed = { ...read, signed: Buffer.from(read.signed) }
      changed.signed[20]! ^= 1
      assert.equal(signedBy(changed), 0)
    }
  })
})

describe('The vector of GBCS section 18.4', () => {
  const vector = fromHex(
    'dd00000000000081a91100000000df0901000000000000000108123456789abcdef008fffffffffffffffe000200b335d92000000100030300700000130a00ff020300700000130a01ff020300700000130a02ff02030500000000050000000005000000004059045ab0f554622b0360340b9d87b5a23ed5723b41de3f206e58cdd10f915b9fe2e12e2da3632478a8df678e418895869ac1e55318cce04d120d2d6b44dc167b5d832d15b57a56d620f198b3',
  )
  const point = fromHex(
    '76628e1c84ef7935548ae5d62c7bb3ad28964cf794f0387a697eec19cdd98f460a4d5e19087ef7216ed89c29831a6ee838c8de88ef34f11d3f41f36d80b2a5d5',
  )
  const spki = Buffer.concat([fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200' + '04'), point])
  const read = readMessage(vector)

  it('is read and written again to the same octets', () => {
    assert.deepEqual(writeMessage(read, read.signature, read.mac), Buffer.from(vector))
  })

  it('has the signature of its originator', () => requireSignature(read, spki))

  it('has the other information, and the MAC under the derived key', () => {
    assert.equal(toHexUpper(otherInfo(read)), '60857406080300123456789ABCDEF009010000000000000001FFFFFFFFFFFFFFFE')
    requireMac(read, macKeyOf(fromHex('859b846a24e1ea70a168409a1180676b')))
  })

  it('with any one octet changed has neither, or is no message', () => {
    for (let i = 0; i < vector.length; i++) {
      const changed = Buffer.from(vector)
      changed[i]! ^= 1
      assert.throws(
        () => {
          const other = readMessage(changed)
          requireMac(other, macKeyOf(fromHex('859b846a24e1ea70a168409a1180676b')))
        },
        Refusal,
        `octet ${i}`,
      )
    }
  })
})

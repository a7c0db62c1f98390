/**
 * The truth table of Devices' verdicts (recovery.md section 10): simulated Devices answer as Smart DCC's did, to the
 * published messages where they are at hand and else to messages built from their description.
 */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Anchor } from '../../simulator/smets2/anchor.ts'
import { anchorOf } from '../../simulator/smets2/anchor.ts'
import { cellsOf, type DeviceKind, keyOf } from '../../simulator/smets2/cells.ts'
import { Smets2Device } from '../../simulator/smets2/device.ts'
import { fromHex, toHex, toHexUpper } from '../../src/ground/bytes.ts'
import { type Cell, type Held, showCell } from '../../src/ground/gbcs/cell.ts'
import { readIssued, readUpdated } from '../../src/ground/gbcs/certificate.ts'
import { readMessage } from '../../src/ground/gbcs/message.ts'
import { type Outcome, readUpdateAlert, readUpdateResponse } from '../../src/ground/gbcs/outcome.ts'
import { requireSignature } from '../../src/ground/gbcs/protect.ts'
import { readRequest } from '../../src/ground/x509/request.ts'
import { byKeyId, isThere, message, rootKey, skip } from './published.ts'

/** A Device whose cells hold those contents; the certificates are found by their key identifiers. */
function deviceWith(kind: DeviceKind, id: string, held: readonly { cell: Cell; held: Held }[], at: string) {
  const cells = new Map<string, Anchor>()
  const root: Anchor = { uniqueId: Buffer.alloc(8), keyId: fromHex('48cf1b32697c4669'), publicKey: rootKey() }
  cells.set(keyOf(cellsOf[kind].find(cell => cell.role === 0)!), root)
  for (const { cell, held: one } of held) {
    const certificate = byKeyId.get(toHexUpper(one.keyId))
    cells.set(keyOf(cell), certificate ? anchorOf(certificate) : { ...one, publicKey: rootKey() })
  }
  let now = new Date(at)
  const device = new Smets2Device({
    kind,
    id,
    cells,
    clock: () => now,
    switches: { withoutMac: true, withoutTimeChecks: true },
  })
  return {
    device,
    pass: (to: string) => {
      now = new Date(to)
    },
  }
}

const S = 'digitalSignature'
const contents = (...list: [number, Cell['keyUsage'], string, Cell['cellUsage']?, string?][]) =>
  list.map(([role, keyUsage, keyId, cellUsage = 'management', uniqueId = '0000000000000000']) => ({
    cell: { role, keyUsage, cellUsage },
    held: { uniqueId: fromHex(uniqueId), keyId: fromHex(keyId.toLowerCase()) },
  }))

const esme = () =>
  contents(
    [1, S, '41FACBA956F83D87'],
    [2, S, '44899792D196F4B8'],
    [2, 'keyAgreement', '405B8C62687D8F70'],
    [2, 'keyAgreement', '41FB49221588C570', 'prePaymentTopUp'],
    [3, S, '48CF97FA9F827FB5'],
    [3, 'keyAgreement', '4BC9D38D1CB49F2A'],
    [4, 'keyAgreement', '4A9CE02C39AB910B'],
    [5, S, '4B38EB47561D93E8'],
  )

const statuses = (outcome: Outcome) => outcome.cells.map(one => `${showCell(one.cell)} ${one.status}`).sort()
const shown = (outcome: Outcome) =>
  outcome.cells
    .map(
      ({ cell, status, existing, replacing }) =>
        `${showCell(cell)} ${status} ${[existing.keyId, replacing.keyId, existing.uniqueId, replacing.uniqueId].map(toHex).join(' ')}`,
    )
    .sort()

/** The command and the answer under that name; the answer of ours against theirs. */
function published(name: string, kind: DeviceKind = 'ESME', held = esme(), at = '2016-01-01T00:00:00Z') {
  const command = message(`${name}_COMMAND_GBCS.HEX`)
  const theirs = readMessage(message(`${name}_RESPONSE_GBCS.HEX`))
  const { device, pass } = deviceWith(kind, toHex(readMessage(command).recipient), held, at)
  const reaction = device.receive(command)
  assert.ok('answer' in reaction, JSON.stringify(reaction))
  const ours = readMessage(reaction.answer)
  requireSignature(ours, device.publicKey)
  assert.equal(ours.messageCode, theirs.messageCode)
  assert.equal(ours.counter, theirs.counter)
  assert.deepEqual(Buffer.from(ours.recipient), Buffer.from(theirs.recipient))
  return { device, pass, ours, theirs, command }
}

describe('Row by row, on the published messages', { skip }, () => {
  const row = (
    says: string,
    name: string,
    expected: string[],
    kind: DeviceKind = 'ESME',
    held = isThere ? esme() : [],
  ) =>
    it(says, () => {
      const { ours, theirs } = published(name, kind, held)
      const our = readUpdateResponse(ours.payload).outcome!
      const their = readUpdateResponse(theirs.payload).outcome!
      assert.deepEqual(statuses(our), expected.toSorted())
      assert.deepEqual(shown(our), shown(their))
      assert.deepEqual(our.changes, their.changes)
    })

  row('1: three certificates of Z1, path Z1', 'CS02bSupplierBySupplier_6.15.1_IMMEDIATE_SUCCESS', [
    '{2,DS} 0',
    '{2,KA} 0',
    '{2,KA,topUp} 0',
  ])
  row(
    '2: one by Z2, which is not in the path; the good ones are replaced',
    'CS02bSupplierBySupplier_6.15.1_IMMEDIATE_ERROR',
    ['{2,DS} 0', '{2,KA} 10', '{2,KA,topUp} 0'],
  )
  row('7: mode 3', 'CS02bNOByNO_6.15.1_SUCCESS', ['{3,DS} 0', '{3,KA} 0'])
  row('12: mode 8, eight certificates, the same as before', 'CS02bAnyExceptAbnormalRootByRecovery_NA_SUCCESS', [
    '{1,DS} 0',
    '{2,DS} 0',
    '{2,KA} 0',
    '{2,KA,topUp} 0',
    '{3,DS} 0',
    '{3,KA} 0',
    '{4,KA} 0',
    '{5,DS} 0',
  ])
  row(
    '15: mode 11, certificates with OU 02 in cells of role 8',
    'CS02gLoadControllerBySupplier_6.15.1_IMMEDIATE_SUCCESS',
    ['{8,DS} 0', '{8,KA} 0'],
    'HCALCS',
    contents(
      [2, S, '44899792D196F4B8'],
      [8, S, '4694FE8205DC1ACD'],
      [8, 'keyAgreement', '4C42629AFA881F7A', 'management', '90b3d51f30010008'],
      [4, 'keyAgreement', '4A9CE02C39AB910B'],
    ),
  )

  it('3: a future-dated command is accepted only; later an alert 8F66, as theirs', () => {
    const { device, pass, ours, theirs } = published('CS02bSupplierBySupplier_6.15.1_FUTURE_DATED_SUCCESS')
    assert.equal(readUpdateResponse(ours.payload).outcome, undefined)
    assert.equal(readUpdateResponse(theirs.payload).outcome, undefined)
    const theirAlert = readMessage(
      message('CS02bSupplierBySupplier_6.15.1_8F66_FUTURE_DATED_SUCCESS_ALERT_GBCS.HEX'),
    )
    const their = readUpdateAlert(theirAlert.payload)
    pass('2030-01-14T23:59:59Z')
    assert.equal(device.tick(), undefined)
    pass('2030-01-15T00:00:00Z')
    const alert = readMessage(device.tick()!)
    requireSignature(alert, device.publicKey)
    const our = readUpdateAlert(alert.payload)
    assert.equal(our.alertCode, 0x8f66)
    assert.equal(our.executedAt, their.executedAt)
    assert.deepEqual(shown(our.outcome), shown(their.outcome))
    assert.equal(alert.messageCode, theirAlert.messageCode)
    assert.equal(device.tick(), undefined)
  })

  it('5: a cancellation is accepted only, and no alert comes', () => {
    const { device, pass, ours } = published('CS02bSupplierBySupplier_6.15.1_CANCELLATION_SUCCESS')
    assert.equal(readUpdateResponse(ours.payload).outcome, undefined)
    pass('2099-01-01T00:00:00Z')
    assert.equal(device.tick(), undefined)
  })

  it('19: a Device Certificate is taken when the Device made the key pair; else there is no such pair', () => {
    const { ours, theirs } = published('CS02d_6.15.2_SUCCESS')
    assert.equal(readUpdated(theirs.payload), 0)
    // The published certificate is of a key pair that this Device has not made.
    assert.equal(readUpdated(ours.payload), 4)
  })

  it('a CSR has the form of the published one', () => {
    const { ours, theirs } = published('CS02c_6.17_SUCCESS')
    const given = [ours, theirs]
      .map(one => readIssued(one.payload))
      .map(one => readRequest('given' in one ? one.given : Buffer.alloc(0)))
    const [our, their] = given.map(one => ({
      subject: one.subject.rdns.length,
      extensions: one.extensions.map(e => [e.oid, e.critical, e.oid === '2.5.29.15' ? toHex(e.value) : '']),
      algorithm: one.signatureAlgorithm.oid,
    }))
    assert.deepEqual(our, their)
  })

  it('a command that comes again, or with a lower counter, is not answered', () => {
    const { device, command } = published('CS02bAnyExceptAbnormalRootByRecovery_NA_SUCCESS')
    const again = device.receive(command)
    assert.ok('discarded' in again && /is not after/.test(again.discarded), JSON.stringify(again))
  })

  it('a command with one octet changed is not answered', () => {
    const command = message('CS02bAnyExceptAbnormalRootByRecovery_NA_SUCCESS_COMMAND_GBCS.HEX')
    for (const at of [30, 60, 100, 1000, command.length - 1]) {
      const changed = Buffer.from(command)
      changed[at]! ^= 1
      const { device } = deviceWith('ESME', toHex(readMessage(command).recipient), esme(), '2016-01-01T00:00:00Z')
      assert.ok('discarded' in device.receive(changed), `octet ${at}`)
    }
  })
})

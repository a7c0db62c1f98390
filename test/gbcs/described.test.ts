/** The rows of the truth table of which no message was published: messages built from their description. */

import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { cellsOf } from '../../simulator/smets2/cells.ts'
import type { Smets2Device } from '../../simulator/smets2/device.ts'
import { equal } from '../../src/ground/bytes.ts'
import { type Cell, showCell } from '../../src/ground/gbcs/cell.ts'
import { readIssued, readProvided, readUpdated, writeUsageCommand } from '../../src/ground/gbcs/certificate.ts'
import { readDetails, writeDetailsRequest } from '../../src/ground/gbcs/details.ts'
import { readMessage } from '../../src/ground/gbcs/message.ts'
import { readUpdateAlert, readUpdateResponse } from '../../src/ground/gbcs/outcome.ts'
import { requireSignature } from '../../src/ground/gbcs/protect.ts'
import { cancelTime } from '../../src/ground/gbcs/update.ts'
import { useCases } from '../../src/ground/gbcs/use-cases.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readRequest } from '../../src/ground/x509/request.ts'
import { extensions, forgeCertificate, name } from '../verify/forge.ts'
import { type CommandParts, cell, holder, issuing, makeWorld, root, type World } from './world.ts'

const DS = 'digitalSignature'
const KA = 'keyAgreement'
const supplier = [cell(2, DS), cell(2, KA), cell(2, KA, 'prePaymentTopUp')]
const twisted = (signature: Buffer) => {
  const other = Buffer.from(signature)
  other[other.length - 1]! ^= 1
  return other
}

describe('A Device', () => {
  let world: World
  let counter = 1000n
  beforeEach(() => {
    world = makeWorld()
    counter = 1000n
  })

  const fresh = (one: Cell, by = world.z1, more: object = {}) => ({
    cell: one,
    certificate: holder({
      role: one.role,
      eui64: '90b3d51f400100aa',
      usage: one.keyUsage as typeof DS,
      by,
      ...more,
    }).der,
  })

  function send(device: Smets2Device, parts: Omit<CommandParts, 'counter'> & { counter?: bigint }) {
    const reaction = device.receive(world.command(device, { counter: ++counter, ...parts }))
    assert.ok('answer' in reaction, JSON.stringify(reaction))
    const answer = readMessage(reaction.answer)
    requireSignature(answer, device.publicKey)
    return readUpdateResponse(answer.payload).outcome
  }
  const statuses = (outcome: ReturnType<typeof send>) =>
    outcome?.cells.map(one => `${showCell(one.cell)} ${one.status}`)
  function discards(device: Smets2Device, octets: Uint8Array, why: RegExp) {
    const before = new Map(device.state.cells)
    const reaction = device.receive(octets)
    assert.ok('discarded' in reaction, JSON.stringify(reaction))
    assert.match(reaction.discarded, why)
    assert.deepEqual(device.state.cells, before)
  }
  function alert(device: Smets2Device, at: string) {
    world.clock.now = new Date(at)
    const octets = device.tick()
    return octets && readUpdateAlert(readMessage(octets).payload)
  }

  it('4: a future-dated command with a bad certificate is accepted only; later an alert 8F67', () => {
    const device = world.device('ESME')
    const replacements = [fresh(supplier[0]!), fresh(supplier[1]!, world.z2), fresh(supplier[2]!)]
    assert.equal(send(device, { mode: 2, newFloor: 0n, replacements, executeAt: '20300115000000Z' }), undefined)
    const told = alert(device, '2030-01-15T00:00:00Z')!
    assert.equal(told.alertCode, 0x8f67)
    assert.deepEqual(
      told.outcome.cells.map(one => one.status),
      [0, 10, 0],
    )
  })

  for (const [mode, kind] of [
    [2, 'ESME'],
    [7, 'GSME'],
    [10, 'HCALCS'],
    [11, 'HCALCS'],
  ] as const) {
    it(`5: mode ${mode} at the time that means "never" is a cancellation, accepted only, without an alert`, () => {
      const device = world.device(kind)
      const cells = mode >= 10 ? [cell(8, DS), cell(8, KA)] : supplier
      const replacements = cells.map(one => fresh(one))
      send(device, { mode, replacements, executeAt: '20270101000000Z' })
      assert.equal(send(device, { mode, replacements, executeAt: cancelTime }), undefined)
      assert.equal(alert(device, '2099-01-01T00:00:00Z'), undefined)
    })
  }

  for (const [mode, role] of [
    [2, 2],
    [3, 3],
  ] as const) {
    it(`6: a handover in mode ${mode}, the cells holding certificates of the access control broker`, () => {
      const device = world.device('GPF')
      const broker = world.of(cell(4, DS))
      const first = [cell(role, DS), cell(role, KA)].map(one => ({
        cell: one,
        certificate: one.keyUsage === DS ? broker.der : world.of(cell(4, KA)).der,
      }))
      assert.deepEqual(statuses(send(device, { mode: 8, replacements: first })), [
        `{${role},DS} 0`,
        `{${role},KA} 0`,
      ])
      const replacements = [cell(role, DS), cell(role, KA)].map(one => fresh(one))
      const outcome = send(device, { mode, replacements, by: broker.keys })
      assert.deepEqual(statuses(outcome), [`{${role},DS} 0`, `{${role},KA} 0`])
    })
  }

  const simple: [number, number, 'ESME' | 'CHF', Cell][] = [
    [8, 4, 'ESME', cell(4, KA)],
    [9, 5, 'CHF', cell(6, DS)],
    [10, 6, 'ESME', cell(5, DS)],
  ]
  for (const [row, mode, kind, one] of simple) {
    it(`${row}: mode ${mode}`, () => {
      const outcome = send(world.device(kind), {
        mode,
        replacements: [fresh(one)],
        ...(mode === 6 && { timeChecks: false }),
      })
      assert.deepEqual(statuses(outcome), [`${showCell(one)} 0`])
      if (mode === 6) assert.deepEqual(outcome!.changes, [])
    })
  }

  it('11: mode 7, now and at a time, gives the three cells of the supplier to a new one', () => {
    const change = { otherChanges: [{ role: 2, floor: 0n, specialist: [{ usage: 0, floor: 0n }] }] }
    const replacements = supplier.map(one => fresh(one))
    const now = world.device('ESME')
    const outcome = send(now, { mode: 7, replacements, ...change })
    assert.deepEqual(statuses(outcome), ['{2,DS} 0', '{2,KA} 0', '{2,KA,topUp} 0'])
    assert.deepEqual(outcome!.changes, change.otherChanges)
    const later = world.device('ESME')
    assert.equal(send(later, { mode: 7, replacements, ...change, executeAt: '20270101000000Z' }), undefined)
    assert.equal(alert(later, '2027-01-01T00:00:00Z')!.alertCode, 0x8f66)
  })

  it('13: mode 9 replaces the root by one that is not linked to it, and the eight other cells', () => {
    const device = world.device('ESME')
    const next = root('RB')
    const z = issuing(next, 'Y1')
    const replacements = cellsOf.ESME.map(one =>
      one.role === 0 ? { cell: one, certificate: next.der } : fresh(one, z),
    )
    const outcome = send(device, {
      mode: 9,
      symmetricKey: world.root.symmetricKey,
      replacements,
      path: [z.der],
      timeChecks: false,
    })
    assert.deepEqual(
      outcome!.cells.map(one => one.status),
      Array(9).fill(0),
    )
    assert.deepEqual(Buffer.from(outcome!.cells[0]!.replacing.uniqueId), Buffer.alloc(8))
    assert.ok(equal(device.held(cell(0, 'keyCertSign'))!.publicKey, next.pair.spki))
  })

  it('14: mode 9 with one bad certificate: 10 for that cell, 0 for the others, the root included', () => {
    const device = world.device('ESME')
    const next = root('RB')
    const z = issuing(next, 'Y1')
    const topUp = supplier[2]!
    const replacements = cellsOf.ESME.map(one =>
      one.role === 0
        ? { cell: one, certificate: next.der }
        : fresh(one, one.cellUsage === topUp.cellUsage ? world.z1 : z),
    )
    const outcome = send(device, { mode: 9, symmetricKey: world.root.symmetricKey, replacements, path: [z.der] })
    const failed = outcome!.cells.filter(one => one.status !== 0)
    assert.deepEqual(
      failed.map(one => [showCell(one.cell), one.status]),
      [['{2,KA,topUp}', 10]],
    )
    assert.deepEqual(failed[0]!.replacing, failed[0]!.existing)
  })

  const loads = [cell(8, DS), cell(8, KA)]
  it('16 and 17: a path certificate with a broken signature: 10 for each cell, nothing replaced; at a time, 8F67', () => {
    const broken = issuing(world.root, 'Z1', twisted)
    const device = world.device('HCALCS')
    const before = new Map(device.state.cells)
    const parts = { mode: 11, replacements: loads.map(one => fresh(one, broken)), path: [broken.der] }
    assert.deepEqual(statuses(send(device, parts)), ['{8,DS} 10', '{8,KA} 10'])
    assert.deepEqual(device.state.cells, before)
    assert.equal(send(device, { ...parts, executeAt: '20270101000000Z' }), undefined)
    const told = alert(device, '2027-01-01T00:00:00Z')!
    assert.deepEqual([told.alertCode, ...told.outcome.cells.map(one => one.status)], [0x8f67, 10, 10])
  })

  it('18: mode 10, certificates with OU 02 in cells of role 8, now and at a time', () => {
    const device = world.device('HCALCS')
    const replacements = loads.map(one => ({ cell: one, certificate: fresh({ ...one, role: 2 }).certificate }))
    assert.deepEqual(statuses(send(device, { mode: 10, replacements, timeChecks: false })), [
      '{8,DS} 0',
      '{8,KA} 0',
    ])
    const later = world.device('HCALCS')
    send(later, { mode: 10, replacements, executeAt: '20270101000000Z' })
    assert.equal(alert(later, '2027-01-01T00:00:00Z')!.alertCode, 0x8f66)
  })

  /** A command about the Device's own keys. */
  function own(device: Smets2Device, messageCode: number, payload: Uint8Array) {
    const reaction = device.receive(world.signed(device, cell(2, DS), messageCode, payload, ++counter))
    assert.ok('answer' in reaction, JSON.stringify(reaction))
    return readMessage(reaction.answer).payload
  }
  function certified(
    device: Smets2Device,
    usage: 'digitalSignature' | 'keyAgreement' | 'nonRepudiation',
    spoil = (s: Buffer) => s,
  ) {
    const issued = readIssued(own(device, useCases.CS02c, writeUsageCommand(usage === KA ? KA : DS)))
    assert.ok('given' in issued)
    const spki = Buffer.from(readRequest(issued.given).publicKey.spki)
    return forgeCertificate({
      issuer: world.z1.name,
      subject: name(),
      spki,
      by: world.z1.pair,
      extensions: [extensions.usage(usage), extensions.device(device.state.id)],
      spoil,
    })
  }

  it('19: takes the certificate of the key pair that it made, shows it, and signs with it', () => {
    const device = world.device('ESME')
    const before = device.publicKey
    const certificate = certified(device, DS)
    assert.deepEqual(device.publicKey, before)
    assert.equal(readUpdated(own(device, useCases.CS02d, certificate)), 0)
    assert.deepEqual(Buffer.from(device.publicKey), Buffer.from(readCertificate(certificate).publicKey.spki))
    const shown = readProvided(own(device, useCases.CS02e, writeUsageCommand(DS)))
    assert.ok('given' in shown && equal(shown.given, certificate))
  })

  it('19: does so for key agreement too, and the MACs after it are of the new key', () => {
    const device = world.device('ESME')
    assert.equal(readUpdated(own(device, useCases.CS02d, certified(device, KA))), 0)
    assert.deepEqual(statuses(send(device, { mode: 2, replacements: [fresh(supplier[0]!)] })), ['{2,DS} 0'])
  })

  it('20: says that the key usage is wrong before it says that the signature is', () => {
    const device = world.device('ESME')
    assert.equal(readUpdated(own(device, useCases.CS02d, certified(device, 'nonRepudiation', twisted))), 3)
  })

  it('refuses a certificate of another Device, of no key pair of its own, and what is no certificate', () => {
    const [one, other] = [world.device('ESME'), world.device('GSME')]
    assert.equal(readUpdated(own(one, useCases.CS02d, certified(other, DS))), 2)
    const mine = certified(one, DS)
    certified(one, DS)
    assert.equal(readUpdated(own(one, useCases.CS02d, mine)), 5)
    assert.equal(readUpdated(own(world.device('ESME'), useCases.CS02d, Buffer.of(0x30, 0x00))), 1)
  })

  it('21 and 22: a failure inside it is 3, for the CSR and for the certificate', () => {
    const device = world.device('ESME', { failing: KA })
    assert.deepEqual(readIssued(own(device, useCases.CS02c, writeUsageCommand(KA))), { fault: 3 })
    assert.deepEqual(readProvided(own(device, useCases.CS02e, writeUsageCommand(KA))), { fault: 3 })
    assert.deepEqual(readProvided(own(device, useCases.CS02e, writeUsageCommand(DS))), { fault: 2 })
  })

  function details(device: Smets2Device, messageCode: number, roles: number[]) {
    const payload = writeDetailsRequest({ authoriser: cell(2, DS), roles })
    const reaction = device.receive(world.signed(device, cell(2, DS), messageCode, payload, ++counter))
    assert.ok('answer' in reaction, JSON.stringify(reaction))
    const answer = readMessage(reaction.answer)
    assert.ok(answer.mac)
    return readDetails(answer.payload).roles
  }

  it('23: a role of which it has no cells is 25, the others have their details', () => {
    const [two, six] = details(world.device('ESME'), useCases.CS02a, [2, 6])
    assert.deepEqual([two!.status, two!.found?.cells.length], [0, 3])
    assert.deepEqual([six!.status, six!.found], [25, undefined])
  })

  it('24: CS02f answers 127 for role 5', () => {
    const [five, eight] = details(world.device('HCALCS'), useCases.CS02f, [5, 8])
    assert.deepEqual([five!.status, eight!.status], [127, 0])
  })

  describe('does not answer, and changes nothing, when a command', () => {
    const replacements = () => supplier.map(one => fresh(one))
    it('is signed by another', () => {
      const device = world.device('ESME')
      const octets = world.command(device, {
        mode: 2,
        counter: 1n,
        replacements: replacements(),
        by: makeKeyPair('P-256'),
      })
      discards(device, octets, /GBCS_SIGNATURE/)
    })
    it('lacks the MAC, or has one for another Device', () => {
      const [one, other] = [world.device('ESME'), world.device('ESME')]
      const parts = { mode: 2, counter: 1n, replacements: replacements() }
      discards(one, world.command(one, { ...parts, withoutMac: true }), /no MAC/)
      discards(one, world.command(other, parts), /another Device/)
    })
    it('comes a second time, or has a lower counter', () => {
      const device = world.device('ESME')
      const octets = world.command(device, { mode: 8, counter: 7n, replacements: [fresh(cell(3, DS))] })
      assert.ok('answer' in device.receive(octets))
      discards(device, octets, /is not after 7/)
      discards(
        device,
        world.command(device, { mode: 8, counter: 6n, replacements: [fresh(cell(3, DS))] }),
        /is not after 7/,
      )
    })
    it('has the authority of another role, or none', () => {
      const device = world.device('ESME')
      const parts = { mode: 8, counter: 1n, replacements: [fresh(cell(3, DS))] }
      discards(device, world.command(device, { ...parts, authoriser: cell(2, DS) }), /another role/)
    })
    it('reveals a wrong Symmetric Key', () => {
      const device = world.device('ESME')
      const next = root('RB')
      const wrong = Buffer.from(world.root.symmetricKey)
      wrong[0]! ^= 1
      const parts = {
        mode: 9,
        counter: 1n,
        replacements: [{ cell: cell(0, 'keyCertSign'), certificate: next.der }],
        path: [],
      }
      discards(device, world.command(device, { ...parts, symmetricKey: wrong }), /WRAP_REFUSED/)
      discards(device, world.command(device, parts), /symmetric key/)
    })
  })

  it('judges each for itself: a cell that it has not, a wrong usage, a wrong signature, a period that is over', () => {
    const device = world.device('ESME')
    const replacements = [
      fresh(cell(6, DS)),
      { cell: cell(2, DS), certificate: fresh(cell(2, KA)).certificate },
      fresh(cell(2, KA), world.z1, { spoil: twisted }),
      fresh(cell(2, KA, 'prePaymentTopUp'), world.z1, { until: '2025-12-31T23:59:59' }),
      fresh(cell(3, DS)),
    ]
    const outcome = send(device, { mode: 8, replacements })
    assert.deepEqual(statuses(outcome), ['{6,DS} 25', '{2,DS} 5', '{2,KA} 5', '{2,KA,topUp} 5', '{3,DS} 0'])
    const unchecked = send(world.device('ESME'), { mode: 8, replacements, timeChecks: false })
    assert.deepEqual(
      unchecked!.cells.map(one => one.status),
      [25, 5, 5, 0, 0],
    )
  })

  it('may be out of reach, or lose its answer after it has done what it was told', () => {
    const gone = world.device('ESME', { unreachable: true })
    assert.deepEqual(gone.receive(Buffer.alloc(3)), { silent: 'unreachable' })
    const lost = world.device('ESME', { losesAnswers: true })
    const given = fresh(cell(3, DS))
    const octets = world.command(lost, { mode: 8, counter: 1n, replacements: [given] })
    assert.deepEqual(lost.receive(octets), { silent: 'answer lost' })
    assert.ok(equal(lost.held(cell(3, DS))!.publicKey, readCertificate(given.certificate).publicKey.spki))
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Aare, authenticationRequired, writeAare } from './aare.ts'
import { readAarq } from './aarq.ts'
import { readActionRequest, writeActionResponse } from './action.ts'
import { answerPass3, checkPass4, openAssociation, readAnswer } from './associate.ts'
import { type Counters, memoryLedger, sendingCounters } from './counter.ts'
import { newFloor } from './floor.ts'
import { answerChallenge, checkAnswer } from './hls.ts'
import { readInitiateRequest, writeInitiateResponse } from './initiate.ts'
import { protect } from './protect.ts'
import type { DlmsCode } from './refusals.ts'
import { remove } from './remove.ts'
import { counterAt, example, hold, octets, refused, upper } from './testing.ts'

const { client, server } = example
const ctoS = octets('683F1F0C34535D60387107251B560E4B')
const stoC = octets('6B2F072E461C645422361D4678307354')
const opening = { title: client, challenge: ctoS, peerTitle: server, floor: newFloor() }
const agreed = { service: 'initiateResponse', conformance: 0x221e5d, maxPdu: 0x0400 } as const

/** One association's keys, and the counters of both sides. */
function world() {
  const held = hold()
  const counters: Counters = sendingCounters(memoryLedger(1))
  const take = (title: Uint8Array) => counters.take(held.guek, title)
  /** The AARE of an honest server, but for `changes`. */
  const aare = async (changes: Partial<Aare> = {}, text: Uint8Array = writeInitiateResponse(agreed)) =>
    writeAare({
      context: 'ciphered',
      result: 0,
      diagnostic: { source: 'user', value: authenticationRequired },
      title: server,
      authentication: { mechanism: 5, value: stoC },
      userInformation: protect(held.glo, await take(server), text),
      ...changes,
    })
  return { ...held, take, aare }
}

describe('An association', () => {
  it('asks with the title, the challenge and, if one is used, a Dedicated Key that only the GUEK opens', async () => {
    const { glo, dk, take } = world()
    const aarq = openAssociation(glo, await take(client), {
      challenge: ctoS,
      conformance: 0x7e1f,
      maxPdu: 0x04b0,
      dedicatedKey: dk,
    })
    const { context, title, authentication, userInformation } = readAarq(aarq)
    assert.deepEqual(
      [context, upper(title!), authentication],
      ['ciphered', upper(client), { mechanism: 5, value: ctoS }],
    )
    const { text } = remove(glo, userInformation, { from: 'client', title: client, floor: newFloor() })
    assert.deepEqual(readInitiateRequest(text), {
      service: 'initiateRequest',
      conformance: 0x7e1f,
      maxPdu: 0x04b0,
      dedicatedKey: Buffer.from(example.dk),
    })
    assert.ok(!upper(aarq).includes(upper(example.dk)), 'it is not in the clear')
  })

  it('is answered by two counters, and proven by the answer to our own challenge', async () => {
    // The server's two counters in either order, or its one for both: each from a keeper of its own.
    for (const [itsInner, itsOuter, lowest] of [
      [2, 3, 4],
      [3, 2, 4],
      [2, 2, 3],
    ] as const) {
      const { glo, take, aare } = world()
      const answered = readAnswer(glo, await aare(), opening)
      assert.deepEqual([answered.initiate, answered.floor.lowest], [agreed, 2])

      const inner = await take(client)
      const pass3 = answerPass3(glo, { inner, outer: await take(client) }, answered.challenge)
      const read = remove(glo, pass3, { from: 'client', title: client, floor: newFloor() })
      const { data } = readActionRequest(read.text)
      assert.ok(data?.type === 'octet-string')
      assert.equal(checkAnswer(glo, data.octets, stoC, { title: client, floor: newFloor() }), inner.value)
      assert.equal(read.counter, inner.value + 1)

      const again = { ...opening, floor: { ...answered.floor, rule: 'strictly-next' } } as const
      const octets = answerChallenge(glo, await counterAt(glo.key, server, itsInner), ctoS)
      const returned = { data: { type: 'octet-string', octets } } as const
      const text = writeActionResponse({ service: 'action-response', invoke: 0xc1, result: 0, returned })
      const pass4 = protect(glo, await counterAt(glo.key, server, itsOuter), text)
      assert.deepEqual(checkPass4(glo, pass4, again), { lowest, rule: 'strictly-next' })
    }
  })

  it('is refused for what the AARE says, each with its own reason', async () => {
    const { glo, aare } = world()
    const authentication = { mechanism: 5, value: stoC }
    const request = octets('C001C100080000010000FF0200')
    const faults: [DlmsCode, Partial<Aare>][] = [
      ['DLMS_ASSOCIATION_REJECTED', { result: 1, diagnostic: { source: 'user', value: 13 } }],
      ['DLMS_ASSOCIATION_REJECTED', { result: 2, diagnostic: { source: 'provider', value: 1 } }],
      ['DLMS_MECHANISM', { context: 'plain' }],
      ['DLMS_MECHANISM', { diagnostic: { source: 'user', value: 0 } }],
      ['DLMS_MECHANISM', { diagnostic: { source: 'provider', value: authenticationRequired } }],
      ['DLMS_MECHANISM', { authentication: { mechanism: 1, value: stoC } }],
      ['DLMS_OWN_TITLE', { title: client }],
      ['DLMS_TITLE', { title: octets('4D4D4D0000BC614F') }],
      ['DLMS_CHALLENGE_LENGTH', { authentication: { ...authentication, value: stoC.subarray(9) } }],
      ['DLMS_CHALLENGE_REFLECTED', { authentication: { ...authentication, value: ctoS } }],
      ['DLMS_CHALLENGE_IS_APDU', { authentication: { ...authentication, value: request } }],
      ['DLMS_FRAMING', { userInformation: writeInitiateResponse(agreed) }],
    ]
    for (const [code, changes] of faults) {
      const octets = await aare(changes)
      assert.throws(() => readAnswer(glo, octets, opening), refused(code), code)
    }
    const without = { context: 'ciphered', result: 0, diagnostic: { source: 'user', value: 14 } } as const
    assert.throws(() => readAnswer(glo, writeAare(without), opening), refused('DLMS_MECHANISM'))
    const other = await aare({}, octets('C4 01 C1 00 00'))
    assert.throws(() => readAnswer(glo, other, opening), refused('DLMS_SERVICE_MISMATCH'))
    const old = await aare()
    const floor = { lowest: 1000, rule: 'greater' } as const
    assert.throws(() => readAnswer(glo, old, { ...opening, floor }), refused('DLMS_COUNTER'))
  })

  it('is refused when whoever answers holds other keys', async () => {
    const { aare } = world()
    const octets = await aare()
    for (const other of [hold({ ak: example.dk }), hold({ guek: example.dk })]) {
      assert.throws(() => readAnswer(other.glo, octets, opening), refused('DLMS_TAG'))
    }
  })

  it('learns the title of a peer that it does not know by name, and holds it to it', async () => {
    const { glo, aare } = world()
    const { peerTitle: _, ...unnamed } = opening
    assert.equal(upper(readAnswer(glo, await aare(), unnamed).title), upper(server))
    const lies = await aare({ title: octets('4D4D4D0000BC614F') })
    assert.throws(() => readAnswer(glo, lies, unnamed), refused('DLMS_TAG'))
  })

  it('is not proven by another result, service, invoke-id, value or challenge', async () => {
    const { glo, take } = world()
    const answer = async (challenge: Uint8Array) => answerChallenge(glo, await take(server), challenge)
    const right = await answer(ctoS)
    const response = (octets: Uint8Array, changes: { result?: number; invoke?: number } = {}) => {
      const returned = { data: { type: 'octet-string', octets } } as const
      return writeActionResponse({ service: 'action-response', invoke: 0xc1, result: 0, returned, ...changes })
    }
    const cases: [DlmsCode | undefined, Uint8Array][] = [
      [undefined, response(right)],
      ['DLMS_RESULT', response(right, { result: 3 })],
      ['DLMS_SERVICE_MISMATCH', response(right, { invoke: 0xc2 })],
      ['DLMS_SERVICE_MISMATCH', octets('C4 01 C1 00 00')],
      ['DLMS_HLS', octets('C7 01 C1 00 00')],
      ['DLMS_HLS', octets('C7 01 C1 00 01 01 02')],
      ['DLMS_HLS', octets('C7 01 C1 00 01 00 00')],
      ['DLMS_LENGTH', response(right.subarray(1))],
      ['DLMS_HLS', response(await answer(stoC))],
    ]
    for (const [code, text] of cases) {
      const apdu = protect(glo, await take(server), text)
      const check = () => checkPass4(glo, apdu, opening)
      if (code === undefined) check()
      else assert.throws(check, refused(code), upper(text))
    }
  })
})

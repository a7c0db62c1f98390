import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { writeAare } from './aare.ts'
import { readAarq } from './aarq.ts'
import { readActionRequest, readActionResponse, writeActionRequest, writeActionResponse } from './action.ts'
import { answerPass3, checkPass4, openAssociation, readAnswer } from './associate.ts'
import { type Floor, newFloor } from './floor.ts'
import { readGetRequest, readGetResponse, writeGetRequest, writeGetResponse } from './get.ts'
import { answerChallenge, checkAnswer } from './hls.ts'
import { readInitiateRequest, writeInitiateResponse } from './initiate.ts'
import { protect } from './protect.ts'
import { type Removed, remove } from './remove.ts'
import { keyTransfer, readKeyTransfer, wrapForTransfer } from './setup.ts'
import { counterAt, hold, noVectors, octets, refused, transcript, upper } from './testing.ts'
import { readWrapped, writeWrapped } from './wrapper.ts'

// The recording repeats a nonce: frames 3 and 4 have one counter inside and outside. A keeper of ours never hands out
// one value twice, so each value here comes from a keeper of its own.
describe('The recorded rotation', { skip: noVectors }, () => {
  const { given, frames } = transcript()
  const titles = { client: octets(given.clientTitle), server: octets(given.serverTitle) }
  const held = {
    old: hold({ guek: octets(given.old.guek), ak: octets(given.old.ak) }),
    new: hold({ guek: octets(given.new.guek), ak: octets(given.new.ak) }),
  }
  const frame = (n: number) => frames[n - 1]!
  const apdu = (n: number) => readWrapped(octets(frame(n).frame)).apdu
  const keysOf = (n: number) => held[frame(n).keys].glo
  const value = (hex: string) => Number(`0x${hex}`)

  /** What we make for a frame must be that frame, wrapper and all. */
  function is(n: number, made: Uint8Array): void {
    assert.equal(upper(writeWrapped({ source: 1, destination: 1, apdu: made })), frame(n).frame, `frame ${n}`)
  }

  /** The counter that a frame was protected under, or the answer inside it. */
  const counterOf = (n: number, ic = frame(n).ic) => counterAt(keysOf(n).key, titles[frame(n).from], value(ic))

  const protectFrame = async (n: number, text: Uint8Array) => protect(keysOf(n), await counterOf(n), text)

  function removeFrame(n: number, floor: Floor): Removed {
    const { from } = frame(n)
    const removed = remove(keysOf(n), octets(frame(n).protected), { from, title: titles[from], floor })
    assert.equal(upper(removed.text), frame(n).plain, `frame ${n}`)
    return removed
  }

  /** Frames 1 to 4, or 9 to 12: both sides of an association. @returns the floors of client and server after it */
  async function association(first: number): Promise<{ client: Floor; server: Floor }> {
    const keys = keysOf(first)
    const ctoS = octets(frame(first).challenge!)
    const stoC = octets(frame(first + 1).challenge!)
    const hls = [frame(first + 2).hls!, frame(first + 3).hls!] as const

    // Pass 1, by the client, and as the server reads it.
    const wanted = { challenge: ctoS, conformance: 0x221e5d, maxPdu: 0xffff }
    is(first, openAssociation(keys, await counterOf(first), wanted))
    const aarq = readAarq(apdu(first))
    assert.equal(aarq.context, 'ciphered')
    assert.deepEqual(aarq.authentication, { mechanism: 5, value: ctoS })
    assert.deepEqual(aarq.title, titles.client)
    assert.equal(upper(aarq.userInformation), frame(first).protected)
    const request = removeFrame(first, newFloor())
    const initiate = { conformance: 0x221e5d, maxPdu: 0xffff }
    assert.deepEqual(readInitiateRequest(request.text), { service: 'initiateRequest', ...initiate })

    // Pass 2, by the server, and as the client judges it.
    const agreed = { service: 'initiateResponse', conformance: 0x221e5d, maxPdu: 0x0400 } as const
    const userInformation = await protectFrame(first + 1, writeInitiateResponse(agreed))
    const aare = writeAare({
      context: 'ciphered',
      result: 0,
      diagnostic: { source: 'user', value: 14 },
      title: titles.server,
      authentication: { mechanism: 5, value: stoC },
      userInformation,
    })
    is(first + 1, aare)
    const opening = { title: titles.client, challenge: ctoS, peerTitle: titles.server, floor: newFloor() }
    const answered = readAnswer(keys, apdu(first + 1), opening)
    assert.deepEqual(answered.initiate, agreed)
    assert.deepEqual([upper(answered.challenge), upper(answered.title)], [upper(stoC), upper(titles.server)])

    // Pass 3.
    const inner = await counterOf(first + 2, hls[0].ic)
    const outer = await counterOf(first + 2)
    assert.throws(() => answerPass3(keys, { inner, outer }, stoC), /repeat an invocation counter/, 'we would not')
    const replyToHls = { classId: 15, logicalName: '0.0.40.0.0.255', member: 1 }
    const data = { type: 'octet-string', octets: answerChallenge(keys, inner, stoC) } as const
    const action = { service: 'action-request', invoke: 0xc1, ...replyToHls, data } as const
    is(first + 2, protect(keys, outer, writeActionRequest(action)))
    const pass3 = removeFrame(first + 2, request.floor)
    const argument = readActionRequest(pass3.text).data
    assert.ok(argument?.type === 'octet-string')
    assert.equal(upper(argument.octets), hls[0].value)
    const before = { title: titles.client, floor: request.floor }
    assert.equal(checkAnswer(keys, argument.octets, stoC, before), value(hls[0].ic))

    // Pass 4.
    const answer = answerChallenge(keys, await counterOf(first + 3, hls[1].ic), ctoS)
    const returned = { data: { type: 'octet-string', octets: answer } } as const
    const response = { service: 'action-response', invoke: 0xc1, result: 0, returned } as const
    is(first + 3, await protectFrame(first + 3, writeActionResponse(response)))
    assert.deepEqual(readActionResponse(removeFrame(first + 3, answered.floor).text), response)
    const floor = checkPass4(keys, apdu(first + 3), { ...opening, floor: answered.floor })
    return { client: floor, server: pass3.floor }
  }

  it('is 12 frames, which are read, judged and written octet for octet', async () => {
    assert.equal(frames.length, 12)
    const floors = await association(1)

    // 5: the new keys, wrapped under the MK.
    const cipher = held.old.cipher
    const mk = cipher.hold('MK', 'the MK', octets(given.mk))
    const newAk = cipher.hold('AK', 'the new AK', octets(given.new.ak))
    const newGuek = cipher.hold('GUEK', 'the new GUEK', octets(given.new.guek))
    const transfer = keyTransfer('0.0.43.0.0.255', wrapForTransfer(cipher, mk, [newAk, newGuek]))
    is(5, await protectFrame(5, writeActionRequest(transfer)))
    const offered = removeFrame(5, floors.server)
    const keys = readKeyTransfer(readActionRequest(offered.text))
    assert.deepEqual(
      keys.map(({ type }) => type),
      ['AK', 'GUEK'],
    )
    for (const { type, wrapped } of keys) cipher.unwrap(mk, wrapped, type, 'as the server opens it')

    // 6: success, under the old keys.
    is(6, await protectFrame(6, writeActionResponse({ service: 'action-response', invoke: 0xc1, result: 0 })))
    const reply = removeFrame(6, floors.client)
    assert.deepEqual(readActionResponse(reply.text), { service: 'action-response', invoke: 0xc1, result: 0 })
    const underNew = { from: 'server', title: titles.server, floor: newFloor() } as const
    assert.throws(() => remove(held.new.glo, octets(frame(6).protected), underNew), refused('DLMS_TAG'))

    // 7 and 8: a read, still under the old keys.
    const member = { classId: 8, logicalName: '0.0.1.0.0.255', member: 2 }
    const get = { service: 'get-request', invoke: 0xc1, ...member } as const
    is(7, await protectFrame(7, writeGetRequest(get)))
    assert.deepEqual(readGetRequest(removeFrame(7, offered.floor).text), get)
    const clock = octets('07EA0B1405030000FF000000')
    const got = { service: 'get-response', invoke: 0xc1, data: { type: 'octet-string', octets: clock } } as const
    is(8, await protectFrame(8, writeGetResponse(got)))
    assert.deepEqual(readGetResponse(removeFrame(8, reply.floor).text), got)

    // 9 to 12: an association under the new keys, whose counters begin anew.
    assert.deepEqual(await association(9), {
      client: { lowest: 2, rule: 'greater' },
      server: { lowest: 2, rule: 'greater' },
    })
  })

  it('cannot be played again: every frame is below the floor that it raised', () => {
    for (const { n, from } of frames) {
      const { floor } = removeFrame(n, newFloor())
      const again = () => remove(keysOf(n), octets(frame(n).protected), { from, title: titles[from], floor })
      assert.throws(again, refused('DLMS_COUNTER'))
    }
  })
})

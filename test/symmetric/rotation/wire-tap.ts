/** Listens on the lines to the meters: no counter of ours may carry two texts under one key (dlms.md section 3). */

import assert from 'node:assert/strict'
import { readAarq, readAsked, readOctetString, readSecured, type Secured } from '../../../simulator/meter/apdu.ts'
import { uncover } from '../../../simulator/meter/cipher.ts'
import type { Dial } from '../../../src/rooms/symmetric/s1sp/line.ts'
import { openPackageForTest } from './opened.ts'
import type { Rig } from './rig.ts'

const ourTitle = Buffer.from('4f534d4b00000001', 'hex')

export interface Tap {
  readonly dial: Dial
  readonly sent: { port: number; apdu: Buffer }[]
}

/** Every APDU that leaves, as it is about to. */
export function wireTap(dial: Dial, before: () => void = () => {}): Tap {
  const sent: Tap['sent'] = []
  return {
    sent,
    dial: async (address, maxPdu) => {
      const line = await dial(address, maxPdu)
      return {
        close: () => line.close(),
        exchange(client, apdu) {
          before()
          sent.push({ port: address.port, apdu: Buffer.from(apdu) })
          return line.exchange(client, apdu)
        },
      }
    },
  }
}

/**
 * Deciphers everything that was sent to a meter with every key that it ever had, and looks at each (key, counter): one
 * text, however often. Nothing is weaker than authenticated and encrypted.
 * @returns how many counters were looked at
 */
export async function requireNoCounterTwice(rig: Rig, tap: Tap, device: string): Promise<number> {
  const { rows } = await rig.stores.s1sp.store.query<{ holder: string; type: string; octets: Buffer }>(
    "SELECT holder, type, octets FROM key_record WHERE device = $1 AND type IN ('AK', 'GUEK')",
    [device],
  )
  const keys = rows.map(({ holder, type, octets }) => ({ holder, type, key: openPackageForTest(rig, octets) }))
  const pairs = keys
    .filter(({ type }) => type === 'GUEK')
    .flatMap(({ holder, key: guek }) =>
      keys.filter(one => one.type === 'AK' && one.holder === holder).map(({ key: ak }) => ({ guek, ak })),
    )
  const { rows: where } = await rig.stores.s1sp.store.query<{ port: number }>(
    'SELECT port FROM device WHERE device = $1',
    [device],
  )
  const texts = new Map<string, string>()
  const once = (guek: Buffer, counter: number, text: string) => {
    const name = `${guek.toString('hex')}/${counter}`
    assert.equal(texts.get(name) ?? text, text, 'one counter carried two texts')
    texts.set(name, text)
  }
  for (const { port, apdu } of tap.sent) {
    if (port !== where[0]!.port) continue
    const secured = securedIn(apdu)
    if (!secured) continue
    assert.equal(secured.control, 0x30)
    const opened = pairs
      .map(pair => ({ pair, text: uncover(pair, ourTitle, 0x30, secured.counter, secured.body) }))
      .find(({ text }) => text !== undefined)
    assert.ok(opened, 'what was sent is under keys of the Device')
    once(opened.pair.guek, secured.counter, apdu.toString('hex'))
    const text = opened.text!
    if (text[0] !== 0xc3) continue
    const asked = readAsked(text)
    if (asked.classId !== 15) continue
    const answer = readOctetString(asked.data)
    once(opened.pair.guek, answer.readUInt32BE(1), answer.toString('hex'))
  }
  return texts.size
}

/** The protected part of what was sent: none in what the Public client says, and in a release. */
function securedIn(apdu: Buffer): Secured | undefined {
  if (apdu[0] === 0x60) {
    const { context, initiate } = readAarq(apdu)
    return context === 3 ? readSecured(initiate) : undefined
  }
  return apdu[0] === 0x62 || (apdu[0]! >= 0xc0 && apdu[0]! <= 0xc3) ? undefined : readSecured(apdu)
}

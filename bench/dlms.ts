/** Protected and opened DLMS APDUs a second, beside the bare AES-GCM of the platform on the same octets in the same run. */

import { createCipheriv, createDecipheriv } from 'node:crypto'
import { memoryLedger, sendingCounters } from '../src/ground/dlms/counter.ts'
import { newFloor } from '../src/ground/dlms/floor.ts'
import { protect } from '../src/ground/dlms/protect.ts'
import { remove } from '../src/ground/dlms/remove.ts'
import { softwareDlmsCipher } from '../src/ground/keystore/dlms-cipher.ts'

/** A get-request, a key_transfer of two keys, and the largest PDU of a meter: plain APDUs, in octets. */
const sizes = [13, 75, 1024] as const
const rounds = 9

/**
 * One thread. An operation is one APDU protected and the protection taken off again: counter taken, nonce, framing, all
 * checks. Ours and the bare primitive take turns, and the median round counts.
 * @param options.count operations of each kind and size; default 20,000
 * @returns for each size: `operationsPerSecond<size>`, `barePerSecond<size>`, `ratio<size>`
 */
export async function run({ count = 20_000 }: { count?: number } = {}): Promise<Record<string, number>> {
  const figures: Record<string, number> = {}
  const each = Math.ceil(count / rounds)
  for (const size of sizes) {
    const [ours, bare] = [oursOver(size), bareOver(size)]
    await ours(each)
    bare(each)
    const seconds: { ours: number[]; bare: number[] } = { ours: [], bare: [] }
    for (let round = 0; round < rounds; round++) {
      seconds.ours.push(await timed(() => ours(each)))
      seconds.bare.push(await timed(() => bare(each)))
    }
    const ourRate = each / median(seconds.ours)
    const bareRate = each / median(seconds.bare)
    figures[`operationsPerSecond${size}`] = Math.round(ourRate)
    figures[`barePerSecond${size}`] = Math.round(bareRate)
    figures[`ratio${size}`] = Math.round((ourRate / bareRate) * 1000) / 1000
  }
  return figures
}

// Published test keys: see dlms.md.
const guek = Buffer.from('000102030405060708090A0B0C0D0E0F', 'hex')
const ak = Buffer.from('D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF', 'hex')
const title = Buffer.from('4D4D4D0000000001', 'hex')
const getRequest = 0xc0

function oursOver(size: number): (count: number) => Promise<void> {
  const cipher = softwareDlmsCipher()
  const keys = { cipher, key: cipher.hold('GUEK', 'bench', guek), ak: cipher.hold('AK', 'bench', ak) }
  const counters = sendingCounters(memoryLedger(), { block: 100 })
  const text = Buffer.alloc(size, getRequest)
  let floor = newFloor()
  return async count => {
    for (let i = 0; i < count; i++) {
      const counter = await counters.take(keys.key, title)
      const apdu = protect(keys, counter, text)
      const removed = remove(keys, apdu, { from: 'client', title, floor })
      floor = removed.floor
    }
  }
}

/** The same cipher calls with everything prepared, and nothing framed, counted or checked but the tag. */
function bareOver(size: number): (count: number) => void {
  const text = Buffer.alloc(size, getRequest)
  const associated = Buffer.concat([Buffer.of(0x30), ak])
  const withTag = { authTagLength: 12 } as const
  const iv = Buffer.concat([title, Buffer.alloc(4)])
  let counter = 0
  return count => {
    for (let i = 0; i < count; i++) {
      iv.writeUInt32BE(counter++, 8)
      const cipher = createCipheriv('aes-128-gcm', guek, iv, withTag)
      cipher.setAAD(associated)
      const ciphertext = cipher.update(text)
      cipher.final()
      const decipher = createDecipheriv('aes-128-gcm', guek, iv, withTag)
      decipher.setAAD(associated)
      decipher.setAuthTag(cipher.getAuthTag())
      decipher.update(ciphertext)
      decipher.final()
    }
  }
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const start = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - start) / 1e9
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

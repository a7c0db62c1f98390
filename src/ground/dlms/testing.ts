/** What the tests of this folder share: the vectors, keys to hold, counters that begin where they are wanted. */

import { existsSync, readFileSync } from 'node:fs'
import { fromHex } from '../bytes.ts'
import { type CipherKey, softwareDlmsCipher } from '../keystore/dlms-cipher.ts'
import { Refusal } from '../refusal.ts'
import { memoryLedger, sendingCounters, type TakenCounter } from './counter.ts'
import type { DlmsCode } from './refusals.ts'

const file = new URL('../../../../shared/data/dlms/vectors.json', import.meta.url)

/** For the `skip` of a test that needs the vectors. */
export const noVectors = !existsSync(file) && 'skipped: ../shared/data/dlms is not here (external test data)'

export interface Vector {
  readonly id: string
  readonly kind: string
  readonly given: Record<string, string> & {
    keys?: { keyId: number; key: string; wrapped: string }[]
    apdus?: string[]
  }
  readonly expect: Record<string, string> & { candidates?: string[] }
}

interface TranscriptFrame {
  readonly n: number
  readonly from: 'client' | 'server'
  readonly keys: 'old' | 'new'
  readonly frame: string
  readonly protected: string
  readonly ic: string
  readonly plain: string
  readonly challenge?: string
  readonly hls?: { value: string; ic: string; challenge: string }
}

interface Transcript {
  readonly given: {
    readonly clientTitle: string
    readonly serverTitle: string
    readonly mk: string
    readonly old: { guek: string; ak: string }
    readonly new: { guek: string; ak: string }
  }
  readonly frames: readonly TranscriptFrame[]
}

interface VectorFile {
  readonly vectors: readonly Vector[]
  readonly transcript: Transcript
}

const whole: VectorFile | undefined = noVectors ? undefined : JSON.parse(readFileSync(file, 'utf8'))

export const vectors = (kind?: string): readonly Vector[] =>
  (whole?.vectors ?? []).filter(vector => kind === undefined || vector.kind === kind)

export const vector = (id: string): Vector => whole!.vectors.find(vector => vector.id === id)!

export const transcript = (): Transcript => whole!.transcript

export const octets = (hex: string): Buffer => fromHex(hex.replaceAll(' ', ''))
export const upper = (some: Uint8Array): string => Buffer.from(some).toString('hex').toUpperCase()

/** The keys, titles and APDU of the published example (dlms.md, V3). */
export const example = {
  guek: octets('000102030405060708090A0B0C0D0E0F'),
  ak: octets('D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF'),
  dk: octets('00112233445566778899AABBCCDDEEFF'),
  client: octets('4D4D4D0000000001'),
  server: octets('4D4D4D0000BC614E'),
  counter: 0x01234567,
  plain: octets('C0 01 00 0008 0000010000FF 02 00'),
  apdu: octets('C8 1E 30 01234567 411312FF935A47566827C467BC 7D825C3BE4A77C3FCC056B6B'),
} as const

let held = 0

/** A cipher with a GUEK, an AK and a DK, each under an id of its own. */
export function hold(given: { guek?: Uint8Array; ak?: Uint8Array; dk?: Uint8Array } = {}) {
  const cipher = softwareDlmsCipher()
  const id = `test-${++held}`
  const guek = cipher.hold('GUEK', `${id}/GUEK`, given.guek ?? example.guek)
  const ak = cipher.hold('AK', `${id}/AK`, given.ak ?? example.ak)
  const dk = cipher.hold('DK', `${id}/DK`, given.dk ?? example.dk)
  return { cipher, guek, ak, dk, glo: { cipher, key: guek, ak }, ded: { cipher, key: dk, ak } }
}

/** A counter of that value from a keeper of its own: what no program of ours may do, and vectors need. */
export function counterAt(key: CipherKey, title: Uint8Array, value: number): Promise<TakenCounter> {
  return sendingCounters(memoryLedger(value)).take(key, title)
}

/** For `assert.throws`: a Refusal of that code. */
export function refused(code: DlmsCode): (error: unknown) => true {
  return error => {
    if (!(error instanceof Refusal) || error.code !== code) throw error
    return true
  }
}

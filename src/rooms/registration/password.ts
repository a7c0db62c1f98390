/** Passwords of the Repository portal: kept as what scrypt makes of them, and compared in constant time. */

import { scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Chance } from '../../ground/clock.ts'

export interface KeptPassword {
  readonly salt: Buffer
  /** N = 2^log2N, r = 8, p = 1 (RFC 7914). */
  readonly log2N: number
  readonly hash: Buffer
}

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
)

export async function keepPassword(chance: Chance, password: string, log2N: number): Promise<KeptPassword> {
  const salt = Buffer.from(chance(16))
  return { salt, log2N, hash: await stretch(password, salt, log2N) }
}

export async function isPassword({ salt, log2N, hash }: KeptPassword, password: string): Promise<boolean> {
  return timingSafeEqual(await stretch(password, salt, log2N), hash)
}

/** Takes as long as trying a password: for a username that there is not, so that time does not tell. */
export async function tryNothing(password: string, log2N: number): Promise<void> {
  await stretch(password, Buffer.alloc(16), log2N)
}

/** For one use: its holder changes it at the first login. 96 random bits in 16 characters. */
export function newPassword(chance: Chance): string {
  return Buffer.from(chance(12)).toString('base64url')
}

// One text of one password, however a keyboard composes it (RFC 8265 4.2: OpaqueString is in NFC).
function stretch(password: string, salt: Buffer, log2N: number): Promise<Buffer> {
  const N = 2 ** log2N
  return derive(password.normalize('NFC'), salt, 32, { N, r: 8, p: 1, maxmem: 256 * N * 8 })
}

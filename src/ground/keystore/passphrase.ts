/** Where a passphrase comes from: a file that only its owner may read, or a person at a terminal. */

import { timingSafeEqual } from 'node:crypto'
import type { ReadStream, WriteStream } from 'node:tty'
import type { Bytes } from '../bytes.ts'
import { type Privacy, readPrivateFile } from './private-file.ts'
import { refusal } from './refusals.ts'

/**
 * The first line of a file, without its end (LF or CRLF), as the octets that stand there. The caller zeroes it.
 * @throws Refusal PASSPHRASE_FILE_MISSING, PASSPHRASE_FILE_READABLE, PASSPHRASE_EMPTY, PASSPHRASE_TOO_LONG
 */
export function readPassphraseFile(path: string): Buffer {
  const { octets } = readPrivateFile(path, privacy)
  try {
    const newline = octets.indexOf(0x0a)
    const line = newline < 0 ? octets : octets.subarray(0, newline)
    return accepted(line.at(-1) === 0x0d ? line.subarray(0, -1) : line)
  } finally {
    octets.fill(0)
  }
}

/**
 * Asks a person, and shows nothing of what is typed. Backspace and Ctrl-U correct, Ctrl-C and Ctrl-D give up. The caller
 * zeroes the answer.
 * @param asking `again` is a second question, for a new passphrase: the two answers must be the same
 * @throws Refusal NO_TERMINAL, PASSPHRASE_NOT_GIVEN, PASSPHRASES_DIFFER, PASSPHRASE_EMPTY, PASSPHRASE_TOO_LONG
 */
export async function askPassphrase(asking: {
  input: ReadStream
  output: WriteStream
  question: string
  again?: string
}): Promise<Buffer> {
  const { input, output, question, again } = asking
  if (!input.isTTY) throw refusal('NO_TERMINAL')
  const first = await askOnce(input, output, question)
  if (again === undefined) return first
  const second = await askOnce(input, output, again).catch(cause => {
    first.fill(0)
    throw cause
  })
  try {
    if (same(first, second)) return first
    first.fill(0)
    throw refusal('PASSPHRASES_DIFFER')
  } finally {
    second.fill(0)
  }
}

const longest = 1024

const privacy: Privacy = {
  missing: 'PASSPHRASE_FILE_MISSING',
  open: 'PASSPHRASE_FILE_READABLE',
  tooLarge: 'PASSPHRASE_TOO_LONG',
  limit: 16 * longest,
  folder: 'unwritable',
}

function accepted(octets: Bytes): Buffer {
  if (octets.length === 0) throw refusal('PASSPHRASE_EMPTY')
  if (octets.length > longest) throw refusal('PASSPHRASE_TOO_LONG')
  const passphrase = Buffer.alloc(octets.length)
  passphrase.set(octets)
  return passphrase
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

async function askOnce(input: ReadStream, output: WriteStream, question: string): Promise<Buffer> {
  const typed = new Typed()
  // The terminal shows nothing from here, and sends every key as it is pressed. Only then is the question asked.
  input.setRawMode(true)
  try {
    output.write(`${question} `)
    await readUntil(input, chunk => typed.take(chunk))
    return typed.passphrase()
  } finally {
    input.setRawMode(false)
    output.write('\n')
    typed.zero()
  }
}

/** Gives each chunk to `take` until it says how many octets of it were its own; the rest goes back to the stream. */
function readUntil(input: ReadStream, take: (chunk: Buffer) => number | undefined): Promise<void> {
  return new Promise((done, fail) => {
    const stop = () => {
      input.off('data', read)
      input.off('end', ended)
      input.off('error', failed)
      input.pause()
    }
    const ended = () => failed(refusal('PASSPHRASE_NOT_GIVEN'))
    const failed = (cause: Error) => {
      stop()
      fail(cause)
    }
    const read = (chunk: Buffer) => {
      try {
        const used = take(chunk)
        if (used === undefined) return
        stop()
        // Typed ahead, as the answer to the next question.
        if (used < chunk.length) input.unshift(Buffer.from(chunk.subarray(used)))
        done()
      } catch (cause) {
        stop()
        fail(cause)
      } finally {
        chunk.fill(0)
      }
    }
    input.on('data', read)
    input.on('end', ended)
    input.on('error', failed)
    input.resume()
  })
}

/** What was typed so far, in one buffer. */
class Typed {
  readonly #octets = Buffer.alloc(longest + 1)
  #length = 0
  /** Within what an arrow or function key sends: ESC and one octet, or ESC [ … and a letter or ~ (ECMA-48). */
  #escape: 'none' | 'begun' | 'sequence' = 'none'

  /** How many octets of the chunk were read when the line ended; undefined while it goes on. */
  take(chunk: Buffer): number | undefined {
    for (const [at, octet] of chunk.entries()) {
      if (octet === 0x0d || octet === 0x0a) return at + 1
      this.#press(octet)
    }
    return undefined
  }

  passphrase(): Buffer {
    return accepted(this.#octets.subarray(0, this.#length))
  }

  zero(): void {
    this.#octets.fill(0)
  }

  #press(octet: number): void {
    if (octet === 0x03 || octet === 0x04) throw refusal('PASSPHRASE_NOT_GIVEN')
    if (this.#escape !== 'none') this.#escape = this.#afterEscape(octet)
    else if (octet === 0x1b) this.#escape = 'begun'
    else if (octet === 0x15) this.#length = 0
    else if (octet === 0x7f || octet === 0x08) this.#rubOut()
    else if (octet >= 0x20 && this.#length < this.#octets.length) this.#octets[this.#length++] = octet
  }

  #afterEscape(octet: number): 'none' | 'sequence' {
    if (this.#escape === 'begun') return octet === 0x5b || octet === 0x4f ? 'sequence' : 'none'
    return octet >= 0x40 && octet <= 0x7e ? 'none' : 'sequence'
  }

  /** One character, which in UTF-8 is one octet and those before it that it continues. */
  #rubOut(): void {
    let isContinuation = true
    while (isContinuation && this.#length > 0) {
      this.#length -= 1
      isContinuation = (this.#octets[this.#length]! & 0xc0) === 0x80
    }
  }
}

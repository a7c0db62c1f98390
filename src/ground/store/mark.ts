/** A mark: a small note on the disk that is replaced in place, and is whole and the newest or the one before, never half. */

import { hash } from 'node:crypto'
import { closeSync, fdatasyncSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** What is kept: anything that JSON has. */
export interface Mark<Value> {
  /** The newest that was written whole; undefined before the first. */
  read(): Value | undefined
  /** On the disk when it returns. @throws RangeError for a value that does not fit */
  write(value: Value): void
}

/**
 * Two slots that are written in turn, each with its turn and its digest: a write that a power cut broke spoils the older
 * of the two only. One flush of a file whose length does not change, and no renaming, so that it costs least.
 * @param octets how many one value may take as JSON
 */
export function openMark<Value>(path: string, octets = 4000): Mark<Value> {
  const slot = octets + overhead
  return {
    read: () => newest<Value>(path, slot)?.value,
    write(value) {
      // Another program may have written since we did.
      const next = (newest(path, slot)?.turn ?? 0) + 1
      const text = JSON.stringify(value)
      if (Buffer.byteLength(text) > octets) throw new RangeError(`a mark has ${octets} octets at most`)
      const line = `${digestOf(next, text)} ${next} ${text}\n`
      const whole = Buffer.alloc(slot, ' ')
      whole.write(line)
      put(path, whole, (next % 2) * slot)
    },
  }
}

/** Digest, turn, blanks and the line's end. */
const overhead = 100

function put(path: string, octets: Buffer, at: number): void {
  const file = opened(path)
  try {
    writeSync(file, octets, 0, octets.length, at)
    fdatasyncSync(file)
  } finally {
    closeSync(file)
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'r+')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const made = openSync(path, 'w+', 0o600)
  flush(dirname(path))
  return made
}

/** The file's name is on the disk too. */
function flush(folder: string): void {
  const opened = openSync(folder, 'r')
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

function newest<Value>(path: string, slot: number): { turn: number; value: Value } | undefined {
  let octets: Buffer
  try {
    octets = readFileSync(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
  const found = [0, 1].flatMap(at => readSlot<Value>(octets.subarray(at * slot, (at + 1) * slot)))
  return found.sort((a, b) => b.turn - a.turn)[0]
}

function readSlot<Value>(octets: Buffer): { turn: number; value: Value }[] {
  const [, digest, turn, text] = /^([0-9a-f]{64}) (\d{1,15}) (.*)$/m.exec(octets.toString()) ?? []
  if (text === undefined || digest !== digestOf(Number(turn), text)) return []
  return [{ turn: Number(turn), value: JSON.parse(text) as Value }]
}

function digestOf(turn: number, text: string): string {
  return hash('sha256', `${turn} ${text}`, 'hex')
}

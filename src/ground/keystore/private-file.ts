/** Files that only their owner may open: read with a check, replaced as a whole. */

import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Bytes } from '../bytes.ts'
import { type KeyStoreCode, refusal } from './refusals.ts'

/** What a private file is refused with, and how far its folder may be open to others. */
export interface Privacy {
  readonly missing: KeyStoreCode
  readonly open: KeyStoreCode
  readonly tooLarge: KeyStoreCode
  /** Octets. Defends the memory of who reads. */
  readonly limit: number
  /** `closed`: nobody else may enter or list it. `unwritable`: nobody else may put another file in its place. */
  readonly folder: 'closed' | 'unwritable'
}

/** The whole file, in a buffer of its own, and whether the path meant another file by the time it had been read. */
export interface PrivateRead {
  readonly octets: Buffer
  readonly replaced: boolean
}

/** @throws Refusal with the code that `privacy` names */
export function readPrivateFile(path: string, privacy: Privacy): PrivateRead {
  const file = openExisting(path, privacy)
  try {
    // The file that was opened is asked, not the path: between two looks a path can come to mean another file.
    const stats = fstatSync(file)
    if (!stats.isFile() || !ownersOnly(stats)) throw refusal(privacy.open, path)
    checkFolder(dirname(path), privacy)
    if (stats.size > privacy.limit) throw refusal(privacy.tooLarge, path)
    return { octets: readWhole(file, stats.size), replaced: fstatSync(file).nlink === 0 }
  } finally {
    closeSync(file)
  }
}

/** @throws Refusal with `privacy.open` when others may do in the folder what they may not */
export function checkFolder(folder: string, privacy: Privacy): void {
  const stats = statSync(folder)
  const sticky = (stats.mode & 0o1000) !== 0
  const holds =
    privacy.folder === 'closed' ? ownersOnly(stats) : trusted(stats) && (sticky || (stats.mode & 0o022) === 0)
  if (!holds) throw refusal(privacy.open, folder)
}

/**
 * Puts the octets in the place of the file, mode 0600, so that after a crash or power cut the path has either the old
 * octets or the new ones, and after the return the new ones. What the old file had on disk is overwritten. Only one
 * process at a time may do this to a path.
 * @param lastLook runs just before the point of no return; if it throws, nothing has changed
 */
export function replacePrivateFile(path: string, octets: Bytes, lastLook: () => void): void {
  // One fixed name: what a crash left behind is found by whoever changes the file next.
  const fresh = `${path}.new`
  unlinkWiped(fresh)
  const old = openToWipe(path)
  try {
    try {
      writeDurably(fresh, octets, old)
      lastLook()
      // Here the change happens: before it the old file is whole, after it the new one.
      renameSync(fresh, path)
    } catch (cause) {
      unlinkWiped(fresh)
      throw cause
    }
    syncFolder(dirname(path))
    if (old !== undefined) wipe(old)
  } finally {
    if (old !== undefined) closeSync(old)
  }
}

/** Whether it is the system's error of that name, as `ENOENT`. */
export function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code
}

function openExisting(path: string, privacy: Privacy): number {
  try {
    // Not blocking: a FIFO put there would otherwise hold the program until somebody writes.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT') || hasCode(cause, 'ENOTDIR')) throw refusal(privacy.missing, path)
    throw cause
  }
}

function ownersOnly(stats: Stats): boolean {
  return trusted(stats) && (stats.mode & 0o077) === 0
}

/** Owned by us or by root; root itself may work on what belongs to somebody else. */
function trusted(stats: Stats): boolean {
  const us = process.geteuid?.() ?? stats.uid
  return us === 0 || stats.uid === us || stats.uid === 0
}

function readWhole(file: number, size: number): Buffer {
  const octets = Buffer.alloc(size)
  let length = 0
  while (length < size) {
    const count = readSync(file, octets, length, size - length, length)
    if (count === 0) break
    length += count
  }
  return octets.subarray(0, length)
}

function writeDurably(path: string, octets: Bytes, old: number | undefined): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    // Root must not lock out the service whose file it is.
    const owner = old === undefined ? undefined : fstatSync(old)
    if (owner !== undefined && owner.uid !== fstatSync(file).uid) fchownSync(file, owner.uid, owner.gid)
    writeWhole(file, octets)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function writeWhole(file: number, octets: Bytes): void {
  let length = 0
  while (length < octets.length) length += writeSync(file, octets, length, octets.length - length, length)
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, constants.O_RDONLY)
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function unlinkWiped(path: string): void {
  const file = openToWipe(path)
  if (file === undefined) return
  try {
    unlinkSync(path)
    wipe(file)
  } finally {
    closeSync(file)
  }
}

function openToWipe(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
}

/**
 * Overwrites a file that has no name any more. It is the best that can be done from here: a copying file system, a
 * flash disk or a backup may have the octets still. A file with another name left (a hard link) is somebody's copy.
 */
function wipe(file: number): void {
  const { nlink, size } = fstatSync(file)
  if (nlink > 0) return
  writeWhole(file, Buffer.alloc(size))
  fsyncSync(file)
}

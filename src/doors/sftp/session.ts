/** One SFTP session: a request in, an answer out, one after the other; what is open in it, and what was fetched. */

import type { FileHandle } from 'node:fs/promises'
import type { Clock } from '../../ground/clock.ts'
import type { RepositoryFile } from '../../rooms/repository/files/make.ts'
import * as answers from './answers.ts'
import { type Request, readInit, readRequest } from './packets.ts'
import { absolute, find, listing, type Node } from './tree.ts'

export interface Serving {
  readonly clock: Clock
  /** Those on record now. */
  files(): Promise<readonly RepositoryFile[]>
  /** Undefined where the file is not there any more. */
  open(file: RepositoryFile): Promise<FileHandle | undefined>
  /** Told when a file of which something was read is closed, by the user or because the connection ended. */
  fetched(file: RepositoryFile, octets: number): void
  /** Keeps a fault of ours. @returns the number by which it is found again */
  fault(cause: unknown): string
}

export interface Session {
  /** @throws NotSftp for what cannot be answered */
  answer(packet: Buffer): Promise<Buffer>
  /** Closes what is open; more than once is no harm. */
  close(): Promise<void>
}

/** Open at a time. Defends descriptors of the system. */
export const mostHandles = 16
/** A client asks for 32 KiB by itself; less than was asked for is an answer too. Defends memory. */
const longestRead = 1 << 16
/** Names in one answer: some 200 octets each, far below the packets that every client takes. */
const namesAtOnce = 64
const readOnly = 1

type Open =
  | { readonly is: 'file'; readonly node: Node & { is: 'file' }; readonly file: FileHandle; octets: number }
  | { readonly is: 'folder'; readonly node: Node; readonly left: answers.Named[] }

export function sftpSession(serving: Serving): Session {
  const open = new Map<string, Open>()
  let begun = false
  let closed = false
  let handles = 0

  async function answer(packet: Buffer): Promise<Buffer> {
    if (!begun) {
      readInit(packet)
      begun = true
      return answers.version()
    }
    const request = readRequest(packet)
    try {
      return await answerTo(request)
    } catch (cause) {
      // What was under way when everything was closed fails, and nobody waits for it.
      const number = closed ? '' : serving.fault(cause)
      return answers.status(request.id, 'failure', `a fault of ours, number ${number}: please try again later`)
    }
  }

  async function answerTo(request: Request): Promise<Buffer> {
    const { id } = request
    switch (request.ask) {
      case 'realpath': {
        const name = absolute(request.path)
        return answers.names(id, [{ name, line: name, attributes: { octets: 0, mode: 0, time: 0 } }])
      }
      case 'stat': {
        const node = find(await serving.files(), request.path)
        return node ? answers.attributes(id, node.attributes) : missing(id)
      }
      case 'opendir': {
        const node = find(await serving.files(), request.path)
        if (!node) return missing(id)
        if (node.is === 'file') return answers.status(id, 'failure', 'this is no folder')
        return opened(id, { is: 'folder', node, left: listing(node, serving.clock()) })
      }
      case 'open':
        return openFile(request)
      case 'readdir': {
        const held = open.get(request.handle)
        if (held?.is !== 'folder') return strange(id)
        const next = held.left.splice(0, namesAtOnce)
        return next.length > 0 ? answers.names(id, next) : end(id)
      }
      case 'fstat': {
        const held = open.get(request.handle)
        return held ? answers.attributes(id, held.node.attributes) : strange(id)
      }
      case 'read':
        return readFile(request)
      case 'close': {
        const held = open.get(request.handle)
        if (!held) return strange(id)
        open.delete(request.handle)
        note(held)
        await shut(held)
        return answers.status(id, 'ok', '')
      }
      case 'change':
        return denied(id)
      case 'unknown':
        return answers.status(id, 'unsupported', 'there is no such request')
      case 'malformed':
        return answers.status(id, 'badMessage', 'the request is not complete')
    }
  }

  async function openFile({ id, path, flags }: Request & { ask: 'open' }): Promise<Buffer> {
    if (flags !== readOnly) return denied(id)
    const node = find(await serving.files(), path)
    if (!node) return missing(id)
    if (node.is === 'folder') return answers.status(id, 'failure', 'this is a folder')
    if (open.size >= mostHandles) return tooMany(id)
    const file = await serving.open(node.file)
    return file ? opened(id, { is: 'file', node, file, octets: 0 }) : missing(id)
  }

  async function opened(id: number, one: Open): Promise<Buffer> {
    // The connection may have ended while the file was opened: nobody would close it.
    if (closed || open.size >= mostHandles) {
      await shut(one)
      return tooMany(id)
    }
    const name = String(++handles)
    open.set(name, one)
    return answers.handle(id, name)
  }

  async function readFile({ id, handle, offset, length }: Request & { ask: 'read' }): Promise<Buffer> {
    const held = open.get(handle)
    if (held?.is !== 'file') return strange(id)
    const left = BigInt(held.node.file.octets) - offset
    if (left <= 0n) return end(id)
    const wanted = Math.min(length, longestRead, Number(left < longestRead ? left : longestRead))
    const read = await answers.data(id, held.file, Number(offset), wanted)
    if (!read) return end(id)
    held.octets += read.octets
    return read.answer
  }

  function note(one: Open): void {
    if (one.is === 'file' && one.octets > 0) serving.fetched(one.node.file, one.octets)
  }

  return {
    answer,
    async close() {
      closed = true
      const held = [...open.values()]
      open.clear()
      held.forEach(note)
      for (const one of held) await shut(one)
    },
  }
}

async function shut(one: Open): Promise<void> {
  if (one.is === 'file') await one.file.close()
}

const missing = (id: number) => answers.status(id, 'noSuchFile', 'there is no such file')
const denied = (id: number) => answers.status(id, 'permissionDenied', 'the Repository is read only')
const strange = (id: number) => answers.status(id, 'failure', 'nothing is open under this handle')
const tooMany = (id: number) => answers.status(id, 'failure', `no more than ${mostHandles} may be open at a time`)
const end = (id: number) => answers.status(id, 'eof', 'end')

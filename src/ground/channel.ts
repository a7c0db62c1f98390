/** Questions and answers between our own processes, over a Unix socket that nobody else can reach. */

import { rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { deserialize, serialize } from 'node:v8'

/** The other side went away; whether the question was acted on is not known. */
export class ChannelBroken extends Error {
  override name = 'ChannelBroken'
}

/** Nobody listens at the other end just now: the question was not asked, and may be asked elsewhere, or later. */
export class NobodyListens extends ChannelBroken {
  override name = 'NobodyListens'
}

export interface Channel<Question, Answer> {
  ask(question: Question): Promise<Answer>
  close(): void
}

/** A frame is its length (32 bits, big-endian) and a structured clone of [number, body]. Larger ones are refused. */
const largest = 1 << 20

/**
 * Answers every question that arrives; those of one connection are worked on side by side. What `answer` throws reaches
 * the asker as ChannelBroken without its text. What a process that was killed left at the path is replaced: one process at
 * a time has a path, and who starts it sees to that.
 */
export function serveChannel<Question, Answer>(
  path: string,
  answer: (question: Question) => Promise<Answer>,
): Promise<Server> {
  const server = createServer(socket => {
    const send = sender(socket)
    receive(socket, async ([number, question]) => {
      try {
        send([number, await answer(question as Question)])
      } catch {
        send([number, undefined])
      }
    })
    socket.on('error', () => socket.destroy())
  })
  rmSync(path, { force: true })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve(server))
  })
}

/**
 * Connects when the first question is asked, and again after a break: what was open then fails with ChannelBroken, and with
 * NobodyListens if it never left us. So a process that was started anew at the same path is found by the next question.
 */
export function openChannel<Question, Answer>(path: string): Channel<Question, Answer> {
  let line: { send: (frame: unknown) => void; socket: Socket; open: Map<number, Waiting<Answer>> } | undefined
  let last = 0

  function dial() {
    const socket = connect(path)
    const open = new Map<number, Waiting<Answer>>()
    const made = { send: sender(socket), socket, open }
    let connected = false
    socket.once('connect', () => {
      connected = true
    })
    receive(socket, ([number, answer]) => {
      const waiting = open.get(number)
      open.delete(number)
      if (answer === undefined) waiting?.reject(new ChannelBroken('the other process met a fault'))
      else waiting?.resolve(answer as Answer)
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      if (line === made) line = undefined
      const gone = () =>
        connected
          ? new ChannelBroken('the other process went away')
          : new NobodyListens('the other process is not there')
      for (const waiting of open.values()) waiting.reject(gone())
    })
    return made
  }

  return {
    ask(question) {
      line ??= dial()
      const { send, open } = line
      const number = ++last
      return new Promise<Answer>((resolve, reject) => {
        open.set(number, { resolve, reject })
        send([number, question])
      })
    },
    close() {
      line?.socket.destroy()
    },
  }
}

interface Waiting<Answer> {
  resolve: (answer: Answer) => void
  reject: (cause: Error) => void
}

/** Frames of one turn of the event loop go out in one write. */
function sender(socket: Socket): (frame: unknown) => void {
  let waiting: Buffer[] = []
  return frame => {
    const body = serialize(frame)
    const head = Buffer.allocUnsafe(4)
    head.writeUInt32BE(body.length)
    if (waiting.length === 0) {
      setImmediate(() => {
        if (!socket.destroyed) socket.write(Buffer.concat(waiting))
        waiting = []
      })
    }
    waiting.push(head, body)
  }
}

function receive(socket: Socket, onFrame: (frame: [number, unknown]) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (rest.length - at >= 4) {
      const length = rest.readUInt32BE(at)
      if (length > largest) return socket.destroy()
      if (rest.length - at - 4 < length) break
      onFrame(deserialize(rest.subarray(at + 4, at + 4 + length)) as [number, unknown])
      at += 4 + length
    }
    rest = rest.subarray(at)
    return undefined
  })
}

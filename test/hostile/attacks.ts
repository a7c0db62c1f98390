/** The attacks, each by its name: what a hostile client does for as long as it is let. */

import { gzipSync } from 'node:zlib'
import { archive } from '../fuzz/targets/zip.ts'
import { type Attack, type From, fromMany, fromOne } from './target.ts'

export interface Kind {
  readonly says: string
  readonly from: From
  /** @param many how many at a time, where that has a meaning */
  run(attack: Attack, many: number): Promise<void>
}

const head = (path: string, length: number | 'chunked', more = '') =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml\r\n${more}` +
  `${length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`}\r\n\r\n`

/** The first 5 octets of a record that says it is a ClientHello of 512 octets, and a part of it. */
const halfHello = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), Buffer.alloc(60, 7)])

const search = '/services/certificatesearch?apikey=none'

export const attacks: Readonly<Record<string, Kind>> = {
  'silent TCP': {
    says: 'connections that say nothing, from one address',
    from: fromOne,
    run: (attack, many) => attack.keep(many, () => attack.tcp('device')),
  },
  'silent TCP, many addresses': {
    says: 'connections that say nothing, from 200 addresses',
    from: fromMany,
    run: (attack, many) => attack.keep(many, () => attack.tcp('device')),
  },
  'half-open TLS': {
    says: 'half a ClientHello, and no more, from 200 addresses',
    from: fromMany,
    run: (attack, many) =>
      attack.keep(many, () => {
        const socket = attack.tcp('repository')
        socket.once('connect', () => socket.write(halfHello))
        return socket
      }),
  },
  'idle TLS': {
    says: 'whole handshakes, and then nothing, from 200 addresses',
    from: fromMany,
    run: (attack, many) => attack.keep(many, () => attack.tls('repository')),
  },
  'handshakes as fast as can be': {
    says: 'handshake, close, again, from one address',
    from: fromOne,
    run: (attack, many) =>
      attack.keep(Math.min(many, 64), () => {
        const socket = attack.tls('device', 'adhoc-ws')
        socket.once('secureConnect', () => socket.destroy())
        return socket
      }),
  },
  renegotiation: {
    says: 'renegotiates TLS again and again',
    from: fromOne,
    run: (attack, many) =>
      attack.keep(Math.min(many, 20), () => {
        const socket = attack.tls('repository', undefined, { maxVersion: 'TLSv1.2' })
        const again = () => {
          if (!socket.destroyed)
            socket.renegotiate({ rejectUnauthorized: true }, fault => {
              if (fault) return
              attack.tally.sent++
              setImmediate(again)
            })
        }
        socket.once('secureConnect', again)
        return socket
      }),
  },
  'slow heads': {
    says: 'an octet of a request’s head each second',
    from: fromMany,
    run: (attack, many) =>
      attack.keep(many, () => {
        const socket = attack.tls('repository')
        socket.once('secureConnect', () => {
          socket.write('GET / HTTP/1.1\r\nHost: a\r\n')
          every(attack, socket, 1000, () => socket.write('X'))
        })
        return socket
      }),
  },
  'slow bodies': {
    says: 'an octet of a body each second, with a credential and without',
    from: fromMany,
    run: (attack, many) =>
      attack.keep(many, index => {
        const signedIn = index % 2 === 0
        const socket = signedIn ? attack.tls('device', 'adhoc-ws') : attack.tls('repositoryPortal')
        socket.once('secureConnect', () => {
          const path = signedIn ? attack.target.adHocPath : '/'
          socket.write(signedIn ? head(path, 60_000) : head(path, 60_000).replace('xml', 'x-www-form-urlencoded'))
          every(attack, socket, 1000, () => socket.write('a'))
        })
        return socket
      }),
  },
  'slow readers': {
    says: 'asks for large pages a hundred times on a connection, and reads no answer',
    from: fromOne,
    run: (attack, many) =>
      attack.keep(Math.min(many, 200), () => {
        const socket = attack.tls('repositoryPortal')
        socket.pause()
        socket.once('secureConnect', () => {
          socket.write('GET /assets/portal.css HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(100))
          attack.tally.sent += 100
        })
        return socket
      }),
  },
  pipelining: {
    says: 'ten thousand requests in one breath, again and again',
    from: fromOne,
    run: (attack, many) =>
      attack.keep(Math.min(many, 10), () => {
        const socket = attack.tls('repository')
        const breath = `${head(search, 4)}<a/>`.repeat(10_000)
        const more = () => {
          attack.tally.sent += 10_000
          if (!attack.signal.aborted) socket.write(breath, fault => fault || setImmediate(more))
        }
        socket.once('secureConnect', more)
        return socket
      }),
  },
  'large bodies': {
    says: 'hundreds of MiB to doors that take some kB',
    from: fromOne,
    run: (attack, many) =>
      attack.keep(Math.min(many, 10), index => {
        const signedIn = index % 2 === 0
        const socket = signedIn ? attack.tls('device', 'adhoc-ws') : attack.tls('repository')
        const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 32), Buffer.from('\r\n')])
        const more = () => {
          if (!attack.signal.aborted && !socket.destroyed) socket.write(chunk, fault => fault || setImmediate(more))
        }
        socket.once('secureConnect', () => {
          socket.write(head(signedIn ? attack.target.adHocPath : search, 'chunked'))
          more()
        })
        return socket
      }),
  },
  'compression bombs': {
    says: '64 MiB as 64 kB of gzip in bodies, and zips of 16 MiB where XML is due',
    from: fromOne,
    run: async (attack, many) => {
      const bomb = gzipSync(Buffer.alloc(64 << 20))
      const lies = archive([['a.csr', Buffer.alloc(16 << 20)]], true)
      await attack.keep(Math.min(many, 8), index => {
        const socket = index % 2 === 0 ? attack.tls('device', 'adhoc-ws') : attack.tls('repository')
        const body = index % 3 === 0 ? lies : bomb
        socket.once('secureConnect', () => {
          const path = index % 2 === 0 ? attack.target.adHocPath : search
          socket.write(head(path, body.length, 'Content-Encoding: gzip\r\n'))
          socket.end(body)
          attack.tally.sent++
        })
        return socket
      })
    },
  },
  'XML as deep as it goes': {
    says: 'a hundred thousand elements in one another, attributes by the thousand, text without an end',
    from: fromOne,
    run: (attack, many) =>
      attack.keep(Math.min(many, 8), index => {
        const body = documents[index % documents.length]!
        const isBatch = index % 2 === 0
        const socket = attack.tls('device', isBatch ? 'batch-ws' : 'adhoc-ws')
        socket.once('secureConnect', () => {
          socket.write(head(isBatch ? attack.target.batchPath : attack.target.adHocPath, body.length))
          socket.write(body)
          attack.tally.sent++
        })
        // One answer is enough.
        socket.on('data', () => socket.end())
        return socket
      }),
  },
  'octets of no meaning': {
    says: 'no TLS where TLS is due, no HTTP where HTTP is due',
    from: fromOne,
    run: (attack, many) =>
      attack.keep(Math.min(many, 50), index => {
        const noise = Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * 31 + index * 7) & 0xff))
        if (index % 2 === 0) {
          const socket = attack.tcp('device')
          socket.once('connect', () => socket.end(noise))
          return socket
        }
        const socket = attack.tls('repository')
        socket.once('secureConnect', () => socket.end(noise))
        return socket
      }),
  },
}

const documents: readonly Buffer[] = [
  Buffer.from(`<a>`.repeat(20_000)),
  Buffer.from(`<SubmitCSRBatch ${Array.from({ length: 4000 }, (_, i) => `a${i}="b"`).join(' ')}>`),
  Buffer.from(`<SubmitCSRBatch ID="a"><Version>${'1'.repeat(60_000)}`),
  Buffer.from(`<!DOCTYPE a [${'<!ENTITY a "&b;&b;">'.repeat(2000)}]><a>&a;</a>`),
  Buffer.from(`<SubmitCSRBatch ID="a">${'<!---->'.repeat(8000)}`),
]

function every(
  attack: Attack,
  socket: { once(event: 'close', then: () => void): unknown },
  ms: number,
  act: () => void,
) {
  const timer = setInterval(() => attack.signal.aborted || act(), ms)
  socket.once('close', () => clearInterval(timer))
}

/** One SSH connection: its algorithms, its login, its channels; everything but SFTP is refused. */

import type { Socket } from 'node:net'
import ssh2, { type AuthContext, type Connection, type ParsedKey, type ServerChannel } from 'ssh2'
import { codes } from '../../policy/smki-device/codes.ts'
import { converse } from './converse.ts'
import { decide, type Gate, type Turned, type User } from './login.ts'
import { type Serving, type Session, sftpSession } from './session.ts'

export interface SftpLimits {
  /** In all; and those of one Party. */
  readonly connections: number
  readonly connectionsOfParty: number
  /** A connection has come in within, or is cut. */
  readonly loginSeconds: number
  /** One on which nothing is asked for so long is cut. */
  readonly idleSeconds: number
}

export interface Log {
  info(about: object, says: string): void
  error(about: object, says: string): void
}

export interface ConnectionNeeds extends Gate {
  readonly hostKey: ParsedKey
  readonly limits: SftpLimits
  readonly log: Log
  readonly serving: (party: number) => Serving
  /** Whether there is room for one more of that Party. */
  readonly mayEnter: (party: number) => boolean
}

export interface Connected {
  /** Undefined until it has come in. */
  readonly user: User | undefined
  /** When something was asked last: milliseconds. */
  readonly usedAt: number
  end(why: Ended): void
}

export type Ended = Turned | 'IDLE' | 'FAULT' | 'STOP' | 'LOGIN_SLOW' | 'LOGIN_TRIES'

/** No SHA-1, no CBC, no MAC over the plain text, no group below 256 bits of a curve; host and user keys apart. */
const algorithms = {
  kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org', 'ecdh-sha2-nistp256', 'ecdh-sha2-nistp384'],
  serverHostKey: ['ssh-ed25519'],
  cipher: ['aes256-gcm@openssh.com', 'aes128-gcm@openssh.com', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  compress: ['none'],
} satisfies ssh2.Algorithms

/** Keys, or passwords, that a client may try. */
const mostTries = 6
const mostChannels = 4
/** A client that is told to go, and stays, is cut after so long. */
const farewellMs = 1000

export function connection(socket: Socket, needs: ConnectionNeeds): Connected {
  const { limits, log, clock, stops } = needs
  const from = socket.remoteAddress ?? ''
  // Each channel waits for its end, and for room to write.
  socket.setMaxListeners(10 + 2 * mostChannels)
  let user: User | undefined
  let usedAt = clock().getTime()
  let client: Connection | undefined
  let gone = false

  const end = (why: Ended) => {
    if (gone) return
    gone = true
    if (why !== 'STOP') log.info({ why, party: user?.party, from }, 'a connection was ended')
    client?.end()
    setTimeout(() => socket.destroy(), client ? farewellMs : 0).unref()
  }
  const slow = setTimeout(() => end('LOGIN_SLOW'), limits.loginSeconds * 1000).unref()
  socket.once('close', () => {
    gone = true
    clearTimeout(slow)
  })

  // A server for each connection: what it says first depends on the moment, and the socket is known.
  const suspension = stops.stopped({ interface: 'REPO_SFTP' })
  const server = new ssh2.Server({
    hostKeys: [{ key: needs.hostKey }],
    algorithms,
    ident: 'SMKI',
    ...(suspension && { banner: `${suspension.code}: ${codes['WF:SUSP'].text}\n` }),
  })
  server.on('connection', found => {
    client = found
    // What breaks a connection is the client's affair; its end is heard of on the socket.
    found.on('error', () => {})
    let tries = 0
    found.on('authentication', context => {
      enter(context).catch(cause => {
        log.error({ fault: (cause as Error).message }, 'a login could not be decided')
        context.reject(['publickey'])
      })
    })
    const enter = async (context: AuthContext) => {
      const decided = await decide(needs, context)
      if (gone || user) return
      if ('user' in decided && decided.asks) return context.accept()
      if ('user' in decided && needs.mayEnter(decided.user.party)) {
        user = decided.user
        usedAt = clock().getTime()
        clearTimeout(slow)
        log.info({ party: user.party, key: user.fingerprint, from }, 'a Party came in')
        return context.accept()
      }
      const why = 'turned' in decided ? decided.turned : 'CONNECTIONS'
      if (why !== 'METHOD') log.info({ why, key: fingerprintOf(decided), from }, 'a login was refused')
      // With `none` a client asks what there is.
      if (context.method !== 'none' && ++tries >= mostTries) return end('LOGIN_TRIES')
      context.reject(['publickey'])
    }
    found.on('ready', () => sessions(found))
  })

  // Shell, commands, forwarding and every other request have no listener: the library refuses them.
  const sessions = (found: Connection) => {
    let channels = 0
    found.on('session', (accept, reject) => {
      if (channels >= mostChannels) return reject()
      const session = accept()
      channels++
      let serving: Session | undefined
      const over = () => {
        socket.off('close', over)
        serving?.close().catch(cause => log.error({ fault: (cause as Error).message }, 'a file was not closed'))
      }
      socket.once('close', over)
      session.once('close', () => {
        channels--
        over()
      })
      session.on('subsystem', (accept, reject, { name }) => {
        if (name !== 'sftp' || serving) return reject?.()
        serving = sftpSession(needs.serving(user!.party))
        converse(accept() as ServerChannel, socket, serving, {
          onUse: () => {
            usedAt = clock().getTime()
          },
          onFault: fault => log.info({ party: user?.party, fault }, 'a channel was ended'),
        })
      })
    })
  }

  server.injectSocket(socket)
  return {
    get user() {
      return user
    },
    get usedAt() {
      return usedAt
    },
    end,
  }
}

function fingerprintOf(decided: Awaited<ReturnType<typeof decide>>): string | undefined {
  return 'user' in decided ? decided.user.fingerprint : decided.fingerprint
}

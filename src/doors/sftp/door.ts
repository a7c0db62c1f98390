/** The files of the Repository by SFTP: public keys alone, the one subsystem, read only (repository.md section 7). */

import { type AddressInfo, createServer } from 'node:net'
import ssh2 from 'ssh2'
import { toHex } from '../../ground/bytes.ts'
import type { Chance } from '../../ground/clock.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import { recordDownload } from '../../rooms/repository/files/downloads.ts'
import { filesOf, openFile, type RepositoryFile } from '../../rooms/repository/files/make.ts'
import { type Connected, connection, type Log, type SftpLimits } from './connection.ts'
import { type Gate, mayStay } from './login.ts'
import type { Serving } from './session.ts'

export interface SftpNeeds extends Gate {
  readonly store: Store
  readonly chance: Chance
  /** The folder above `delta` and `full`. */
  readonly folder: string
  /** The private key's file. It is read once, before `sftpDoor` gives anything back. */
  readonly hostKey: Buffer
  readonly limits: SftpLimits
  readonly log: Log
}

export interface SftpDoor {
  readonly port: number
  /** Ends every connection; what was fetched until then is on record. */
  close(): Promise<void>
}

/** How long a key that was revoked, or a Party that was suspended, may go on at most. */
const sweepMs = 1000

/** @throws Refusal SSH_HOST_KEY, PORT_IN_USE, PORT_DENIED */
export async function sftpDoor(needs: SftpNeeds, host: string, port: number): Promise<SftpDoor> {
  const { limits, log, clock } = needs
  const hostKey = ssh2.utils.parseKey(needs.hostKey)
  if (hostKey instanceof Error || !hostKey.isPrivateKey())
    throw new Refusal('SSH_HOST_KEY', 'the host key of the SFTP server cannot be read: put it back from a copy')
  const open = new Set<Connected>()
  const writing = new Set<Promise<void>>()

  const count = (which: (one: Connected) => boolean) => [...open].filter(which).length
  const server = createServer({ noDelay: true }, socket => {
    // A quarter of the places is for those who have not come in yet, so that nobody without a key can take them all.
    const entering = count(one => one.user === undefined)
    if (open.size >= limits.connections || entering >= Math.ceil(limits.connections / 4)) {
      socket.destroy()
      return
    }
    const one = connection(socket, {
      ...needs,
      hostKey,
      serving: party => serving(needs, party, writing),
      mayEnter: party => count(({ user }) => user?.party === party) < limits.connectionsOfParty,
    })
    open.add(one)
    socket.once('close', () => open.delete(one))
  })
  await listening(server, host, port)

  let closed = false
  let timer: NodeJS.Timeout
  const sweep = async () => {
    const now = clock().getTime()
    for (const one of open) {
      const { user } = one
      if (!user) continue
      try {
        const turned = await mayStay(needs, user)
        if (turned) one.end(turned)
        else if (now - one.usedAt > limits.idleSeconds * 1000) one.end('IDLE')
      } catch (cause) {
        if (closed) return
        // Whether the key still opens is not known: a download that was cut is resumed.
        log.error({ fault: (cause as Error).message }, 'keys could not be looked up: connections are ended')
        one.end('FAULT')
      }
    }
    if (!closed) timer = setTimeout(sweep, sweepMs)
  }
  timer = setTimeout(sweep, sweepMs)

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      closed = true
      clearTimeout(timer)
      const gone = new Promise<void>(resolve => server.close(() => resolve()))
      for (const one of open) one.end('STOP')
      await gone
      // Sessions close in their connection's last event, and note then what was fetched.
      await Promise.all([...writing])
    },
  }
}

function serving(needs: SftpNeeds, party: number, writing: Set<Promise<void>>): Serving {
  const { store, clock, folder, log, chance } = needs
  const fault = (cause: unknown) => {
    const incident = toHex(chance(8))
    log.error({ incident, party, fault: (cause as Error).stack }, 'a request was not answered')
    return incident
  }
  return {
    clock,
    files: () => filesOf(store),
    open: file => openFile(folder, file),
    fault,
    fetched({ name, octets: of }: RepositoryFile, octets: number) {
      log.info({ party, file: name, octets, of }, 'a file was fetched')
      const kept = recordDownload(store, { party, name, octets, at: clock() })
        .catch(fault)
        .then(() => void writing.delete(kept))
      writing.add(kept)
    },
  }
}

function listening(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE')
        reject(new Refusal('PORT_IN_USE', `port ${port} of ${host} is in use by another program`, { cause }))
      else if (cause.code === 'EACCES')
        reject(new Refusal('PORT_DENIED', `we may not listen on port ${port} of ${host}`, { cause }))
      else reject(cause)
    })
    server.listen({ host, port }, resolve)
  })
}

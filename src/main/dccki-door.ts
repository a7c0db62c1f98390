/** The program behind port 8450: the DCCKI Service Interface and the DCCKI Repository. It has no key of any authority. */

import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { bodyOctets, dcckiDoor, dcckiListsDoor } from '../doors/dccki/door.ts'
import { openChannel } from '../ground/channel.ts'
import type { Clock } from '../ground/clock.ts'
import { type ClientTrust, listen, plainListener, tlsListener } from '../ground/http/listen.ts'
import { type Connection, openStore, type Store } from '../ground/store/store.ts'
import { toPem } from '../ground/x509/pem.ts'
import { listSchedules } from '../policy/revocation/schedules.ts'
import type { Settings } from '../policy/settings.ts'
import { authorities } from '../rooms/authority/register.ts'
import type { RoomAnswer, RoomQuestion } from '../rooms/issuance/signing.ts'
import { currentLists } from '../rooms/repository/lists.ts'
import { limitsOfSmall } from './crowd.ts'
import type { Home } from './home.ts'
import { serverCredentials } from './tls-ca.ts'
import { systemChance, systemClock } from './world.ts'

export interface DcckiDoorStart {
  readonly home: Home
  readonly settings: Settings
  readonly target: Connection | string
  /** Sockets of whoever holds the keys. */
  readonly signers: readonly string[]
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** The system's by default; tests turn their own. */
  readonly clock?: Clock
}

export interface RunningDcckiDoor {
  readonly ports: { readonly dccki: number; readonly dcckiPlain?: number }
  /** Requests under way are answered first. */
  close(): Promise<void>
}

/** Whether an environment has a DCCKI, and so a door for it. */
export async function hasDccki(store: Pick<Store, 'query'>): Promise<boolean> {
  return (await authorities(store)).some(one => one.pki === 'dccki')
}

/** How often the lists at the door are compared with the Repository's. */
const trustEveryMs = 5000

/** @throws Refusal TLS_MISSING, STORE_TOO_OLD, PORT_IN_USE, PORT_DENIED. Nothing is left open then. */
export async function startDcckiDoor(start: DcckiDoorStart): Promise<RunningDcckiDoor> {
  const { home, settings, target, log, clock = systemClock } = start
  const server = serverCredentials(home)
  const store = await openStore(target, { max: 4 })
  const channels = start.signers.map(path => openChannel<RoomQuestion, RoomAnswer>(path))
  const world = {
    store,
    clock,
    chance: systemChance,
    rules: settings.registration,
    revocation: settings.revocation,
    schedules: listSchedules(settings),
    settings,
    signers: channels,
    log,
  }
  const doors: FastifyInstance[] = []
  let timer: NodeJS.Timeout | undefined
  const close = async () => {
    clearInterval(timer)
    for (const app of doors) await app.close()
    for (const channel of channels) channel.close()
    await store.close()
  }
  try {
    let trust = await trustOf(store, settings)
    const { app, renew } = tlsListener(server, limitsOfSmall(settings, bodyOctets), trust, (fault, from) =>
      log.info({ fault, from }, 'a handshake was refused'),
    )
    doors.push(app)
    dcckiDoor(app, world)
    const { port, plainPort } = settings.dccki
    const dccki = await listen(app, settings.services.host, port)
    timer = setInterval(async () => {
      try {
        const current = await trustOf(store, settings)
        if (JSON.stringify(current) === JSON.stringify(trust)) return
        renew(server, current)
        trust = current
      } catch (cause) {
        log.error({ fault: (cause as Error).message }, 'the lists at the door could not be renewed')
      }
    }, trustEveryMs).unref()
    if (plainPort === null) return { ports: { dccki }, close }
    const plain = plainListener(limitsOfSmall(settings, bodyOctets))
    doors.push(plain)
    dcckiListsDoor(plain, world)
    return { ports: { dccki, dcckiPlain: await listen(plain, settings.services.host, plainPort) }, close }
  } catch (cause) {
    await close()
    throw cause
  }
}

/** Certificates of these PKIs open a connection (DCK-A04), by their current lists. */
async function trustOf(store: Store, { dccki }: Settings): Promise<ClientTrust> {
  const trusted = (await authorities(store)).filter(one => (dccki.clients as readonly string[]).includes(one.pki))
  const lists = (await currentLists(store)).filter(list => trusted.some(one => one.id === list.authority))
  return {
    authorities: trusted.map(one => toPem('CERTIFICATE', one.certificate.der)),
    lists: lists.map(list => toPem('X509 CRL', list.der)),
  }
}

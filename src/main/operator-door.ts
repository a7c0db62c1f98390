/** The program behind port 8445: the operator API. It has no key of any authority, and opens no key store. */

import type { Logger } from 'pino'
import { bodyOctets, operatorDoor } from '../doors/operator/door.ts'
import { openChannel } from '../ground/channel.ts'
import type { Clock } from '../ground/clock.ts'
import { type Limits, listen, tlsListener } from '../ground/http/listen.ts'
import { type Connection, openStore } from '../ground/store/store.ts'
import { listSchedules } from '../policy/revocation/schedules.ts'
import type { Settings } from '../policy/settings.ts'
import type { RoomAnswer, RoomQuestion } from '../rooms/issuance/signing.ts'
import { keepCredentialTerms } from '../rooms/registration/expiry.ts'
import { lapseDeferrals } from '../rooms/revocation/deferral.ts'
import type { RevocationHands } from '../rooms/revocation/hands.ts'
import { revokeReturned } from '../rooms/revocation/returned.ts'
import { build } from './build.ts'
import { crowdOf } from './crowd.ts'
import type { Home } from './home.ts'
import { ikiTrust, watchTrust } from './iki-trust.ts'
import { rejectedCase, stoppedBySuspension } from './stopped.ts'
import { serverCredentials } from './tls-ca.ts'
import { systemChance, systemClock } from './world.ts'

export interface OperatorDoorStart {
  readonly home: Home
  readonly settings: Settings
  readonly target: Connection | string
  /** Sockets of whoever holds the keys. */
  readonly signers: readonly string[]
  readonly log: Logger
  /** The system's by default; tests turn their own. */
  readonly clock?: Clock
}

export interface RunningOperatorDoor {
  readonly port: number
  /** Requests under way are answered first. */
  close(): Promise<void>
}

/** Credentials that come to their end are looked for at the start and so often. */
const termsEveryMs = 3_600_000
/** What ended leaves certificates to revoke; their lists are due within the hour. */
const revocationsEveryMs = 60_000

/** @throws Refusal TLS_MISSING, STORE_TOO_OLD, PORT_IN_USE, PORT_DENIED. Nothing is left open then. */
export async function startOperatorDoor(start: OperatorDoorStart): Promise<RunningOperatorDoor> {
  const { home, settings, target, signers, log, clock = systemClock } = start
  const server = serverCredentials(home)
  const store = await openStore(target, { max: 6 })
  const hands: RevocationHands = {
    store,
    clock,
    chance: systemChance,
    rules: settings.registration,
    revocation: settings.revocation,
    schedules: listSchedules(settings),
  }
  const channels = signers.map(path => openChannel<RoomQuestion, RoomAnswer>(path))
  try {
    const trust = await ikiTrust(store)
    const { app, renew } = tlsListener(server, limitsOf(settings), trust, (fault, from) =>
      log.info({ fault, from }, 'a handshake was refused'),
    )
    operatorDoor(app, {
      ...hands,
      settings,
      signers: channels,
      stopped: stoppedBySuspension,
      revokeRejected: rejectedCase(hands),
      build,
      log,
    })
    const port = await listen(app, settings.services.host, settings.services.operatorPort)
    const watch = watchTrust(
      store,
      trust,
      current => renew(server, current),
      cause => log.error({ fault: cause.message }, 'the lists at the door could not be renewed'),
    )
    // The door does not wait for the first look; its end does.
    const duties = [
      every(termsEveryMs, log, () => keepCredentialTerms(hands)),
      every(revocationsEveryMs, log, () => revokeReturned(hands)),
      every(revocationsEveryMs, log, () => lapseDeferrals(hands)),
    ]
    return {
      port,
      async close() {
        watch.stop()
        await app.close()
        for (const stop of duties) await stop()
        for (const channel of channels) channel.close()
        await store.close()
      },
    }
  } catch (cause) {
    for (const channel of channels) channel.close()
    await store.close()
    throw cause
  }
}

/** Requests are small but for files of documents, which take as long as elsewhere. */
function limitsOf({ services }: Settings): Limits {
  const { idleSeconds, headSeconds, requestSeconds, connections, tls13 } = services
  return { idleSeconds, headSeconds, requestSeconds, bodyOctets, connections, tls13, ...crowdOf({ services }) }
}

/** Now, and so often; never twice at a time. @returns what stops it, and waits for a run under way */
function every(ms: number, log: Logger, work: () => Promise<unknown>): () => Promise<void> {
  let running: Promise<void> | undefined
  const run = () => {
    running ??= work()
      .then(
        () => {},
        (cause: Error) => log.error({ fault: cause.message }, 'what is done by schedule met a fault'),
      )
      .finally(() => {
        running = undefined
      })
  }
  run()
  const timer = setInterval(run, ms).unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}

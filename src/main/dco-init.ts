/** `smki dco init` and `admit`: the ceremony of a DCO, and taking an S1SP on. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, view } from '../ground/bytes.ts'
import { verifierKey, verifierKeyText } from '../ground/journal/note.ts'
import { Refusal } from '../ground/refusal.ts'
import { environmentLog } from '../rooms/symmetric/dco/environment.ts'
import { dcoHands } from '../rooms/symmetric/dco/hands.ts'
import { type Ceremony, makeSharedKey } from '../rooms/symmetric/dco/hsm.ts'
import { identityOf, setUp } from '../rooms/symmetric/dco/set-up.ts'
import { dcoMigrations } from '../rooms/symmetric/dco/tables.ts'
import { fingerprintOf } from '../rooms/symmetric/hsm-package.ts'
import type { DcoPeer, S1spPeer } from '../rooms/symmetric/peers.ts'
import { no } from '../rooms/symmetric/refusals.ts'
import { withDco } from './dco.ts'
import { type DcoHome, parseDcoSettings } from './dco-home.ts'
import { integrateJournal, journalOf } from './dco-journal.ts'
import { openDcoKeys } from './dco-keys.ts'
import { privateFolder, writePrivate } from './home.ts'
import { requireModule } from './module-keys.ts'
import { openOwnStore } from './own-store.ts'
import { makePeerTls, readPeerTls } from './peer-tls.ts'
import { systemChance, systemClock } from './world.ts'

export interface InitDco {
  readonly name: string
  readonly kind: 'test' | 'production'
  readonly ceremony: Ceremony
  /** Changes to the defaults, as in the configuration file. */
  readonly settings?: Record<string, unknown> | undefined
  /** Of the key store; a test DCO without one makes its own, and keeps it beside the store. */
  readonly passphrase?: Buffer | undefined
  /** Cost of opening the key store, for tests. */
  readonly log2N?: number | undefined
}

/** @throws Refusal DCO_EXISTS, CONFIG_INVALID, SOFTWARE_KEYS_REFUSED, PASSPHRASES_NEEDED, PERSON_NOT_ALLOWED */
export async function initDco(home: DcoHome, options: InitDco): Promise<DcoPeer> {
  if (existsSync(home.path) && readdirSync(home.path).length > 0) throw no('DCO_EXISTS', home.path)
  const { name, kind, ceremony, log2N } = options
  const chosen = { name, kind, ...options.settings }
  const settings = parseDcoSettings(chosen, 'the settings')
  requireModule(settings)
  if (!options.passphrase && (kind === 'production' || settings.module.kind === 'pkcs11')) {
    throw new Refusal(
      'PASSPHRASES_NEEDED',
      'give the passphrase of the key store, or the PIN of the token: --passphrase-file',
    )
  }
  // Before anything is made.
  if (new Set(ceremony.present).size < settings.quorum) {
    throw no('PERSON_NOT_ALLOWED', `${settings.quorum} card holders are needed`)
  }
  privateFolder(home.path)
  const passphrase = options.passphrase ?? Buffer.from(view(systemChance(24)).toString('base64url'))
  privateFolder(join(home.path, 'keys'))
  const { keys, module, close } = openDcoKeys(home.keys, settings, passphrase, { log2N })
  if (!options.passphrase) writePrivate(home.passphrase, passphrase)
  const opened = await openOwnStore(home.store, dcoMigrations, false)
  try {
    const environment = environmentLog(home.environmentLog, systemClock, module.identity)
    environment.tell({ event: 'module.opened' })
    const hands = dcoHands({
      store: opened.store,
      clock: systemClock,
      chance: systemChance,
      module,
      keys,
      settings,
      environment,
    })
    await setUp(hands, ceremony)
    const { host, port, serverNames } = settings.door
    makePeerTls(home.tls, name, serverNames.length > 0 ? serverNames : [host])
    privateFolder(home.peers)
    const { authority } = readPeerTls(home.tls)
    const peer: DcoPeer = { ...identityOf(hands), authority, url: `https://${host}:${port}` }
    writePrivate(home.peer, `${JSON.stringify(peer, null, 2)}\n`)
    const { name: log, publicKey } = journalOf(settings, keys)
    writePrivate(home.journalKey, `${verifierKeyText(verifierKey(log, publicKey))}\n`)
    await integrateJournal(hands)
    writePrivate(home.config, `${JSON.stringify(chosen, null, 2)}\n`)
    return peer
  } finally {
    close()
    await opened.close()
  }
}

/**
 * Takes an S1SP on: its keys and TLS authority, and a Shared Key for its module, with a quorum present.
 * @param fingerprint of its transport key, as people read it to one another
 * @returns the label of the Shared Key
 */
export async function admitS1sp(
  home: DcoHome,
  peer: S1spPeer,
  fingerprint: string,
  ceremony: Ceremony,
): Promise<string> {
  const config = JSON.parse(readFileSync(home.config, 'utf8')) as { s1sps?: { name: string }[] }
  const { authority, transportKey, ...known } = peer
  const s1sps = [...(config.s1sps ?? []).filter(({ name }) => name !== peer.name), known]
  const next = { ...config, s1sps }
  parseDcoSettings(next, home.config)
  writeFileSync(join(home.peers, `${peer.name}.pem`), authority, { mode: 0o600 })
  writeFileSync(home.config, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600 })
  return withDco(home, hands => {
    const recipient = { name: peer.name, transportKey: fromHex(transportKey), fingerprint }
    return makeSharedKey(hands, ceremony, peer.name, [recipient])
  })
}

/** For people and their comparing: SHA-256 over the transport key. */
export const transportFingerprint = (peer: S1spPeer): string => fingerprintOf(fromHex(peer.transportKey))

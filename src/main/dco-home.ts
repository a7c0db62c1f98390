/** The home of a DCO: one folder, what lies where in it, and its configuration. */

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { Refusal } from '../ground/refusal.ts'
import { type DcoSettings, dcoSettingsSchema } from '../policy/symmetric/dco-settings.ts'
import { no } from '../rooms/symmetric/refusals.ts'

export interface DcoHome {
  readonly path: string
  /** Written last: its presence says that the DCO was set up. */
  readonly config: string
  readonly store: string
  readonly keys: string
  readonly passphrase: string
  readonly tls: string
  /** TLS authorities of the S1SPs, PEM. */
  readonly peers: string
  /** What others are told of this DCO. */
  readonly peer: string
  readonly journalKey: string
  readonly environmentLog: string
}

export function dcoHomeAt(path: string): DcoHome {
  const at = resolve(path)
  return {
    path: at,
    config: join(at, 'config.json'),
    store: join(at, 'store'),
    keys: join(at, 'keys', 'keys'),
    passphrase: join(at, 'keys', 'passphrase'),
    tls: join(at, 'tls'),
    peers: join(at, 'peers'),
    peer: join(at, 'dco.json'),
    journalKey: join(at, 'journal.vkey'),
    environmentLog: join(at, 'environment.log'),
  }
}

/** @throws Refusal DCO_MISSING, CONFIG_INVALID */
export function loadDcoSettings(home: DcoHome): DcoSettings {
  if (!existsSync(home.config)) throw no('DCO_MISSING', home.path)
  try {
    return parseDcoSettings(JSON.parse(readFileSync(home.config, 'utf8')), home.config)
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new Refusal('CONFIG_INVALID', `${home.config} is not JSON`, { cause })
    throw cause
  }
}

/** @param where it stands, for the Refusal. @throws Refusal CONFIG_INVALID */
export function parseDcoSettings(json: unknown, where: string): DcoSettings {
  const parsed = dcoSettingsSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new Refusal('CONFIG_INVALID', `${where} is not a configuration: ${z.prettifyError(parsed.error)}`)
}

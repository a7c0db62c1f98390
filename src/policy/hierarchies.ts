/** Every hierarchy that this platform knows how to operate. */

import { dcckiPki } from './dccki/hierarchy.ts'
import { ikiPki } from './iki/hierarchy.ts'
import type { Hierarchy, PkiName, Profile } from './profile.ts'
import { s1spPki } from './s1spki/hierarchy.ts'
import type { Settings } from './settings.ts'
import { devicePki } from './smki-device/hierarchy.ts'
import { organisationPki } from './smki-organisation/hierarchy.ts'

/** The three that every SMKI has. */
export const smkiPkis: readonly Exclude<PkiName, 'test-tls'>[] = ['smki-organisation', 'smki-device', 'iki']

export function hierarchies(settings: Settings): Readonly<Record<Exclude<PkiName, 'test-tls'>, Hierarchy>> {
  return {
    'smki-organisation': organisationPki(settings),
    'smki-device': devicePki(settings),
    iki: ikiPki(settings),
    dccki: dcckiPki(settings),
    's1spki-foc': s1spPki(settings, 'FOC'),
    's1spki-moc': s1spPki(settings, 'MOC'),
  }
}

/** The end entity profile of that name. @throws RangeError when no hierarchy has it. */
export function profileNamed(settings: Settings, name: string): Profile {
  const found = Object.values(hierarchies(settings))
    .flatMap(hierarchy => hierarchy.endEntities)
    .find(profile => profile.name === name)
  if (!found) throw new RangeError(`no profile is called ${name}`)
  return found
}

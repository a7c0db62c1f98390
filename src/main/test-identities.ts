/** The people whom a newcomer may enter the Portal of a test environment as: found by their certificates, not their keys. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestIdentity } from '../doors/portal/door.ts'
import type { Store } from '../ground/store/store.ts'
import { readCertificate } from '../ground/x509/certificate.ts'
import { readPem } from '../ground/x509/pem.ts'
import type { Peer } from '../rooms/registration/caller.ts'
import { credentialOf, parties } from '../rooms/registration/parties.ts'
import type { Home } from './home.ts'

const central: readonly { readonly key: string; readonly name: string; readonly says: string }[] = [
  {
    key: 'ra-clerk-1',
    name: 'Clerk of the Registration Authority',
    says: 'verifies what is asked for, and approves or rejects batches',
  },
  {
    key: 'ra-clerk-2',
    name: 'Second clerk of the Registration Authority',
    says: 'the second person, where two are needed',
  },
  {
    key: 'ra-manager-1',
    name: 'Manager of the Registration Authority',
    says: 'approves nominations, credentials and revocations',
  },
  {
    key: 'ra-manager-2',
    name: 'Second manager of the Registration Authority',
    says: 'approves what the first has asked for',
  },
  { key: 'pma-member-1', name: 'Member of the SMKI PMA', says: 'records decisions and directions' },
  { key: 'pma-member-2', name: 'Second member of the SMKI PMA', says: 'the second person of the SMKI PMA' },
]

/** Those that the environment still has, in the order in which a newcomer needs them. */
export async function testIdentities(home: Home, store: Store): Promise<TestIdentity[]> {
  const folders = readdirSync(home.credentials, { withFileTypes: true }).filter(one => one.isDirectory())
  const officers: TestIdentity[] = []
  const known = await parties(store)
  for (const { name: folder } of folders) {
    const peers = ['portal-device', 'portal-org'].flatMap(file => peerIn(join(home.credentials, folder), file))
    const credential = peers[0] && (await credentialOf(store, peers[0].issuer, peers[0].serial))
    if (!credential) continue
    const party = known.find(one => one.id === credential.party)?.tradingName ?? folder
    officers.push({
      key: folder,
      name: `Authorised Responsible Officer of ${party}`,
      says: `submits requests for ${peers.length > 1 ? 'Organisation and Device' : 'Device'} Certificates and collects them`,
      identity: { kind: 'officer', peers },
    })
  }
  // The meter maker first: a newcomer's walk begins there.
  officers.sort((a, b) => Number(b.key === 'meter-maker') - Number(a.key === 'meter-maker'))
  const staff = central.flatMap(({ key, name, says }): TestIdentity[] => {
    const peers = peerIn(join(home.credentials, key), 'ra-staff')
    return peers.length === 0 ? [] : [{ key, name, says, identity: { kind: 'officer', peers } }]
  })
  const auditor = {
    key: 'auditor',
    name: 'Auditor',
    says: 'reads the Repository and checks the journal',
    identity: { kind: 'auditor' },
  } as const
  const [first, ...others] = officers
  return [...(first ? [first] : []), ...staff, ...others, auditor]
}

function peerIn(folder: string, file: string): Peer[] {
  try {
    const [own] = readPem(readFileSync(join(folder, `${file}.crt.pem`), 'utf8'))
    const { issuer, serial, notAfter } = readCertificate(own!.der)
    return [{ issuer: issuer.der, serial, notAfter: new Date(notAfter.ms) }]
  } catch {
    // Not there, or taken away: then nobody enters by it.
    return []
  }
}

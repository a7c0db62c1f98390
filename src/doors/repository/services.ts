/** Search and retrieve: from the octets of a request to those of its answer. */

import { fromBigInt, fromHex, toBigInt, toHexUpper } from '../../ground/bytes.ts'
import type { Clock } from '../../ground/clock.ts'
import type { Store } from '../../ground/store/store.ts'
import { eui64, hyphenated } from '../../policy/identifiers.ts'
import type { Settings } from '../../policy/settings.ts'
import type { Known } from '../../rooms/repository/find.ts'
import { retriever, searcher } from '../../rooms/repository/retrieve.ts'
import type { Log, Visit } from './answer.ts'
import {
  type Found,
  readDataRequest,
  readSearchRequest,
  writeDataResponse,
  writeSearchResponse,
} from './message.ts'

export interface Services {
  /** XML; undefined when nothing was found. @throws Refusal INVALID_SEARCH */
  search(octets: Buffer, visit: Visit): Promise<string | undefined>
  /** XML; undefined when nothing was found. @throws Refusal INVALID_SEARCH */
  retrieve(octets: Buffer, visit: Visit): Promise<string | undefined>
}

export function services(
  store: Pick<Store, 'query'>,
  clock: Clock,
  log: Log,
  settings: Settings['repository'],
): Services {
  const tell = teller(settings.manufacturingFlag === 'first')
  const retrieve = retriever(store, clock)
  const search = { device: searcher(store, clock, 'device'), organisation: searcher(store, clock, 'organisation') }
  return {
    async search(octets, visit) {
      const { subject, eui64: asked } = readSearchRequest(octets)
      visit.asked = `${subject} ${asked}`
      const family = subject === 'DEVICE' ? 'device' : 'organisation'
      const lodged = await search[family](fromHex(eui64(asked)!))
      const results = (lodged ?? []).flatMap(one => tell(one) ?? [])
      visit.found = results.length
      return results.length > 0 ? writeSearchResponse({ auditReference: visit.reference, results }) : undefined
    },

    async retrieve(octets, visit) {
      const asked = readDataRequest(octets)
      visit.asked = `SERIAL ${asked.toString(16).toUpperCase()}`
      // Ours have 16 octets; those of others may have more.
      const serial = asked < 1n << 128n ? fromBigInt(asked, 16) : undefined
      const retrieved = serial && (await retrieve(serial))
      const found = retrieved && tell(retrieved.lodged)
      visit.found = found ? 1 : 0
      if (!found) return undefined
      const { lodged, sharedWith } = retrieved
      if (sharedWith.length > 0) {
        // Whoever asked gets an answer, which may not be what they meant (repository.md section 10, trap 6).
        const authorities = [lodged.authority, ...sharedWith].sort((a, b) => a - b)
        log.error(
          { alarm: 'SERIAL_SHARED', serial: toHexUpper(lodged.serial), authorities },
          'issuers share a serial number',
        )
      }
      return writeDataResponse({ auditReference: visit.reference, found, body: lodged.der })
    },
  }
}

/**
 * Device and Organisation Certificates. The service has no words for others: it does not tell of IKI Certificates,
 * which other Parties do not see (repository 2), and those of authorities are fetched by their key identifier.
 */
function teller(flagsFirst: boolean) {
  return ({ family, eui64, usage, role, serial, status, manufacturing }: Known): Found | undefined => {
    if ((family !== 'device' && family !== 'organisation') || eui64 === undefined || usage === '-') return undefined
    const whose = { eui64: hyphenated(eui64), role }
    return { serial: toBigInt(serial), ...whose, status, usage, manufacturingFlag: flagsFirst && manufacturing }
  }
}

/** A zip of requests of simulated Devices, for a newcomer to submit: other Devices each time. */

import { ZipFile } from 'yazl'
import { makeMany } from '../../simulator/batch.ts'
import type { Chance, Clock } from '../ground/clock.ts'
import { toPem } from '../ground/x509/pem.ts'

/** Two requests for each Device, named after it: `02D0….DS.csr` and `….KA.csr`. */
export async function* sampleZip(count: number, clock: Clock, chance: Chance): AsyncGenerator<Buffer> {
  const at = clock()
  // The range 02-D1: 28 bits by chance, then a running number of 20 bits.
  const first = 0x02d1_0000_0000_0000n | (BigInt(Buffer.from(chance(4)).readUInt32BE() >>> 4) << 20n)
  const zip = new ZipFile()
  const requests = makeMany({
    count,
    firstDeviceId: first.toString(16).padStart(16, '0'),
    usages: ['digitalSignature', 'keyAgreement'],
    threads: 1,
  })
  for await (const { deviceId, usage, csr } of requests) {
    const name = `${deviceId.toUpperCase()}-${usage === 'keyAgreement' ? 'KA' : 'DS'}.csr`
    zip.addBuffer(Buffer.from(toPem('CERTIFICATE REQUEST', csr)), name, { mtime: at })
  }
  zip.end()
  yield* zip.outputStream as AsyncIterable<Buffer>
}

/** `smki devices make`: simulated Devices, for trying out an environment. */

import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import yazl from 'yazl'
import { makeBatchXml, makeMany, type OneOfMany } from '../../../simulator/batch.ts'
import { progress } from '../../doors/cli/progress.ts'
import { Refusal } from '../../ground/refusal.ts'
import { toPem } from '../../ground/x509/pem.ts'
import { eui64 } from '../../policy/identifiers.ts'
import { type Io, json, wholeNumber } from './context.ts'

/** CSRs in one SubmitCSRBatch, and files in one zip (L8.2). */
const batchMaximum = 50_000

export function addDevices(program: Command, io: Io): void {
  program
    .command('devices')
    .description('simulated Devices')
    .command('make')
    .description(
      'make Devices: two key pairs and CSRs each, batch documents for the web service, and zips for the portal',
    )
    .requiredOption('--count <n>', 'how many Devices', wholeNumber)
    .option('--out <folder>', 'where to', 'devices')
    .option('--first <device-id>', 'Device ID of the first', '02d0000000000000')
    .option('--keys', 'write the private keys too (PKCS#8, PEM)')
    .option('--json', 'one JSON object')
    .action(async (flags: { count: number; out: string; first: string; keys?: true; json?: true }) => {
      const first = eui64(flags.first)
      if (first === undefined) throw new Refusal('NOT_AN_IDENTIFIER', `${flags.first} is not a Device ID`)
      if (flags.count < 1) throw new Refusal('NOT_A_NUMBER', 'at least one Device is made')
      mkdirSync(flags.out, { recursive: true })
      const files = await makeFiles({ ...flags, first })
      if (flags.json) json(io, { devices: flags.count, requests: 2 * flags.count, folder: flags.out, files })
      else io.out(`${flags.count} Devices with ${2 * flags.count} CSRs are in ${flags.out}: ${files.join(', ')}\n`)
    })
}

async function makeFiles(flags: { count: number; out: string; first: string; keys?: true }): Promise<string[]> {
  const bar = progress('making Devices', 2 * flags.count)
  const requests = makeMany({
    count: 2 * flags.count,
    firstDeviceId: flags.first,
    usages: ['digitalSignature', 'keyAgreement'],
    privateKeys: flags.keys === true,
  })[Symbol.asyncIterator]()
  const files: string[] = []
  let made = 0
  for (let number = 1; made < 2 * flags.count; number++) {
    const name = number === 1 ? 'batch' : `batch-${number}`
    const zip = new yazl.ZipFile()
    const zipped = zip.outputStream.pipe(createWriteStream(join(flags.out, `${name}.zip`)))
    async function* some(): AsyncGenerator<OneOfMany> {
      for (let i = 0; i < batchMaximum && made < 2 * flags.count; i++) {
        const { value } = (await requests.next()) as { value: OneOfMany }
        zip.addBuffer(Buffer.from(value.csr.toString('base64')), `${value.id}.csr`)
        if (value.privateKey)
          writeFileSync(join(flags.out, `${value.id}.key.pem`), toPem('PRIVATE KEY', value.privateKey), {
            mode: 0o600,
          })
        bar.at(++made)
        yield value
      }
    }
    await pipeline(
      Readable.from(makeBatchXml(some(), { id: name })),
      createWriteStream(join(flags.out, `${name}.xml`)),
    )
    zip.end()
    await finished(zipped)
    files.push(`${name}.xml`, `${name}.zip`)
  }
  await requests.return(undefined)
  bar.end()
  return files
}

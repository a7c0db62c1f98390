/** `smki certificate`: what stands in the Repository. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { progress } from '../../doors/cli/progress.ts'
import { fromHex, toHexUpper } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { showName } from '../../ground/x509/name.ts'
import { oidName } from '../../ground/x509/names.ts'
import { toPem } from '../../ground/x509/pem.ts'
import { eui64, hyphenated, serialFromText, serialText } from '../../policy/identifiers.ts'
import { roleName } from '../../policy/roles.ts'
import { everyCertificate, findByEui64, findBySerials, howMany, type Lodged } from '../../rooms/repository/find.ts'
import { currentLists } from '../../rooms/repository/lists.ts'
import { exitCodes, type Io, json, table, withStore } from './context.ts'

export function addCertificate(program: Command, io: Io): void {
  const group = program.command('certificate').description('certificates in the Repository: find, show, export')

  group
    .command('find')
    .description('find certificates by EUI-64 (of a Device or an organisation) or by serial number')
    .argument('<identifier>', 'EUI-64 with or without hyphens, or a serial number of 32 hexadecimal digits')
    .option('--json', 'one JSON object')
    .action(async (text: string, flags: { json?: true }, command: Command) => {
      await withStore(command, async ({ store, hands }) => {
        const found = await find(store, text, hands.clock())
        if (flags.json) json(io, found.map(summary))
        else if (found.length === 0) io.err(`nothing is lodged under ${text}\n`)
        else io.out(table([['SERIAL', 'KIND', 'SUBJECT', 'ROLE', 'USAGE', 'STATUS', 'ISSUED'], ...found.map(row)]))
        io.exit(found.length > 0 ? exitCodes.ok : exitCodes.no)
      })
    })

  group
    .command('show')
    .description('show one certificate')
    .argument('<serial>', 'serial number, hexadecimal')
    .option('--pem', 'the certificate itself')
    .option('--json', 'one JSON object')
    .action(async (text: string, flags: { json?: true; pem?: true }, command: Command) => {
      await withStore(command, async ({ store, hands }) => {
        const [found] = await find(store, text, hands.clock())
        if (!found) throw new Refusal('NOT_FOUND', `no certificate has the serial number ${text}`)
        if (flags.pem) io.out(toPem('CERTIFICATE', found.der))
        else if (flags.json) json(io, { ...summary(found), pem: toPem('CERTIFICATE', found.der) })
        else io.out(describe(found))
      })
    })

  group
    .command('export')
    .description(
      'write every certificate, those of the authorities included, one PEM file each, and the current lists',
    )
    .requiredOption('--out <folder>', 'where to')
    .option('--json', 'one JSON object')
    .action(async (flags: { out: string; json?: true }, command: Command) => {
      await withStore(command, async ({ store, hands }) => {
        mkdirSync(flags.out, { recursive: true })
        const bar = progress('exporting', await howMany(store))
        let count = 0
        for await (const one of everyCertificate(store, hands.clock())) {
          writeFileSync(join(flags.out, fileName(one)), toPem('CERTIFICATE', one.der))
          bar.at(++count)
        }
        bar.end()
        const lists = await currentLists(store)
        for (const list of lists) {
          writeFileSync(
            join(flags.out, `${list.name.toLowerCase().replace(/ /g, '-')}-${list.number}.crl.pem`),
            toPem('X509 CRL', list.der),
          )
        }
        if (flags.json) json(io, { certificates: count, lists: lists.length, folder: flags.out })
        else io.out(`${count} certificates and ${lists.length} lists are in ${flags.out}\n`)
      })
    })
}

async function find(store: Parameters<typeof findBySerials>[0], text: string, now: Date): Promise<Lodged[]> {
  const id = eui64(text)
  if (id !== undefined) {
    const octets = fromHex(id)
    return [
      ...(await findByEui64(store, octets, 'device', now)),
      ...(await findByEui64(store, octets, 'organisation', now)),
    ]
  }
  const serial = serialFromText(text)
  if (!serial) throw new Refusal('NOT_AN_IDENTIFIER', `${text} is neither an EUI-64 nor a serial number`)
  return findBySerials(store, [serial], now)
}

function row(one: Lodged): string[] {
  const subject = one.eui64 === undefined ? showName(readCertificate(one.der).subject) : hyphenated(one.eui64)
  const role = one.role === undefined ? '' : roleName(one.role)
  return [serialText(one.serial), one.family, subject, role, one.usage, one.status, one.issuedAt.toISOString()]
}

function summary(one: Lodged) {
  const { subject, issuer, notBefore, notAfter } = readCertificate(one.der)
  return {
    serial: serialText(one.serial),
    kind: one.family,
    subject: showName(subject),
    issuer: showName(issuer),
    eui64: one.eui64 === undefined ? null : hyphenated(one.eui64),
    role: one.role ?? null,
    usage: one.usage,
    status: one.status,
    manufacturingFlag: one.manufacturing,
    notBefore: new Date(notBefore.ms),
    notAfter: new Date(notAfter.ms),
  }
}

function describe(one: Lodged): string {
  const certificate = readCertificate(one.der)
  const lines = Object.entries(summary(one)).map(([key, value]) => [
    key,
    value instanceof Date ? value.toISOString() : String(value ?? '-'),
  ])
  const list = certificate.extensions.map(({ oid, critical, value }) => [
    '',
    `${oidName(oid)}${critical ? ' (critical)' : ''} ${toHexUpper(value)}`,
  ])
  return table([
    ...lines,
    ['public key', `${certificate.publicKey.kind} ${toHexUpper(certificate.publicKey.key)}`],
    ['extensions', ''],
    ...list,
  ])
}

function fileName(one: Lodged): string {
  const whose = one.eui64 ?? showName(readCertificate(one.der).subject).replace(/[^A-Za-z0-9]+/g, '-')
  return `${one.family}-${whose}-${one.usage === '-' ? '' : `${one.usage.toLowerCase()}-`}${serialText(one.serial).toLowerCase()}.pem`
}

/** `smki ceremony officers`: the first people of the Registration Authority, appointed before witnesses. */

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { z } from 'zod'
import { toHex } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import { readPemOrDer, toPem } from '../../ground/x509/pem.ts'
import { firstOffices, offices } from '../../policy/registration/offices.ts'
import { authorities } from '../../rooms/authority/register.ts'
import { privateFolder, writePrivate } from '../home.ts'
import { openKeyStore } from '../key-stores.ts'
import { passphraseOf } from '../passphrases.ts'
import { type CeremonyPlan, openOffice } from '../registration-office.ts'
import { roomSigning } from '../signer-rooms.ts'
import { journalTranscript } from '../transcript.ts'
import { type Io, withStore } from './context.ts'

const evidence = z.array(z.strictObject({ kind: z.string().min(1), reference: z.string().min(1) })).min(1)

const planSchema = z.strictObject({
  /** The organisation that provides SMKI Services. */
  operator: z.strictObject({ name: z.string(), tradingName: z.string() }),
  people: z.array(
    z.strictObject({
      name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/),
      office: z.enum(firstOffices),
      data: z.strictObject({
        name: z.string().min(1),
        telephone: z.string().optional(),
        email: z.string().optional(),
      }),
      evidence,
      /** A CSR in PEM, beside this file: RSA-2048, made on the person's token. */
      csr: z.string().optional(),
    }),
  ),
  witnesses: z.array(z.string().min(1)).min(2),
  evidence,
  words: z.string().optional(),
})

export function addOfficers(ceremonies: Command, io: Io): void {
  ceremonies
    .command('officers')
    .description('appoint the first people of the Registration Authority, and give them their IKI Certificates')
    .argument('<file>', 'JSON: operator, people with office, evidence and CSR, witnesses, evidence')
    .option('--issuing-passphrase-file <file>', 'passphrase of the issuing key store')
    .action(async (file: string, flags: { issuingPassphraseFile?: string }, command: Command) => {
      const plan = planFrom(file)
      await withStore(command, async ({ home, settings, hands }) => {
        const passphrase = await passphraseOf('issuing', flags.issuingPassphraseFile, home.issuingPassphrase)
        const keys = openKeyStore(home, settings, 'issuing', passphrase)
        try {
          const office = await openOffice(
            { ...hands, rules: settings.registration },
            plan,
            roomSigning({ ...hands, rules: settings.registration }, keys, settings),
          )
          const lines = [`# First appointments of ${settings.environment}, ${hands.clock().toISOString()}`]
          const say = (line: string) => {
            lines.push(line)
            io.out(`${line}\n`)
          }
          for (const [i, { name, office: of }] of plan.people.entries()) {
            say(`${name}: ${offices[of].title}, person ${office.people[i]!.person}`)
          }
          const chain = (await authorities(hands.store)).filter(one => one.pki === 'iki' && one.level === 'issuing')
          for (const [name, certificate] of office.credentials) {
            const path = join(privateFolder(join(home.credentials, name)), 'ra-staff.crt.pem')
            const pems = [certificate, ...chain.map(one => one.certificate)].map(one =>
              toPem('CERTIFICATE', one.der),
            )
            writePrivate(path, pems.join(''))
            say(`${name}: IKI Certificate ${toHex(certificate.serial)} in ${path}`)
          }
          await journalTranscript(hands, 'first appointments', `${lines.join('\n')}\n`)
        } finally {
          keys.close()
        }
      })
    })
}

/** @throws Refusal OFFICERS_UNREADABLE, with every fault in it */
function planFrom(file: string): CeremonyPlan {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Refusal('OFFICERS_UNREADABLE', `${file} cannot be read as JSON`, { cause })
  }
  const parsed = planSchema.safeParse(json)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(issue => `${issue.path.join('.') || '(top)'}: ${issue.message}`)
    throw new Refusal('OFFICERS_UNREADABLE', `${file} is no plan of first appointments: ${faults.join('; ')}`)
  }
  return {
    ...parsed.data,
    people: parsed.data.people.map(({ csr, ...person }) => ({
      ...person,
      ...(csr !== undefined && { csr: csrFrom(resolve(dirname(file), csr)) }),
    })),
  }
}

function csrFrom(file: string): Uint8Array {
  try {
    const [csr, ...more] = readPemOrDer(readFileSync(file), ['CERTIFICATE REQUEST'])
    if (csr && more.length === 0) return csr
  } catch (cause) {
    throw new Refusal('OFFICERS_UNREADABLE', `${file} holds no CSR`, { cause })
  }
  throw new Refusal('OFFICERS_UNREADABLE', `${file} does not hold exactly one CSR`)
}

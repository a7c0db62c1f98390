/** `smki recovery make`: what a procedure replaces before it sends commands: the root with its pair, the Issuing OCA, the key. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { fromHex } from '../../ground/bytes.ts'
import type { OpenKeyStore } from '../../ground/keystore/attach.ts'
import { Refusal } from '../../ground/refusal.ts'
import { toPem } from '../../ground/x509/pem.ts'
import { eui64 } from '../../policy/identifiers.ts'
import { recordDestroyed } from '../../rooms/recovery/custody.ts'
import { custodyLabels, newestNumber, replaceIssuingOca, replaceRootOca, type Witness } from '../ceremony.ts'
import { organisationCsr } from '../csr.ts'
import { privateFolder, writePrivate } from '../home.ts'
import type { CustodyName } from '../key-stores.ts'
import { type Custodial, keptAs, openCustody } from '../recovery-custody.ts'
import { keepTranscript } from '../transcript.ts'
import type { Io } from './context.ts'
import { openBy } from './quorum.ts'
import { asHere, type HereFlags, recoveringHere, whoHere } from './recovery-here.ts'

interface StoreFlags extends HereFlags {
  readonly rootPassphraseFile?: string
  readonly rootShare?: readonly string[]
  readonly issuingPassphraseFile?: string
  readonly issuingShare?: readonly string[]
  readonly contingencyPassphraseFile?: string
  readonly contingencyShare?: readonly string[]
  readonly symmetricPassphraseFile?: string
  readonly recoveryPassphraseFile?: string
  readonly recoveryShare?: readonly string[]
}

export function addRecoveryMake(recovery: Command, io: Io): void {
  const make = recovery.command('make').description('ceremonies of a recovery: what replaces what is Compromised')

  stores(asHere(make.command('root')), 'root', 'contingency', 'symmetric')
    .description('a new Root OCA with a new contingency pair and Symmetric Key, each in a store of its own')
    .requiredOption('--name <name>', 'its name, four characters at most, and no other authority has it')
    .option('--linked', 'with a certificate by the root before it, for a normal root change (case contingency)')
    .action(async (flags: StoreFlags & { name: string; linked?: true }, command: Command) => {
      await inCeremony(io, command, flags, `Root OCA ${flags.name}`, async (here, say, open) => {
        const custody = { contingency: await open('contingency'), symmetric: await open('symmetric') }
        const root = await open('root')
        const plan = { name: flags.name, linked: flags.linked === true }
        const made = await replaceRootOca(here.hands, here.settings, { root, issuing: root, custody }, plan, say)
        keep(here, io, `root-${flags.name}`, made.root.certificate.der)
        if (made.link) keep(here, io, `link-${flags.name}`, made.link.der)
        say('The new Symmetric Key lies in its store until it is shared: smki recovery custodian share symmetric')
      })
    })

  stores(asHere(make.command('issuing-oca')), 'root', 'issuing')
    .description('a new Issuing OCA below the newest root that may certify; from then on it issues')
    .requiredOption('--name <name>', 'its name, four characters at most, and no other authority has it')
    .action(async (flags: StoreFlags & { name: string }, command: Command) => {
      await inCeremony(io, command, flags, `Issuing OCA ${flags.name}`, async (here, say, open) => {
        const keys = { root: await open('root'), issuing: await open('issuing') }
        const made = await replaceIssuingOca(here.hands, here.settings, keys, flags.name, say)
        keep(here, io, `issuing-${flags.name}`, made.certificate.der)
      })
    })

  stores(asHere(make.command('recovery-key')), 'recovery')
    .description('a new Recovery Key Pair, and the Organisation CSR for its certificate')
    .requiredOption('--eui64 <eui64>', 'of the certificate')
    .requiredOption('--out <file>', 'where the CSR is written, in PEM; an ARO of the DCC submits it')
    .action(async (flags: StoreFlags & { eui64: string; out: string }, command: Command) => {
      const holder = eui64(flags.eui64)
      if (holder === undefined) throw new Refusal('EUI64_UNREADABLE', `${flags.eui64} is no EUI-64`)
      await inCeremony(io, command, flags, 'Recovery Key Pair', async (_, say, open) => {
        const keys = await open('recovery')
        const label = `${custodyLabels.recovery}${newestNumber(keys.labels(), 'recovery') + 1}`
        const publicKey = keys.generate(label, 'P-256')
        const pair = { publicKey, sign: (octets: Uint8Array) => keys.sign(label, octets) }
        // Remote Party Role `recovery`.
        const csr = organisationCsr(pair, { role: 1, eui64: fromHex(holder) }, 'digitalSignature')
        writeFileSync(flags.out, toPem('CERTIFICATE REQUEST', csr), { flag: 'wx' })
        say(`Recovery Key Pair ${label} made in ${keys.identity}; its CSR is in ${flags.out}`)
      })
    })

  stores(asHere(recovery.command('destroy')), 'contingency', 'recovery')
    .description('destroy a key that was replaced: its store has it no more')
    .argument('<label>', 'contingency/1, recovery/1 …')
    .action(async (label: string, flags: StoreFlags, command: Command) => {
      const name = (['contingency', 'recovery'] as const).find(one => label.startsWith(custodyLabels[one]))
      if (!name) throw new Refusal('KEY_UNKNOWN', 'it is contingency/NUMBER or recovery/NUMBER')
      await recoveringHere(command, async here => {
        const by = await whoHere(here, flags)
        const keys = await openCustody(here, by, name, openerOf(flags, name), `destroying ${label}`)
        try {
          if (newestNumber(keys.labels(), name) === Number(label.split('/')[1]))
            throw new Refusal('KEY_IN_USE', `${label} is the newest: make what takes its place first`)
          keys.destroy(label)
        } finally {
          keys.close()
        }
        await recordDestroyed(here.hands, by, keptAs[name], label)
        io.out(`${label} is destroyed.\n`)
      })
    })
}

type Named = 'root' | 'issuing' | CustodyName

/** With the options that say how those stores are opened. */
function stores(command: Command, ...names: readonly Named[]): Command {
  for (const name of names) {
    command.option(`--${name}-passphrase-file <file>`, `passphrase or PIN of the ${name} store`)
    if (name !== 'symmetric')
      command.option(`--${name}-share <files...>`, `shares of enough holders of the ${name} store`)
  }
  return command
}

const openerOf = (flags: StoreFlags, name: Named) => ({
  passphraseFile: flags[`${name}PassphraseFile`],
  share: name === 'symmetric' ? undefined : flags[`${name}Share`],
})

/** Opens what is asked for, closes it, and leaves a transcript whose hash is in the journal. */
async function inCeremony(
  io: Io,
  command: Command,
  flags: StoreFlags,
  title: string,
  work: (here: Custodial, say: Witness, open: (name: Named) => Promise<OpenKeyStore>) => Promise<void>,
): Promise<void> {
  await recoveringHere(command, async here => {
    const { home, settings, hands } = here
    const by = await whoHere(here, flags)
    const opened: OpenKeyStore[] = []
    const open = async (name: Named) => {
      const store =
        name === 'root' || name === 'issuing'
          ? await openBy({ home, settings, hands, store: hands.store }, name, openerOf(flags, name), title)
          : await openCustody(here, by, name, openerOf(flags, name), title)
      opened.push(store)
      return store
    }
    const lines = [`# Ceremony: ${title} for ${settings.environment}, ${hands.clock().toISOString()}`]
    const say = (line: string) => {
      lines.push(line)
      io.out(`${line}\n`)
    }
    io.out(`${lines[0]}\n`)
    try {
      await work(here, say, open)
    } finally {
      for (const store of opened) store.close()
    }
    await keepTranscript(hands, home, { name: 'recovery', title, lines })
  })
}

/** Certificates for `lay-down`: public, beside the transcripts. */
function keep({ home }: Custodial, io: Io, name: string, der: Uint8Array): void {
  const path = join(privateFolder(home.ceremony), `${name}.crt.pem`)
  writePrivate(path, toPem('CERTIFICATE', der))
  io.out(`${path}\n`)
}

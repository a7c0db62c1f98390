/** `smki init` and `smki ceremony issuing-dca`: the ceremonies. */

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { readPassphraseFile } from '../../ground/keystore/passphrase.ts'
import { Refusal } from '../../ground/refusal.ts'
import { addIssuingDcas, renewRootLists } from '../ceremony.ts'
import { init } from '../init.ts'
import { type CustodyName, custodyNames } from '../key-stores.ts'
import { newPassphrase, passphraseOf } from '../passphrases.ts'
import { keepTranscript } from '../transcript.ts'
import { homeOf, type Io, json, wholeNumber, withStore } from './context.ts'
import { addOfficers } from './officers.ts'
import { addOperatorRoot } from './operator-root.ts'
import { openBy } from './quorum.ts'

const others = ['dccki', 's1spki-foc', 's1spki-moc'] as const

export function addInit(program: Command, io: Io): void {
  program
    .command('init')
    .description('hold the key ceremony of an environment, and print its transcript')
    .requiredOption('--environment <name>', 'what the environment is called')
    .option(
      '--production',
      'a production environment: no test Parties, no plain listener, the processing window of the Code',
    )
    .option(
      '--settings <file>',
      'a JSON file with settings that differ from the defaults (docs/operations/settings.md)',
    )
    .option('--with <pkis>', `further PKIs, separated by commas: ${others.join(', ')}`)
    .option('--keystore <kind>', 'where the keys live: software, or pkcs11 for a module')
    .option('--pkcs11-library <file>', 'the PKCS#11 library of the module')
    .option('--root-token <label>', 'the token for the keys of the roots (smki-root)')
    .option('--issuing-token <label>', 'the token for the keys of the issuing CAs (smki-issuing)')
    .option('--module-certificate <words>', 'the module and its validation certificate')
    .option('--root-passphrase-file <file>', 'passphrase or PIN of the root key store, readable by you alone')
    .option('--issuing-passphrase-file <file>', 'passphrase or PIN of the issuing key store, readable by you alone')
    .option('--contingency-passphrase-file <file>', 'passphrase or PIN of the store of the Contingency Private Key')
    .option('--symmetric-passphrase-file <file>', 'passphrase or PIN of the store of the Symmetric Key')
    .option('--recovery-passphrase-file <file>', 'passphrase or PIN of the store of the Recovery Private Key')
    .option('--json', 'one JSON object instead of the transcript')
    .action(async (flags: Flags, command: Command) => {
      const home = homeOf(command)
      const settings = await init(home, {
        environment: flags.environment,
        kind: flags.production ? 'production' : 'test',
        with: pkisOf(flags.with),
        settings: withKeyStore(flags.settings === undefined ? {} : settingsFrom(flags.settings), flags),
        ...(await passphrasesOf(flags)),
        witness: flags.json ? () => {} : line => io.out(`${line}\n`),
      })
      if (flags.json) return json(io, { home: home.path, environment: settings.environment, kind: settings.kind })
      io.out(`\nThe environment is in ${home.path}; the transcript to be signed is in ${home.ceremony}.\n`)
      io.out(`Next: smki serve --home ${home.path}\n`)
    })

  const ceremonies = program.command('ceremony').description('ceremonies of an environment that exists')

  addOfficers(ceremonies, io)
  addOperatorRoot(ceremonies, io)

  ceremonies
    .command('lists')
    .description('make the next list of every root (its ARL); the root key store must be present')
    .option('--root-passphrase-file <file>', 'passphrase of the root key store')
    .option('--root-share <files...>', 'shares of enough holders of the root key store')
    .action(async (flags: Pick<Flags, 'rootPassphraseFile' | 'rootShare'>, command: Command) => {
      await withStore(command, async opened => {
        const { settings, hands } = opened
        const opener = { passphraseFile: flags.rootPassphraseFile, share: flags.rootShare }
        const root = await openBy(opened, 'root', opener, 'ceremony lists')
        try {
          await renewRootLists(hands, settings, root, line => io.out(`${line}\n`))
        } finally {
          root.close()
        }
      })
    })

  ceremonies
    .command('issuing-dca')
    .description('add Issuing DCAs to the stock; the root key store must be present')
    .requiredOption('--count <n>', 'how many', wholeNumber)
    .option('--root-passphrase-file <file>', 'passphrase of the root key store')
    .option('--issuing-passphrase-file <file>', 'passphrase of the issuing key store')
    .option('--root-share <files...>', 'shares of enough holders of the root key store')
    .option('--issuing-share <files...>', 'shares of enough holders of the issuing key store')
    .action(
      async (
        flags: Pick<Flags, 'rootPassphraseFile' | 'issuingPassphraseFile' | 'rootShare' | 'issuingShare'> & {
          count: number
        },
        command: Command,
      ) => {
        if (flags.count < 1) throw new Refusal('NOT_A_NUMBER', 'at least one Issuing DCA is made')
        await withStore(command, async opened => {
          const { home, settings, hands } = opened
          const purpose = 'ceremony issuing-dca'
          const openers = {
            root: { passphraseFile: flags.rootPassphraseFile, share: flags.rootShare },
            issuing: { passphraseFile: flags.issuingPassphraseFile, share: flags.issuingShare },
          }
          const root = await openBy(opened, 'root', openers.root, purpose)
          const issuing = await openBy(opened, 'issuing', openers.issuing, purpose)
          const lines: string[] = [
            `# Ceremony: ${flags.count} Issuing DCAs for ${settings.environment}, ${hands.clock().toISOString()}`,
          ]
          io.out(`${lines[0]}\n`)
          try {
            await addIssuingDcas(hands, settings, { root, issuing }, flags.count, line => {
              lines.push(line)
              io.out(`${line}\n`)
            })
          } finally {
            root.close()
            issuing.close()
          }
          await keepTranscript(hands, home, { name: 'issuing-dca', title: 'Issuing DCAs added', lines })
        })
      },
    )
}

interface Flags {
  readonly environment: string
  readonly production?: true
  readonly with?: string
  readonly settings?: string
  readonly keystore?: string
  readonly pkcs11Library?: string
  readonly rootToken?: string
  readonly issuingToken?: string
  readonly moduleCertificate?: string
  readonly rootPassphraseFile?: string
  readonly issuingPassphraseFile?: string
  readonly contingencyPassphraseFile?: string
  readonly symmetricPassphraseFile?: string
  readonly recoveryPassphraseFile?: string
  readonly rootShare?: readonly string[]
  readonly issuingShare?: readonly string[]
  readonly json?: true
}

/** What the command line says of the key stores goes before the file of settings. */
function withKeyStore(settings: Record<string, unknown>, flags: Flags): Record<string, unknown> {
  const said = {
    ...(flags.keystore !== undefined && { kind: flags.keystore }),
    ...(flags.pkcs11Library !== undefined && { library: flags.pkcs11Library }),
    ...(flags.rootToken !== undefined && { rootToken: flags.rootToken }),
    ...(flags.issuingToken !== undefined && { issuingToken: flags.issuingToken }),
    ...(flags.moduleCertificate !== undefined && { certificate: flags.moduleCertificate }),
  }
  if (Object.keys(said).length === 0) return settings
  return { ...settings, keyStore: { ...(settings.keyStore as object | undefined), ...said } }
}

function settingsFrom(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new Refusal('CONFIG_INVALID', `${file} is not JSON`, { cause })
    throw cause
  }
}

function pkisOf(list: string | undefined): (typeof others)[number][] {
  return (list?.split(',') ?? []).map(name => {
    const known = others.find(one => one === name.trim())
    if (!known) throw new Refusal('UNKNOWN_PKI', `${name} is none of ${others.join(', ')}`)
    return known
  })
}

async function passphrasesOf(flags: Flags) {
  const { production, keystore, rootPassphraseFile, issuingPassphraseFile } = flags
  const isModule = keystore === 'pkcs11'
  const custody = custodyPassphrases(flags)
  if (rootPassphraseFile === undefined && issuingPassphraseFile === undefined) {
    if (!production && !isModule) return {}
    // A token has its PIN already; for a file the passphrase is made now, and typed twice.
    const ask = (what: string) => (isModule ? passphraseOf(what, undefined, '') : newPassphrase(what, undefined))
    const asked = { root: await ask('root'), issuing: await ask('issuing') }
    for (const name of isModule ? custodyNames : []) custody[name] ??= await ask(name)
    return { passphrases: { ...asked, ...custody } }
  }
  if (rootPassphraseFile === undefined || issuingPassphraseFile === undefined) {
    throw new Refusal('PASSPHRASES_NEEDED', 'give the passphrase files of both key stores, or of neither')
  }
  return {
    passphrases: {
      root: readPassphraseFile(rootPassphraseFile),
      issuing: readPassphraseFile(issuingPassphraseFile),
      ...custody,
    },
  }
}

/** Those that were named; the others are made, and lie beside their stores until they are shared. */
function custodyPassphrases(flags: Flags): Partial<Record<CustodyName, Buffer>> {
  return Object.fromEntries(
    custodyNames.flatMap(name => {
      const file = flags[`${name}PassphraseFile`]
      return file === undefined ? [] : [[name, readPassphraseFile(file)]]
    }),
  )
}

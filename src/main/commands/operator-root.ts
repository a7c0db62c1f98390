/** `smki ceremony operator-root`: one more Operator Root CA of an S1SPKI, with an issuing authority below it. */

import { type Command, Option } from 'commander'
import { type S1spki, s1spkis } from '../../policy/s1spki/policy.ts'
import { addOperatorAuthorities } from '../ceremony.ts'
import { keepTranscript } from '../transcript.ts'
import { type Io, withStore } from './context.ts'
import { openBy } from './quorum.ts'

interface Flags {
  readonly pki: S1spki
  readonly rootPassphraseFile?: string
  readonly issuingPassphraseFile?: string
  readonly rootShare?: readonly string[]
  readonly issuingShare?: readonly string[]
}

export function addOperatorRoot(ceremonies: Command, io: Io): void {
  ceremonies
    .command('operator-root')
    .description(
      'make one more Operator Root CA of an S1SPKI, and its issuing authority; both key stores are present',
    )
    .addOption(new Option('--pki <name>', 'which S1SPKI').choices(s1spkis).makeOptionMandatory())
    .option('--root-passphrase-file <file>', 'passphrase of the root key store')
    .option('--issuing-passphrase-file <file>', 'passphrase of the issuing key store')
    .option('--root-share <files...>', 'shares of enough holders of the root key store')
    .option('--issuing-share <files...>', 'shares of enough holders of the issuing key store')
    .action(async (flags: Flags, command: Command) => {
      await withStore(command, async opened => {
        const { home, settings, hands } = opened
        const purpose = 'ceremony operator-root'
        const { rootPassphraseFile, rootShare, issuingPassphraseFile, issuingShare } = flags
        const root = await openBy(opened, 'root', { passphraseFile: rootPassphraseFile, share: rootShare }, purpose)
        const issuing = await openBy(
          opened,
          'issuing',
          { passphraseFile: issuingPassphraseFile, share: issuingShare },
          purpose,
        )
        const lines = [`# Ceremony: an Operator Root CA of ${flags.pki}, ${hands.clock().toISOString()}`]
        io.out(`${lines[0]}\n`)
        try {
          await addOperatorAuthorities(hands, settings, { root, issuing }, flags.pki, line => {
            lines.push(line)
            io.out(`${line}\n`)
          })
        } finally {
          root.close()
          issuing.close()
        }
        await keepTranscript(hands, home, { name: 'operator-root', title: 'Operator Root CA added', lines })
      })
    })
}

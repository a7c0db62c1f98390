/** `smki recovery work` and `smki recovery wake`: the commands of an event are made, signed, sent, and their answers taken. */

import { hash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { equal, fromHex, toHex } from '../../ground/bytes.ts'
import type { Refusal } from '../../ground/refusal.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { authorities } from '../../rooms/authority/register.ts'
import { type Counts, openIn } from '../../rooms/recovery/campaign.ts'
import { heldAs } from '../../rooms/recovery/cells.ts'
import { type Awake, wake } from '../../rooms/recovery/custody.ts'
import { holdingsIn } from '../../rooms/recovery/devices.ts'
import { directionsOf } from '../../rooms/recovery/direction.ts'
import { eventOf, procedureIn } from '../../rooms/recovery/event.ts'
import { no } from '../../rooms/recovery/refusals.ts'
import { operatorName } from '../../rooms/registration/parties.ts'
import { findByEui64 } from '../../rooms/repository/find.ts'
import { privateFolder, writePrivate } from '../home.ts'
import { openKeyStore } from '../key-stores.ts'
import { readEnvelope } from '../quorum.ts'
import { type Custodial, requireApart } from '../recovery-custody.ts'
import { aloneOn, type Ended, progressFiles, runEngine } from '../recovery-engine.ts'
import { fileCarrier, fileSigner, putFile } from '../recovery-exchange.ts'
import { contingencyOriginator } from '../recovery-pki.ts'
import { signersFrom } from '../recovery-signers.ts'
import { type Io, wholeNumber } from './context.ts'
import { asHere, type HereFlags, recoveringHere, whoHere } from './recovery-here.ts'

interface WorkFlags {
  readonly exchange?: string
  readonly keys?: readonly string[]
  readonly fileSign?: string
  readonly every: number
  readonly progressMinutes: number
}

interface WakeFlags extends WorkFlags, HereFlags {
  readonly decision: string
  readonly share: readonly string[]
  readonly symmetricShare?: readonly string[]
}

export function addRecoveryWork(recovery: Command, io: Io): void {
  working(recovery.command('work'))
    .description('carry an event out without a key of the DCC: what is signed already is sent, Devices are asked')
    .action(async (event: string, flags: WorkFlags, command: Command) => {
      await recoveringHere(command, here => worked(io, here, event, flags))
    })

  working(asHere(recovery.command('wake')))
    .description(
      'wake the Recovery or the Contingency Private Key under a direction, and carry the event out with it',
    )
    .requiredOption('--decision <reference>', 'the decision of the SMKI PMA that is its direction')
    .requiredOption('--share <files...>', 'shares of enough Key Custodians of the key')
    .option('--symmetric-share <files...>', 'shares of the Symmetric Key, with the Contingency Private Key')
    .action(async (event: string, flags: WakeFlags, command: Command) => {
      await recoveringHere(command, async here => {
        const awake = await awakened(here, event, flags)
        io.out(`The ${awake.signs} key is awake, for ${event}, under ${awake.decision}.\n`)
        try {
          await worked(io, here, event, flags, awake)
        } finally {
          const transcript = await awake.sleep()
          const name = `${here.hands.clock().toISOString().replace(/[:.]/g, '-')}-recovery-${event}.txt`
          writePrivate(join(privateFolder(here.home.ceremony), name), transcript)
          io.out(transcript)
        }
      })
    })

  recovery
    .command('progress')
    .description('make the progress files of an event now: signed, on record, and in the folder of the exchange')
    .argument('<event>', 'its reference')
    .option('--exchange <folder>', 'the folder of the exchange (default: in the home)')
    .option('--file-sign <stem>', 'the FILE_SIGN credential: STEM.crt.pem and STEM.key.pem')
    .action(async (event: string, flags: WorkFlags, command: Command) => {
      await recoveringHere(command, async here => {
        const { sender, sign, folder } = await exchangeOf(here, flags)
        const out = privateFolder(join(folder, 'progress'))
        for (const file of await progressFiles({ hands: here.hands, event, sender, sign })) {
          putFile(out, file)
          io.out(`${join(out, file.name)}\n`)
        }
      })
    })
}

function working(command: Command): Command {
  return command
    .argument('<event>', 'its reference')
    .option('--exchange <folder>', 'commands go to its folder out, responses come from in (default: in the home)')
    .option(
      '--keys <folders...>',
      "folders with Organisation keys that sign: the broker's, and those of Subscribers",
    )
    .option('--file-sign <stem>', 'the FILE_SIGN credential: STEM.crt.pem and STEM.key.pem')
    .option('--every <seconds>', 'between two rounds', wholeSeconds, 5)
    .option('--progress-minutes <minutes>', 'between two progress files', wholeNumber, 15)
}

/** Where files are exchanged, who signs them, and how we call ourselves in them. */
async function exchangeOf({ home, hands }: Custodial, { exchange, fileSign }: Partial<WorkFlags>) {
  const sender = (await operatorName(hands.store)) ?? 'DCC'
  const stem = fileSign ?? join(home.credentials, sender, 'file-sign')
  return {
    sender,
    operator: join(home.credentials, sender),
    folder: resolve(exchange ?? join(home.path, 'recovery-exchange')),
    sign: fileSigner(hands, stem),
  }
}

async function worked(io: Io, here: Custodial, event: string, flags: WorkFlags, awake?: Awake): Promise<void> {
  const { hands } = here
  const { sender, operator, folder, sign } = await exchangeOf(here, flags)
  const signers = signersFrom(flags.keys ?? [operator])
  const progress = privateFolder(join(folder, 'progress'))
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  let said = ''
  try {
    const ended = await aloneOn(hands.store, event, async () => {
      const carrier = await fileCarrier({ hands, event, folder, sender, sign })
      return runEngine({
        hands,
        event,
        signers,
        awake,
        carrier,
        every: flags.every * 1000,
        progressEvery: flags.progressMinutes * 60_000,
        sender,
        sign,
        put: file => putFile(progress, file),
        stopped: stopping.signal,
        tell(counts, { held }) {
          const line = lineOf(counts, held)
          if (line !== said) io.out(`${hands.clock().toISOString()}  ${line}\n`)
          said = line
        },
      })
    })
    endWith(io, ended)
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
  }
}

function lineOf(counts: Counts, held: Refusal | undefined): string {
  const all = Object.values(counts).reduce((a, b) => a + b, 0)
  const open = openIn(counts)
  return `${counts.proven} of ${all} recovered, ${counts.listed} listed, ${open} under way${held ? ` (held: ${held.code})` : ''}`
}

/** @throws Refusal what a person has to act upon */
function endWith(io: Io, ended: Ended): void {
  if (ended.because === 'held') throw ended.refusal
  const words = {
    settled: 'Every Device is recovered and proven so, or listed.',
    stopped: 'Stopped; it goes on from here when it is begun again.',
    closed: 'The event is closed.',
  }
  io.out(`${words[ended.because]}\n`)
}

/** Wakes the key that the procedure needs. @throws Refusal as `wake`; PROCEDURE_UNFIT, KEYS_NOT_APART, SYMMETRIC_KEY_WRONG */
async function awakened(here: Custodial, event: string, flags: WakeFlags): Promise<Awake> {
  const { home, settings, hands } = here
  requireApart(home)
  const by = await whoHere(here, flags)
  const which = procedureIn(await eventOf(hands.store, event))?.dccKey
  if (!which) throw no('PROCEDURE_UNFIT', 'it needs no key of the DCC: smki recovery work')
  const wanted = (await directionsOf(hands.store, event)).find(one => one.decision === flags.decision)
  if (!wanted) throw no('DIRECTION_NEEDED', flags.decision)
  const originator =
    which === 'contingency' ? contingencyOriginator : await recoveryOriginator(here, event, wanted.key)
  return wake(hands, by, which, {
    event,
    decision: flags.decision,
    envelopes: flags.share.map(readEnvelope),
    open: passphrase => openKeyStore(home, settings, which, passphrase),
    originator,
    ...(which === 'contingency' && {
      symmetric: {
        envelopes: (flags.symmetricShare ?? []).map(readEnvelope),
        root: await rootOfDevices(here, event),
      },
    }),
  })
}

/** The EUI-64 in the certificate of that key, which Devices hold in the cell of recovery. @throws Refusal DIRECTION_OTHER_KEY */
async function recoveryOriginator({ hands }: Custodial, event: string, key: Uint8Array): Promise<Uint8Array> {
  for (const { uniqueId, keyId } of await holdingsIn(hands.store, event, '{1,DS}')) {
    const eui64 = fromHex(uniqueId)
    const issued = await findByEui64(hands.store, eui64, 'organisation', hands.clock())
    const isIt = issued.some(({ der }) => {
      const { publicKey } = readCertificate(der)
      return equal(hash('sha256', publicKey.spki, 'buffer'), key) && toHex(heldAs(der).keyId) === keyId
    })
    if (isIt) return eui64
  }
  throw no('DIRECTION_OTHER_KEY', 'no frozen Device holds a certificate of it in the cell {1,DS}')
}

/** The Root OCA Certificate that the Devices hold. @throws Refusal SYMMETRIC_KEY_WRONG when it is none of ours */
async function rootOfDevices({ hands }: Custodial, event: string): Promise<Uint8Array> {
  const held = new Set((await holdingsIn(hands.store, event, '{0,keyCertSign}')).map(one => one.keyId))
  const roots = (await authorities(hands.store)).filter(
    one => one.pki === 'smki-organisation' && one.level === 'root',
  )
  const found = roots.find(({ certificate }) => held.has(toHex(heldAs(certificate.der).keyId)))
  if (!found) throw no('SYMMETRIC_KEY_WRONG', 'the Devices hold a root that is none of this environment')
  return found.certificate.der
}

function wholeSeconds(text: string): number {
  const seconds = wholeNumber(text)
  if (seconds < 1 || seconds > 3600) throw new InvalidArgumentError('It is 1 to 3600 seconds.')
  return seconds
}

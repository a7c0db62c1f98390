/** `smki recovery`: the acts of a recovery from notification to closing, over the operator API. */

import { hash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { toHex } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readPemOrDer } from '../../ground/x509/pem.ts'
import { cellText, decidedActOf, keyKinds, procedureNames } from '../../policy/recovery/cases.ts'
import { actions } from '../../policy/recovery/steps.ts'
import { heldAs } from '../../rooms/recovery/cells.ts'
import { subjectOf } from '../../rooms/recovery/direction.ts'
import { type Io, wholeNumber } from './context.ts'
import { asAct, asOfficer, asRecorded, type GivenFlags, given, type OfficerFlags, speaking } from './officer.ts'
import { addRecoveryLook, at, dueText, type Event, type Report } from './recovery-look.ts'

export function addRecoveryLive(recovery: Command, io: Io): void {
  addRecoveryLook(recovery, io)
  begin(recovery, io)
  decide(recovery, io)
  carryOut(recovery, io)
}

interface NotifyFlags extends GivenFlags {
  readonly kind: (typeof keyKinds)[number]
  readonly key?: string
  readonly keyId?: readonly string[]
  readonly certificate?: readonly string[]
  readonly party?: string
  readonly since: Date
  readonly case?: string
}

function begin(recovery: Command, io: Io): void {
  asAct(recovery.command('notify'))
    .description('notify the Compromise of a Relevant Private Key, or the suspicion of one')
    .argument('<event>', 'its reference, yours to choose: capital letters, digits, hyphens')
    .requiredOption('--kind <kind>', keyKinds.join(', '), one => oneOf(keyKinds, one))
    .requiredOption('--since <instant>', 'suspected since, as 2026-11-20T09:00:00Z', instant)
    .option('--certificate <files...>', 'certificates that are Compromised by it: of one key, or name the key too')
    .option('--key <sha256>', 'SHA-256 of the SubjectPublicKeyInfo of the key')
    .option('--key-id <ids...>', 'key identifiers of certificates, 16 hexadecimal digits each')
    .option('--party <party>', 'whose key it is, of an Organisation key: number or short name')
    .option('--case <name>', `the procedure that is asked for: ${procedureNames.join(', ')}`)
    .action(async (event: string, flags: NotifyFlags, command: Command) => {
      const files = (flags.certificate ?? []).map(certificateIn)
      const key = flags.key ?? (files[0] && keyOf(files[0]))
      const keyIds = [...(flags.keyId ?? []), ...files.map(der => toHex(heldAs(der).keyId))]
      if (key === undefined || keyIds.length === 0)
        throw new Refusal(
          'KEY_NOT_NAMED',
          'name the key by its certificates (--certificate), or by --key and --key-id',
        )
      await speaking(io, command, flags, async speak => {
        const party = flags.party === undefined ? {} : { party: await speak.party(flags.party) }
        const one = await speak.act<Event>('POST', '/recoveries', {
          event,
          keyKind: flags.kind,
          key,
          keyIds: [...new Set(keyIds)],
          ...party,
          suspectedSince: flags.since.toISOString(),
          ...(flags.case !== undefined && { asksFor: flags.case }),
          ...given(flags),
        })
        await speak.tell(
          one,
          () =>
            `${event} is notified. Somebody else of the Registration Authority confirms it, by other means than it came:\n  smki recovery confirm ${event} --means 'call back'${speak.tail}\n`,
        )
      })
    })

  asAct(recovery.command('confirm'))
    .description('authenticate the notifier, and confirm the Compromise or reject it')
    .argument('<event>', 'its reference')
    .requiredOption('--means <means>', 'by which it was confirmed: call back, signed file, in person')
    .option('--reject', 'it is none')
    .action(async (event: string, flags: GivenFlags & { means: string; reject?: true }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const body = { means: flags.means, confirmed: flags.reject !== true, ...given(flags) }
        const one = await speak.act<Event>('POST', at(event, '/confirmation'), body)
        const next = `  smki recovery choose ${event} CASE${speak.tail}\n`
        await speak.tell(one, () => `${event} is ${one.state}.\n${one.state === 'confirmed' ? next : ''}`)
      })
    })

  asAct(recovery.command('choose'))
    .description('choose the procedure; its steps are laid down as they are set now')
    .argument('<event>', 'its reference')
    .argument('<case>', procedureNames.join(', '), one => oneOf(procedureNames, one))
    .action(async (event: string, procedure: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const one = await speak.act<Event>('POST', at(event, '/procedure'), { procedure, ...given(flags) })
        await speak.tell(one, () => `${event}: ${procedure}. Its steps: smki recovery show ${event}${speak.tail}\n`)
      })
    })

  asRecorded(recovery.command('step'))
    .description('record that the step that is due was done')
    .argument('<event>', 'its reference')
    .argument('<action>', actions.join(', '), one => oneOf(actions, one))
    .action(async (event: string, action: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const { signedBy: _, ...own } = flags
        const one = await speak.act<Report>('POST', at(event, '/steps'), { action, ...given(own) })
        await speak.tell(one, () => dueText(one))
      })
    })
}

interface DirectionFlags extends GivenFlags {
  readonly decision: string
  readonly key: string
  readonly draft?: string
  readonly cells?: string
  readonly member?: readonly string[]
  readonly days: number
}

function decide(recovery: Command, io: Io): void {
  asAct(recovery.command('freeze'))
    .description('select the Relevant Devices from the inventory in the store, and freeze them')
    .argument('<event>', 'its reference')
    .action(async (event: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const one = await speak.act<Event>('POST', at(event, '/devices'), given(flags))
        const { count, sha256 } = one.devices!
        await speak.tell(
          one,
          () => `${count} Relevant Devices are frozen. A direction names them so: SHA-256 ${sha256}\n`,
        )
      })
    })

  asAct(recovery.command('direction'))
    .description('open the direction of an event by a decision of the SMKI PMA; or draft that decision')
    .argument('<event>', 'its reference')
    .requiredOption('--decision <reference>', "the SMKI PMA's own reference")
    .requiredOption('--key <file or sha256>', 'the key that is to be used: its certificate, or SHA-256', keyNamed)
    .option('--draft <file>', 'write the decision to be taken there (smki decision record), and do nothing')
    .option('--cells <cells>', "of the draft: cells that may be written, '{2,DS} {2,KA}'")
    .option('--member <references...>', 'of the draft: SMKI PMA Members who decide')
    .option('--days <days>', 'of the draft: for how many days it is in force', wholeNumber, 30)
    .action(async (event: string, flags: DirectionFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        if (flags.draft !== undefined) {
          const one = await speak.get<Report>(at(event))
          writeFileSync(flags.draft, `${JSON.stringify(draftOf(one, flags, io.clock()), null, 2)}\n`, {
            flag: 'wx',
          })
          io.out(
            `The decision to be taken is in ${flags.draft}. Once it is taken:\n  smki decision record ${flags.draft}${speak.tail}\n`,
          )
          return
        }
        const body = { decision: flags.decision, key: flags.key, ...given(flags) }
        const one = await speak.act<Report>('POST', at(event, '/directions'), body)
        await speak.tell(one, () => `${flags.decision} is the direction of ${event}.\n${dueText(one)}`)
      })
    })

  asOfficer(recovery.command('lay-down'))
    .description('lay down which certificate a wave puts where')
    .argument('<event>', 'its reference')
    .requiredOption('--place <cell=file...>', "for example '{2,DS}=new-ds.pem'; the cell is that of its holder now")
    .option('--wave <number>', 'of the procedure', wholeNumber, 1)
    .option('--holder <eui64>', 'whose cells they are now (default: whose the certificate is)')
    .option('--path <files...>', 'certificates of the path (default: the Issuing OCA of the first)')
    .option('--root <file>', 'the Root OCA Certificate that Devices hold then (default: that of the Issuing OCA)')
    .action(async (event: string, flags: LayDownFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const replacements = flags.place.map(one => placed(one, flags.holder))
        const path = flags.path?.map(file => base64(certificateIn(file)))
        const one = await speak.act<Report>('POST', at(event, '/replacements'), {
          wave: flags.wave,
          replacements,
          ...(path && { path }),
          ...(flags.root !== undefined && { root: base64(certificateIn(flags.root)) }),
        })
        await speak.tell(
          one,
          () => `${replacements.length} certificates are laid down for wave ${flags.wave}.\n${dueText(one)}`,
        )
      })
    })
}

interface LayDownFlags extends OfficerFlags {
  readonly place: readonly string[]
  readonly wave: number
  readonly holder?: string
  readonly path?: readonly string[]
  readonly root?: string
}

function carryOut(recovery: Command, io: Io): void {
  const simple = [
    ['begin', '/waves', 'begin the next wave of commands', false],
    ['pause', '/pause', 'hold everything: nothing is written down, signed or sent until it goes on', true],
    ['resume', '/resumption', 'go on', true],
  ] as const
  for (const [verb, path, says, isGiven] of simple) {
    asAct(recovery.command(verb))
      .description(says)
      .argument('<event>', 'its reference')
      .action(async (event: string, flags: GivenFlags, command: Command) => {
        await speaking(io, command, flags, async speak => {
          const one = await speak.act<Event>('POST', at(event, path), isGiven ? given(flags) : {})
          await speak.tell(
            one,
            () => `${event} is ${one.state}: wave ${one.wave}, ${one.pace} commands a minute.\n`,
          )
        })
      })
  }

  asOfficer(recovery.command('pace'))
    .description('how many commands leave in a minute')
    .argument('<event>', 'its reference')
    .argument('<commands>', 'a minute', wholeNumber)
    .action(async (event: string, pace: number, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const one = await speak.act<Event>('PUT', at(event, '/pace'), { pace })
        await speak.tell(one, () => `${event}: ${one.pace} commands a minute.\n`)
      })
    })

  asAct(recovery.command('retry'))
    .description('let the listed Devices have another try; each command of it counts against the direction')
    .argument('<event>', 'its reference')
    .action(async (event: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const done = await speak.act<{ devices: number }>('POST', at(event, '/retry'), given(flags))
        await speak.tell(done, () => `${done.devices} Devices have another try.\n`)
      })
    })

  asAct(recovery.command('sleep'))
    .description('put on record that a key is asleep whose process ended without a word')
    .argument('<event>', 'its reference')
    .action(async (event: string, flags: GivenFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const done = await speak.act<{ ceremonies: number }>('POST', at(event, '/sleep'), given(flags))
        await speak.tell(done, () => `${done.ceremonies} ceremonies are ended on record.\n`)
      })
    })

  asAct(recovery.command('close'))
    .description('close an event: what is open is listed with the reason, directions are closed with their outcome')
    .argument('<event>', 'its reference')
    .requiredOption('--reason <text>', 'why Devices that are open are not recovered')
    .action(async (event: string, flags: GivenFlags & { reason: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const body = { reason: flags.reason, ...given(flags) }
        const done = await speak.act<{ counts: Record<string, number> }>('POST', at(event, '/closing'), body)
        const { proven, listed } = done.counts
        await speak.tell(
          done,
          () =>
            `${event} is closed: ${proven} Devices recovered, ${listed} listed.\n  smki recovery report --event ${event}\n`,
        )
      })
    })
}

function draftOf(one: Report, { decision, key, cells = '', member = [], days }: DirectionFlags, now: Date): object {
  const named = cells.split(/[\s;]+/).filter(cell => cell !== '')
  const wrong = named.find(cell => !cellText.test(cell))
  if (named.length === 0 || wrong !== undefined)
    throw new Refusal(
      'CELLS_NOT_NAMED',
      `name the cells that may be written: --cells '{2,DS} {2,KA}'${wrong ? `, not ${wrong}` : ''}`,
    )
  if (!one.devices || !one.procedure)
    throw new Refusal('DEVICES_NOT_FROZEN', 'a direction names the frozen Devices and the procedure')
  const isContingency =
    one.procedure === 'root' || (one.procedure === 'recovery' && one.says.includes('Contingency'))
  const kind = isContingency
    ? 'contingency'
    : one.procedure === 'method2' || one.procedure === 'method3'
      ? one.procedure
      : 'furtherUse'
  return {
    reference: decision,
    acts: [decidedActOf[isContingency ? 'contingency' : 'recovery']],
    subjects: [subjectOf(one.event)],
    meeting: 'extraordinary meeting of the SMKI PMA',
    text: `Direction for ${one.event}: ${one.says}.`,
    members: member,
    decidedAt: now.toISOString(),
    from: now.toISOString(),
    until: new Date(now.getTime() + days * 86_400_000).toISOString(),
    details: {
      direction: {
        kind,
        event: one.event,
        key,
        purpose: one.says,
        grounds: ['Devices at risk', 'time that other procedures would take', 'exposure of the key that is used'],
        devices: { count: one.devices.count, sha256: one.devices.sha256 },
        cells: named,
        // One command each, and one more for those that have to be told again.
        maximum: one.devices.count * 2,
      },
    },
  }
}

function placed(text: string, holder: string | undefined): object {
  const [, cell, file] = /^(\{[^}]*\})=(.+)$/.exec(text) ?? []
  if (cell === undefined || file === undefined || !cellText.test(cell))
    throw new Refusal('CELLS_NOT_NAMED', `${text} is not CELL=FILE, as '{2,DS}=new-ds.pem'`)
  const der = certificateIn(file)
  const own = toHex(heldAs(der).uniqueId)
  const of = holder?.toLowerCase().replace(/[^0-9a-f]/g, '') ?? own
  return { cell, holder: of, certificate: base64(der), ...(of !== own && { goesTo: own }) }
}

function certificateIn(file: string): Buffer {
  const [der] = readPemOrDer(readFileSync(file), ['CERTIFICATE'])
  return Buffer.from(readCertificate(der!).der)
}

const base64 = (der: Buffer) => der.toString('base64')
const keyOf = (der: Buffer) => hash('sha256', readCertificate(der).publicKey.spki, 'hex')
const keyNamed = (text: string) => (/^[0-9a-f]{64}$/.test(text) ? text : keyOf(certificateIn(text)))

function instant(text: string): Date {
  const found = new Date(text)
  if (Number.isNaN(found.getTime())) throw new InvalidArgumentError('It is no instant, as 2026-11-20T09:00:00Z.')
  return found
}

function oneOf<T extends string>(known: readonly T[], text: string): T {
  const found = known.find(one => one === text)
  if (found === undefined) throw new InvalidArgumentError(`It is one of ${known.join(', ')}.`)
  return found
}

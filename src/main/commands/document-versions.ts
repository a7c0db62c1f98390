/** `smki documents list|show|enter|decide|fetch`: the register of documents, their versions and files, over the operator API. */

import { hash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { columns, flat } from '../../doors/cli/operator-words.ts'
import { Refusal } from '../../ground/refusal.ts'
import { mediaTypeOf, mediaTypes } from '../../policy/documents/media.ts'
import { type Io, table } from './context.ts'
import { asOfficer, type OfficerFlags, speaking } from './officer.ts'

interface Version {
  readonly version: string
  readonly sha256: string
  readonly octets: number
  readonly state: string
  readonly kept: boolean
  readonly heldAt: string
  readonly from?: string
  readonly until?: string
  readonly decision?: string
  readonly basis?: string
}

interface Listed {
  readonly ref: string
  readonly title: string
  readonly owner: string
  readonly approver: string
  readonly confidential: boolean
  readonly inForce?: Version
  readonly drafts: readonly string[]
}

interface DecideFlags extends OfficerFlags {
  readonly sha256: string
  readonly outcome: string
  readonly from?: string
  readonly decision?: string
  readonly basis?: string
  readonly amendments?: string
}

const path = (ref: string, version?: string) =>
  `/documents/${encodeURIComponent(ref)}${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}`

export function addDocumentVersions(group: Command, io: Io): void {
  asOfficer(group.command('list'))
    .description('every document that you may read, with the version in force')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<{ documents: Listed[] }>('/documents')
        await speak.tell(answer, () =>
          table([['DOCUMENT', 'IN FORCE', 'DRAFTS', 'APPROVED BY', 'TITLE'], ...answer.documents.map(row)]),
        )
      })
    })

  asOfficer(group.command('show'))
    .description('one document with its versions, latest first')
    .argument('<ref>', 'Appendix D, Device CPS, …')
    .action(async (ref: string, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<{ versions: Version[] }>(path(ref))
        await speak.tell(answer, () => {
          const { versions, ...rest } = answer
          const lines =
            versions.length === 0 ? 'No version was entered.\n' : table([versionHead, ...versions.map(versionRow)])
          return `${columns(flat(rest))}${lines}`
        })
      })
    })

  asOfficer(group.command('enter'))
    .description('enter a draft with its file; another person decides on it')
    .argument('<ref>', 'the document')
    .argument('<version>', 'a number that is later than every one before: 2.1')
    .argument('<file>', 'PDF, DOCX, Markdown, text in UTF-8, or XML')
    .addOption(
      new Option('--type <media-type>', 'when the ending of the name does not say it').choices(
        Object.keys(mediaTypes),
      ),
    )
    .action(
      async (
        ref: string,
        version: string,
        file: string,
        flags: OfficerFlags & { type?: string },
        command: Command,
      ) => {
        const type = flags.type ?? mediaTypeOf(file)
        if (type === undefined)
          throw new Refusal('FILE_TYPE_REFUSED', `${file} ends in none of .pdf, .docx, .md, .txt, .xml: say --type`)
        if (!statSync(file).isFile()) throw new Refusal('FILE_TYPE_REFUSED', `${file} is no file`)
        const octets = readFileSync(file)
        await speaking(io, command, flags, async speak => {
          const query = new URLSearchParams({ version, sha256: hash('sha256', octets, 'hex') })
          const one = await speak.files.send<Version>(`${path(ref)}/versions?${query}`, type, octets)
          const next = `smki documents decide '${ref}' ${version} --sha256 ${one.sha256} --outcome approved --from DAY --decision REFERENCE`
          await speak.tell(
            one,
            () =>
              `${ref} ${version} is entered as a draft of ${one.octets} octets.\nNext, by another person, for its approver:\n  ${next}\n`,
          )
        })
      },
    )

  asOfficer(group.command('decide'))
    .description('enter what its approver decided on a draft')
    .argument('<ref>', 'the document')
    .argument('<version>', 'the draft')
    .requiredOption('--sha256 <hash>', 'of the file that was looked at')
    .addOption(
      new Option('--outcome <outcome>', 'what was decided')
        .choices(['approved', 'not rejected', 'rejected'])
        .makeOptionMandatory(),
    )
    .option('--from <day>', 'the day from which it is in force: 2026-12-01', aDay)
    .option('--decision <reference>', 'of the SMKI PMA')
    .option('--basis <text>', 'where another body approves: its designation, direction or modification')
    .option('--amendments <text>', 'what was directed to be amended')
    .action(async (ref: string, version: string, flags: DecideFlags, command: Command) => {
      const { sha256, outcome, from, decision, basis, amendments } = flags
      await speaking(io, command, flags, async speak => {
        const body = { sha256, outcome, from, decision, basis, amendments }
        const one = await speak.act<Version>('POST', `${path(ref, version)}/decision`, body)
        const force = one.from === undefined ? '' : `, in force from ${one.from}`
        await speak.tell(one, () => `${ref} ${version} is ${one.state}${force}.\n`)
      })
    })

  asOfficer(group.command('fetch'))
    .description('the file of a version, held against its SHA-256; an existing file is never overwritten')
    .argument('<ref>', 'the document')
    .argument('<version>', 'the version')
    .option('--out <file>', 'where to (default: here, as the service calls it)')
    .action(async (ref: string, version: string, flags: OfficerFlags & { out?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const { name, type, sha256, octets } = await speak.files.fetch(`${path(ref, version)}/file`)
        const out = flags.out ?? name
        writeNew(out, octets)
        await speak.tell(
          { file: out, type, sha256, octets: octets.length },
          () => `${out}: ${octets.length} octets, SHA-256 ${sha256}\n`,
        )
      })
    })
}

/** Never over a file that is there. @throws Refusal FILE_EXISTS */
export function writeNew(path: string, octets: Buffer): void {
  if (statSync(path, { throwIfNoEntry: false })) throw new Refusal('FILE_EXISTS', `${path} is there already`)
  writeFileSync(path, octets, { flag: 'wx' })
}

function row({ ref, title, approver, confidential, inForce, drafts }: Listed): string[] {
  const held = inForce === undefined ? '-' : `${inForce.version}${inForce.kept ? '' : ' (no file)'}`
  return [ref, held, drafts.join(', ') || '-', approver, `${title}${confidential ? ' [confidential]' : ''}`]
}

const versionHead = ['VERSION', 'STATE', 'IN FORCE', 'UNDER', 'FILE', 'SHA-256']

function versionRow({
  version,
  state,
  from,
  until,
  decision,
  basis,
  kept,
  heldAt,
  octets,
  sha256,
}: Version): string[] {
  const force = from === undefined ? '-' : `${from} to ${until ?? '…'}`
  const file = kept ? `${octets} octets` : `none kept; ${heldAt}`
  return [version, state, force, decision ?? basis ?? '-', file, sha256]
}

function aDay(text: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) throw new InvalidArgumentError('It is not a day: YYYY-MM-DD.')
  return text
}

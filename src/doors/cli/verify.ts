/** `smki verify`: whether certificates may be relied on, by anchors, lists and a moment that are named. */

import { createHash } from 'node:crypto'
import { type Command, Option } from 'commander'
import { toHex, toHexUpper } from '../../ground/bytes.ts'
import type { Clock } from '../../ground/clock.ts'
import { oidContent } from '../../ground/der/oid.ts'
import { type Certificate, readCertificate } from '../../ground/x509/certificate.ts'
import { showName } from '../../ground/x509/name.ts'
import {
  type Finding,
  type ProfileName,
  type Reliance,
  relyingParty,
  type Verdict,
} from '../../ground/x509/path.ts'
import { readPemOrDer } from '../../ground/x509/pem.ts'
import { lintCertificate } from '../../policy/lint/lint.ts'
import { oneLine } from '../../policy/lint/rule.ts'
import { defaultSettings } from '../../policy/lint/settings.ts'
import {
  certificateLabels,
  isMalformed,
  isUnreadable,
  type Material,
  readCertificates,
  readLists,
  readWhole,
} from './material.ts'
import { progress } from './progress.ts'

/** Where the command writes, text with its line ends, how it says how it went, and what time it is. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly exit: (code: number) => void
  readonly clock: Clock
}

interface Flags {
  readonly trust?: readonly string[]
  readonly untrusted?: readonly string[]
  readonly crl?: readonly string[]
  readonly at?: string
  readonly ignoreTime?: true
  readonly profile: ProfileName
  readonly policy?: readonly string[]
  readonly json?: true
}

/**
 * `smki verify FILE… --trust PATH [--untrusted PATH] [--crl PATH] [--at TIME | --ignore-time] [--profile gb|rfc5280]
 * [--policy OID] [--json]`. Of a FILE with several certificates the first is asked about; the others may stand between.
 *
 * Exit codes: 0 all are valid; 1 at least one is refused, also one that is no certificate; 2 the usage is wrong, or a
 * file that was named cannot be read, and then nothing is decided that depends on it.
 *
 * `--json` writes one array, an object for each FILE that could be read, in their order:
 *
 *     [{ "file": "device.pem", "valid": false,
 *        "path": [{ "subject": "(empty)", "issuer": "CN=E357", "serial": "3039…", "sha256": "…" }, …],
 *        "refusals": [{ "code": "EXPIRED", "sentence": "CN=E357: valid until 250101000000Z" }],
 *        "revocation": "checked" | "not checked" | "partly",
 *        "notes": ["…"] }]
 *
 * The target comes first in `path`, the trust anchor last; where it is refused, the path is the most promising one, and
 * empty when the file holds no certificate. `serial` is the content octets, `sha256` is of the DER.
 */
export function addVerify(program: Command, io: Io): void {
  program
    .command('verify')
    .description('say whether certificates may be relied on: signatures, path, dates, policies, use, revocation')
    .argument('<file...>', 'PEM or DER; of several certificates in a file the first is asked about')
    .option('--trust <path>', 'trust anchors: a file or a folder; may be repeated, as the next two', collect)
    .option('--untrusted <path>', 'certificates that may stand between', collect)
    .option('--crl <path>', 'revocation lists, CRL and ARL; without them revocation is not checked', collect)
    .option('--at <time>', 'the moment: 2026-11-20 or 2026-11-20T09:30:00Z; else now')
    .option('--ignore-time', 'no date of a certificate or list counts')
    .addOption(
      new Option('--profile <name>', 'gb, or rfc5280: without the GB rules, and with RSA and P-384 anywhere')
        .choices(['gb', 'rfc5280'])
        .default('gb'),
    )
    .option(
      '--policy <oid>',
      'a certificate policy of which one must hold along the path; may be repeated',
      collect,
    )
    .option('--json', 'one JSON array')
    .action((files: string[], flags: Flags) => io.exit(verify(files, flags, io)))
}

const collect = (value: string, before: readonly string[] = []) => [...before, value]

function verify(files: readonly string[], flags: Flags, io: Io): number {
  const at = momentOf(flags, io)
  if (typeof at === 'string' && at !== 'ignore') return refuse(io, at)
  const wrong = flags.policy?.find(oid => !isOid(oid))
  if (wrong !== undefined) return refuse(io, `--policy ${oneLine(wrong)} is not an object identifier`)
  if (!flags.trust) return refuse(io, 'name at least one trust anchor with --trust')

  const trust = readCertificates(flags.trust)
  const untrusted = readCertificates(flags.untrusted ?? [])
  const lists = readLists(flags.crl ?? [])
  for (const [material, what] of [
    [trust, 'certificates'],
    [untrusted, 'certificates'],
    [lists, 'lists'],
  ] as const)
    say(material, what, io)
  if ([trust, untrusted, lists].some(({ faults }) => faults.length > 0)) return 2

  const answers = verifyAll(files, at, {
    trust: trust.found,
    untrusted: untrusted.found,
    lists: flags.crl && lists.found,
    profile: flags.profile,
    acceptedPolicies: flags.policy,
    gb: gbRules(flags.policy ?? []),
  })
  for (const { file, why } of answers.unreadable) io.err(`${path(file)}: cannot be read: ${oneLine(why)}\n`)
  if (flags.json) io.out(`${JSON.stringify(answers.verdicts.map(asJson), undefined, 2)}\n`)
  else print(answers.verdicts, io)
  if (answers.unreadable.length > 0) return 2
  return answers.verdicts.every(({ verdict }) => verdict.valid) ? 0 : 1
}

function refuse(io: Io, sentence: string): number {
  io.err(`smki verify: ${sentence}\n`)
  return 2
}

/** The rules of the GB profiles are the linter’s; a policy that is asked for is a policy that is known. */
export function gbRules(policies: readonly string[]): (certificate: Certificate) => Finding[] {
  const settings = { policies: [...defaultSettings.policies, ...policies] }
  return certificate =>
    lintCertificate(certificate, { settings }).map(({ rule, severity, says, found, clause }) => ({
      rule,
      severity,
      sentence: `${says}: ${found} (${clause})`,
    }))
}

/** The moment that is asked about, or a sentence that says why there is none. */
function momentOf({ at, ignoreTime }: Flags, { clock }: Io): Date | string {
  if (ignoreTime) return at === undefined ? 'ignore' : '--at and --ignore-time exclude one another'
  if (at === undefined) return clock()
  return instant(at) ?? `--at ${oneLine(at)} is neither a day (2026-11-20) nor a time (2026-11-20T09:30:00Z)`
}

/** RFC 3339, or a day, which begins at midnight UTC. */
export function instant(text: string): Date | undefined {
  const parts = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d))?$/.exec(text)
  if (!parts) return undefined
  const [, day, time = '00:00:00', fraction = '', zone = 'Z'] = parts
  // Written again, what does not exist comes out as something else: the 30th of February, 24:00, second 60.
  const local = new Date(`${day}T${time}Z`)
  if (Number.isNaN(local.getTime()) || local.toISOString() !== `${day}T${time}.000Z`) return undefined
  const whole = new Date(`${day}T${time}${fraction}${zone.toUpperCase()}`)
  return Number.isNaN(whole.getTime()) ? undefined : whole
}

function isOid(text: string): boolean {
  try {
    oidContent(text)
    return true
  } catch (cause) {
    if (cause instanceof RangeError) return false
    throw cause
  }
}

function say({ passedOver, faults }: Material<unknown>, what: string, io: Io): void {
  for (const { file, why } of faults) io.err(`${path(file)}: cannot be used: ${oneLine(why)}\n`)
  if (passedOver.length === 0) return
  const named = passedOver.slice(0, 5).map(path).join(', ')
  const others = passedOver.length > 5 ? ` and ${passedOver.length - 5} more` : ''
  io.err(`passed over, no ${what}: ${named}${others}\n`)
}

interface Answer {
  readonly file: string
  readonly verdict: Verdict
}

function verifyAll(files: readonly string[], at: Date | 'ignore', reliance: Reliance) {
  const verdicts: Answer[] = []
  const unreadable: { file: string; why: string }[] = []
  const ask = relyingParty(reliance)
  const bar = progress('verifying', files.length)
  for (const [done, file] of files.entries()) {
    bar.at(done)
    try {
      const octets = readWhole(file)
      verdicts.push({ file, verdict: verdictOn(octets, at, reliance, ask) })
    } catch (cause) {
      if (!isUnreadable(cause)) throw cause
      unreadable.push({ file, why: cause.message })
    }
  }
  bar.end()
  return { verdicts, unreadable }
}

function verdictOn(octets: Buffer, at: Date | 'ignore', reliance: Reliance, ask: ReturnType<typeof relyingParty>) {
  let target: Buffer
  let others: Certificate[]
  try {
    const [first, ...rest] = readPemOrDer(octets, certificateLabels)
    target = first!
    others = rest.map(der => readCertificate(der))
  } catch (cause) {
    if (!isMalformed(cause)) throw cause
    return malformed(cause.message, reliance)
  }
  if (others.length === 0) return ask(target, at)
  return relyingParty({ ...reliance, untrusted: [...(reliance.untrusted ?? []), ...others] })(target, at)
}

function malformed(sentence: string, { lists }: Reliance): Verdict {
  const revocation = lists === undefined ? 'not checked' : 'partly'
  return { valid: false, path: [], refusals: [{ code: 'MALFORMED', sentence }], revocation, notes: [] }
}

function print(answers: readonly Answer[], io: Io): void {
  for (const { file, verdict } of answers) {
    const { valid, refusals, notes, revocation } = verdict
    io.out(`${path(file)}: ${valid ? 'OK' : 'REFUSED'}\n`)
    verdict.path.forEach((one, i) => {
      io.out(`  ${(i === 0 ? 'path' : '').padEnd(10)}  ${shown(one)}\n`)
    })
    for (const { code, sentence } of refusals) io.out(`  ${code.padEnd(10)}  ${oneLine(sentence, 1000)}\n`)
    io.out(`  revocation  ${revocation}\n`)
    for (const note of notes) io.out(`  note        ${oneLine(note, 1000)}\n`)
  }
  const good = answers.filter(({ verdict }) => verdict.valid).length
  io.out(`${answers.length} verified: ${good} OK, ${answers.length - good} refused\n`)
}

const shown = ({ subject, serial }: Certificate) => `${showName(subject)}, serial ${toHexUpper(serial)}`

/** A name of a file must not forge a line. */
const path = (file: string) => oneLine(file, Number.POSITIVE_INFINITY)

function asJson({ file, verdict }: Answer): object {
  const { valid, refusals, revocation, notes } = verdict
  return {
    file,
    valid,
    path: verdict.path.map(({ subject, issuer, serial, der }) => ({
      subject: showName(subject),
      issuer: showName(issuer),
      serial: toHexUpper(serial),
      sha256: toHex(createHash('sha256').update(der).digest()),
    })),
    refusals: refusals.map(({ code, sentence }) => ({ code, sentence })),
    revocation,
    notes,
  }
}

/** What the commands of officers have in common: the credential, the office, words and evidence, and the next step told. */

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { findCredential, type OperatorClientOptions, openOperatorClient } from '../../doors/cli/operator-client.ts'
import { type OperatorFiles, operatorFiles } from '../../doors/cli/operator-files.ts'
import { afterwards, type TaskSeen, type Telling } from '../../doors/cli/operator-words.ts'
import { Refusal } from '../../ground/refusal.ts'
import { loadSettings } from '../home.ts'
import { running } from '../serve.ts'
import { homeOf, type Io, json } from './context.ts'

/** Of every command of an officer. */
export interface OfficerFlags {
  readonly as?: string
  readonly office?: string
  readonly service?: string
  readonly json?: true
}

/** Of every act. */
export interface GivenFlags extends OfficerFlags {
  readonly words?: string
  readonly evidence?: readonly Evidence[]
  readonly signedBy?: SignedBy
}

interface Evidence {
  readonly kind: string
  readonly reference: string
}

interface SignedBy {
  readonly person: string
  readonly as: string
  readonly party?: number
}

/** With the options that say who speaks to which service. */
export function asOfficer(command: Command): Command {
  return command
    .option('--as <credential>', "credential: a folder, or its name in the environment's (default: SMKI_AS)")
    .option('--office <office>', 'the office to act in, for whoever holds several')
    .option('--service <host:port>', "the operator API (default: the environment's)")
    .option('--json', 'one JSON object')
}

/** As `asOfficer`, for what goes into the journal. */
export function asAct(command: Command): Command {
  return asOfficer(command)
    .option('--words <text>', 'why; names nobody')
    .option('--evidence <kind=reference>', 'what it rests on; may be repeated', collectEvidence)
}

/** As `asAct`, for what others sign on paper and the Registration Authority records. */
export function asRecorded(command: Command): Command {
  return asAct(command).option(
    '--signed-by <person,office[,party]>',
    'whose paper is recorded: p-0123456789ab,SRO,7; its reference is evidence',
    readSignedBy,
  )
}

function collectEvidence(text: string, before: readonly Evidence[] = []): readonly Evidence[] {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('It is not KIND=REFERENCE.')
  return [...before, { kind: text.slice(0, at), reference: text.slice(at + 1) }]
}

function readSignedBy(text: string): SignedBy {
  const [person, as, party, ...more] = text.split(',')
  const wrong = !person || !as || more.length > 0 || (party !== undefined && !/^[1-9]\d{0,8}$/.test(party))
  if (wrong) throw new InvalidArgumentError('It is not PERSON,OFFICE or PERSON,OFFICE,PARTY.')
  return { person, as, ...(party !== undefined && { party: Number(party) }) }
}

/** What of the flags goes into the body of an act. */
export function given({ words, evidence, signedBy }: GivenFlags): object {
  return { ...(words !== undefined && { words }), ...(evidence && { evidence }), ...(signedBy && { signedBy }) }
}

export interface Speaking {
  readonly io: Io
  readonly json: boolean
  get<T = Record<string, unknown>>(path: string): Promise<T>
  /** An act; repeated by nobody but this call, so that it happens once. */
  act<T = Record<string, unknown>>(method: 'POST' | 'PUT', path: string, body: object): Promise<T>
  /** Files to and from the service. */
  readonly files: OperatorFiles
  /** With `--json` the answer, else words. */
  tell(answer: unknown, words: () => string | Promise<string>): Promise<void>
  /** The number of a Party that was named by its number or its short name. */
  party(text: string): Promise<number>
  /** What words about tasks need: trading names, the time, and what stands behind every command. */
  telling(): Promise<Telling>
  /** Behind every command that is told: who speaks, as it was given here. */
  readonly tail: string
  /** Whom a task waits for now, and the command. */
  next(task: number): Promise<string>
}

/** Speaks to the operator API as that officer. @throws Refusal CREDENTIAL_MISSING, NOT_RUNNING, and the service's */
export async function speaking(
  io: Io,
  command: Command,
  flags: OfficerFlags,
  work: (speaking: Speaking) => Promise<void>,
): Promise<void> {
  const service = serviceOf(command, flags)
  const client = openOperatorClient(service)
  const tail = tailOf(command, flags)
  const asking = flags.office === undefined ? {} : { office: flags.office }
  const get = <T>(path: string) => client.ask<T>('GET', path, undefined, asking)
  const everyParty = () =>
    get<{ organisations: { party: number; name: string; tradingName: string }[] }>('/organisations')
  try {
    await work({
      io,
      json: flags.json === true,
      get,
      act: (method, path, body) => client.ask(method, path, body, { ...asking, once: randomUUID() }),
      files: operatorFiles(service, flags.office),
      async tell(answer, words) {
        if (flags.json) json(io, answer)
        else io.out(await words())
      },
      async party(text) {
        if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
        const found = (await everyParty()).organisations.find(one => one.name === text)
        if (!found)
          throw new Refusal('NO_SUCH_PARTY', `no organisation here is called ${text} (smki organisation list)`)
        return found.party
      },
      async telling() {
        const names = new Map((await everyParty()).organisations.map(one => [one.party, one.tradingName]))
        return { names, now: io.clock(), tail }
      },
      tail,
      async next(task) {
        return afterwards(await get<TaskSeen>(`/tasks/${task}`), tail)
      },
    })
  } finally {
    client.close()
  }
}

/** What was said on this command line must be said on the next; what stands in the environment stands there still. */
function tailOf(command: Command, { as, office, service }: OfficerFlags): string {
  const home = command.getOptionValueSourceWithGlobals('home') === 'cli' ? homeOf(command).path : undefined
  const said = { as, office, service, home }
  const quoted = (value: string) => (/^[\w.,:/@[\]-]+$/.test(value) ? value : `'${value}'`)
  return Object.entries(said)
    .flatMap(([name, value]) => (value === undefined ? [] : [` --${name} ${quoted(value)}`]))
    .join('')
}

function serviceOf(command: Command, { as = process.env.SMKI_AS, service }: OfficerFlags): OperatorClientOptions {
  if (as === undefined || as === '') {
    throw new Refusal('CREDENTIAL_MISSING', 'say who you are: --as FOLDER-OR-NAME of your credential, or SMKI_AS')
  }
  const home = homeOf(command)
  const credential = findCredential(as, home.credentials)
  if (service !== undefined) {
    const [, host, port] = /^(.+):(\d{1,5})$/.exec(service) ?? []
    if (host === undefined) throw new Refusal('SERVICE_UNREADABLE', `${service} is not HOST:PORT`)
    return { credential, host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
  }
  const { services } = loadSettings(home)
  const port = running(home)?.ports.operator ?? services.operatorPort
  return { credential, host: services.host, port }
}

/** A JSON file that a person wrote. @throws Refusal FILE_NOT_JSON; the system's when it cannot be read */
export function jsonFile(path: string): unknown {
  const text = readFileSync(path, 'utf8')
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Refusal('FILE_NOT_JSON', `${path} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

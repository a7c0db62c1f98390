/** Tasks in plain words: what is asked, whom it waits for, and the very command that comes next. */

export interface TaskSeen {
  readonly task: number
  readonly kind: string
  readonly says: string
  readonly where: string
  readonly subject: string
  readonly party?: number
  readonly about: readonly string[]
  readonly digest: string
  readonly state: 'open' | 'approved' | 'refused' | 'withdrawn' | 'void'
  readonly opened: string
  readonly decided?: string
  readonly due?: {
    readonly step: 'request' | 'verify' | 'approve'
    readonly by: readonly string[]
    readonly evidence: readonly string[]
    readonly level?: number
  }
  readonly waitsFor: readonly { readonly person: string; readonly known?: string; readonly as: string }[]
  readonly yours?: string
  readonly steps: readonly {
    readonly step: string
    readonly person: string
    readonly known?: string
    readonly through?: string
    readonly office: string
    readonly at: string
    readonly words: string
    readonly evidence: readonly { readonly kind: string; readonly reference: string }[]
    readonly void: boolean
  }[]
  readonly asked?: Readonly<Record<string, unknown>>
}

/** Enough of a digest for a person to hand back: 64 bits, which nobody makes another content for. */
export const shortDigest = 16

/** What the words need beside the tasks. */
export interface Telling {
  /** Trading names by the number of the Party. */
  readonly names: ReadonlyMap<number, string>
  readonly now: Date
  /** What stands behind every command that is told: ` --as ra-clerk-1`. */
  readonly tail: string
}

/** The list: what to do next, and by which command it is looked at. */
export function tasksInWords(
  tasks: readonly TaskSeen[],
  whose: 'mine' | 'all',
  others: number,
  telling: Telling,
): string {
  const open = others === 1 ? '1 task is' : `${others} tasks are`
  const elsewhere = `${open} for others to take: smki tasks --everyone${telling.tail}\n`
  if (tasks.length === 0) {
    if (whose === 'all') return 'No task is open.\n'
    return others === 0 ? 'Nothing waits for you, and nothing for others.\n' : `Nothing waits for you. ${elsewhere}`
  }
  const many = tasks.length === 1 ? '1 task' : `${tasks.length} tasks`
  const mine = tasks.length === 1 ? 'waits for you' : 'wait for you, oldest first'
  const body = tasks.map(task => oneOfMany(task, telling)).join('\n')
  return `${many} ${whose === 'mine' ? mine : 'in all'}.\n\n${body}${whose === 'mine' && others > 0 ? `\n${elsewhere}` : ''}`
}

function oneOfMany(task: TaskSeen, { names, now, tail }: Telling): string {
  const { task: number, says, party, about, opened, due, yours, state } = task
  const first = task.steps[0]
  const who = [party === undefined ? undefined : partyName(party, names), ...about].filter(Boolean).join(', ')
  const whose = !due ? state : yours ? `yours, as ${yours}` : `waits for ${waitsFor(task)}`
  return [
    `${String(number).padStart(5)}  ${(due?.step ?? state).toUpperCase()}: ${says}\n`,
    `       ${who ? `${who}; ` : ''}asked ${minute(opened)}${first ? ` by ${called(first)}` : ''}, ${ago(opened, now)}\n`,
    `       ${whose}\n`,
    `       smki tasks show ${number}${tail}\n`,
  ].join('')
}

/** One task, whole, and at its end the command that takes the step. */
export function taskInWords(task: TaskSeen, { names, now, tail }: Telling): string {
  const rows: [string, string][] = [
    ['clause', task.where],
    ['state', task.decided ? `${task.state}, ${minute(task.decided)}` : task.state],
    ['asked', `${minute(task.opened)}, ${ago(task.opened, now)}`],
    ...(task.party === undefined ? [] : [['organisation', partyName(task.party, names)] as [string, string]]),
    ...(task.about.length === 0 ? [] : [['concerns', task.about.join(', ')] as [string, string]]),
    ['digest', task.digest],
  ]
  const parts = [
    `Task ${task.task}: ${task.says}\n`,
    columns(rows),
    task.asked ? `What is asked, and what the digest is of:\n${columns(flat(task.asked))}` : '',
    `Steps so far:\n${task.steps.map(stepLines).join('') || '  none\n'}`,
    known(task, tail),
    next(task, tail),
  ]
  return parts.filter(part => part !== '').join('\n')
}

function stepLines(step: TaskSeen['steps'][number]): string {
  const recorded = step.through ? `, recorded by ${step.through}` : ''
  const gone = step.void ? ' (counts no more: what it was taken on has changed)' : ''
  const evidence = step.evidence.map(one => `      ${one.kind}: ${one.reference}\n`).join('')
  const words = step.words === '' ? '' : `      “${step.words.replaceAll('\n', ' ')}”\n`
  return `  ${step.step} ${minute(step.at)} by ${called(step)} as ${step.office}${recorded}${gone}\n${evidence}${words}`
}

/** What is personal stands in no task: whoever verifies an identity looks it up. */
function known({ due, about, yours, task }: TaskSeen, tail: string): string {
  if (due?.step !== 'verify' || yours === undefined) return ''
  const commands = about.map(person => `  smki person show ${person} --words 'task ${task}'${tail}\n`)
  return commands.length === 0
    ? ''
    : `What is known of whom it concerns (that you look is journalled):\n${commands.join('')}`
}

/** Who is waited for, and how the caller goes on if it is the caller. */
export function next(task: TaskSeen, tail: string): string {
  const { task: number, due, yours, digest } = task
  if (!due) return ''
  if (yours === undefined) return `It waits for ${waitsFor(task)}. It is not for you to ${due.step} it.\n`
  const options = [
    `--digest ${digest.slice(0, shortDigest)}`,
    ...(due.level === undefined ? [] : [`--level ${due.level}`]),
    ...due.evidence.map(kind => `--evidence '${kind}=REFERENCE'`),
  ]
  const seen = due.evidence.length > 0 ? 'have seen each of these, and where it is kept' : 'have read what is asked'
  return [
    `You may ${due.step} it, as ${yours}. When you ${seen}:\n`,
    `  smki tasks ${due.step} ${number} ${options.join(' ')}${tail}\n`,
    `Or, if it shall not be:\n  smki tasks refuse ${number} --words 'WHY'${tail}\n`,
  ].join('')
}

/** After a step, or for a task just opened. */
export function afterwards(task: TaskSeen, tail: string): string {
  const { task: number, state, yours, due } = task
  if (state !== 'open' || !due) return `Task ${number} is ${state}.\n`
  const waits = `Task ${number} waits now for ${waitsFor(task)}.`
  if (yours === undefined) return `${waits}\nThey look at it with: smki tasks show ${number}\n`
  return `${waits} You are one of them.\nLook at it with: smki tasks show ${number}${tail}\n`
}

/** `RA_MANAGER to approve it: ra-manager-1, ra-manager-2`. */
function waitsFor({ due, waitsFor: people }: TaskSeen): string {
  if (!due) return 'nobody'
  if (people.length === 0)
    return `${due.by.join(' or ')} to ${due.step} it, and nobody in office may: appoint somebody`
  const offices = [...new Set(people.map(one => one.as))].join(' or ')
  return `${offices} to ${due.step} it: ${[...new Set(people.map(called))].join(', ')}`
}

function called({ person, known }: { readonly person: string; readonly known?: string }): string {
  return known ?? person
}

function partyName(party: number, names: ReadonlyMap<number, string>): string {
  return names.has(party) ? `${names.get(party)} (party ${party})` : `party ${party}`
}

/** `2026-11-20 02:31 UTC`. */
export function minute(instant: string): string {
  return `${instant.slice(0, 16).replace('T', ' ')} UTC`
}

export function ago(instant: string, now: Date): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - Date.parse(instant)) / 60_000))
  if (minutes < 1) return 'just now'
  if (minutes < 120) return `${minutes} minute${minutes === 1 ? '' : 's'} ago`
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} hours ago`
  return `${Math.floor(minutes / 1440)} days ago`
}

/** The order in which a person reads: that of the form. What is not here comes behind, as it stands. */
const reading = [
  ...['credential', 'party', 'version', 'form', 'kind', 'legalName', 'tradingName', 'identifier', 'companyNumber'],
  ...[
    'address',
    'contactNumber',
    'userRole',
    'first',
    'last',
    'userRoles',
    'shared',
    'declaration',
    'reference',
    'question',
  ],
]
const place = (key: string) => (reading.includes(key) ? reading.indexOf(key) : reading.length)

/** Every value of an object with its path, a line each; a row of a list is one line. */
export function flat(value: unknown, path = ''): [string, string][] {
  if (Array.isArray(value)) {
    if (value.length === 0 || value.every(one => !isObject(one))) return [[path, value.join(', ') || '-']]
    return value.map((one, i): [string, string] => [i === 0 ? path : '', row(one)])
  }
  if (!isObject(value)) return [[path, value === null || value === undefined ? '-' : String(value)]]
  return inOrder(value).flatMap(([key, one]) => flat(one, path === '' ? key : `${path} ${key}`))
}

function row(value: unknown): string {
  if (!isObject(value)) return Array.isArray(value) ? value.map(row).join(' and ') : String(value ?? '-')
  return inOrder(value)
    .map(([key, one]) => `${key} ${row(one)}`)
    .join(', ')
}

function inOrder(value: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(value).toSorted(([a], [b]) => place(a) - place(b))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join('')
}

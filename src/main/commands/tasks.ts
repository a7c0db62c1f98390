/** `smki tasks`, `smki verify-identity` and `smki approve`: what waits for whom, and the steps that are taken. */

import type { Command } from 'commander'
import { shortDigest, type TaskSeen, taskInWords, tasksInWords } from '../../doors/cli/operator-words.ts'
import { Refusal } from '../../ground/refusal.ts'
import { type Io, wholeNumber } from './context.ts'
import {
  asAct,
  asOfficer,
  asRecorded,
  type GivenFlags,
  given,
  type OfficerFlags,
  type Speaking,
  speaking,
} from './officer.ts'

interface StepFlags extends GivenFlags {
  readonly digest: string
  readonly level?: number
}

export function addTasks(program: Command, io: Io): void {
  const group = program.command('tasks').description('what waits for you, and what is asked')

  asOfficer(group.command('list', { isDefault: true }))
    .description('open tasks that wait for you')
    .option('--everyone', 'all open tasks, with whom each waits for')
    .option('--party <id>', 'all tasks of one organisation, decided ones too')
    .action(async (flags: OfficerFlags & { everyone?: true; party?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        if (flags.party !== undefined) {
          const of = await speak.get<{ tasks: TaskSeen[] }>(`/tasks?party=${await speak.party(flags.party)}`)
          return speak.tell(of, async () => tasksInWords(of.tasks, 'all', 0, await speak.telling()))
        }
        const { tasks } = await speak.get<{ tasks: TaskSeen[] }>('/tasks?for=everyone')
        const seen = flags.everyone ? tasks : tasks.filter(one => one.yours !== undefined)
        const whose = flags.everyone ? 'all' : 'mine'
        return speak.tell({ tasks: seen }, async () =>
          tasksInWords(seen, whose, tasks.length - seen.length, await speak.telling()),
        )
      })
    })

  asOfficer(group.command('show'))
    .description('one task: exactly what is asked, the steps so far, and the command that comes next')
    .argument('<id>', 'number of the task', wholeNumber)
    .action(async (task: number, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const seen = await speak.get<TaskSeen>(`/tasks/${task}`)
        await speak.tell(seen, async () => taskInWords(seen, await speak.telling()))
      })
    })

  stepCommand(group, io, 'verify', 'you have verified what is asked')
  stepCommand(group, io, 'approve', 'you approve what is asked')

  asAct(group.command('refuse'))
    .description('it shall not be; that needs no second person')
    .argument('<id>', 'number of the task', wholeNumber)
    .action((task: number, flags: GivenFlags, command: Command) => end(io, command, task, flags, 'refusal'))

  asRecorded(group.command('withdraw'))
    .description('take the request back')
    .argument('<id>', 'number of the task', wholeNumber)
    .action((task: number, flags: GivenFlags, command: Command) => end(io, command, task, flags, 'withdrawal'))

  stepCommand(program, io, 'approve', 'approve a task (as smki tasks approve)')
  stepCommand(
    program,
    io,
    'verify-identity',
    "you have verified an organisation's or a person's identity (as smki tasks verify)",
  )
}

function stepCommand(group: Command, io: Io, name: 'verify' | 'approve' | 'verify-identity', says: string): void {
  asAct(group.command(name))
    .description(says)
    .argument('<id>', 'number of the task', wholeNumber)
    .requiredOption('--digest <digits>', `of what you have looked at: the first ${shortDigest} digits, or all`)
    .option('--level <n>', 'level at which the identity of a person was verified', wholeNumber)
    .action(async (task: number, flags: StepFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const digest = await wholeDigest(speak, task, flags.digest)
        const level = flags.level === undefined ? {} : { level: flags.level }
        const word = name === 'approve' ? 'approval' : 'verification'
        const seen = await speak.act<TaskSeen & { outcome?: unknown }>('POST', `/tasks/${task}/${word}`, {
          digest,
          ...level,
          ...given(flags),
        })
        await speak.tell(seen, async () => {
          const done = name === 'approve' ? 'Approved.' : 'Verified.'
          if (seen.state === 'open') return `${done} ${await speak.next(task)}`
          return `${done} It has its effect now: ${effect(seen.outcome)}\n`
        })
      })
    })
}

/** What was looked at is what is decided: the service compares the whole digest, a person hands back its beginning. */
async function wholeDigest(speak: Speaking, task: number, begins: string): Promise<string> {
  const text = begins.toLowerCase()
  if (!/^[0-9a-f]{16,64}$/.test(text)) {
    throw new Refusal('DIGEST_SHORT', `a digest is handed back with its first ${shortDigest} digits at least`)
  }
  const seen = await speak.get<TaskSeen>(`/tasks/${task}`)
  if (seen.digest.startsWith(text)) return seen.digest
  throw new Refusal(
    'TASK_CHANGED',
    `what is asked now has another digest: look again (smki tasks show ${task}${speak.tail})`,
  )
}

async function end(
  io: Io,
  command: Command,
  task: number,
  flags: GivenFlags,
  word: 'refusal' | 'withdrawal',
): Promise<void> {
  await speaking(io, command, flags, async speak => {
    const seen = await speak.act<TaskSeen>('POST', `/tasks/${task}/${word}`, given(flags))
    await speak.tell(seen, () => `Task ${task} is ${seen.state}.\n`)
  })
}

function effect(outcome: unknown): string {
  if (typeof outcome !== 'object' || outcome === null) return 'done'
  return Object.entries(outcome)
    .map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(', ')
}

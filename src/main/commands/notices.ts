/** `smki notices`: what the Registration Authority told whom. */

import type { Command } from 'commander'
import { minute } from '../../doors/cli/operator-words.ts'
import { type Io, wholeNumber } from './context.ts'
import { asOfficer, type OfficerFlags, speaking } from './officer.ts'

export function addNotices(program: Command, io: Io): void {
  asOfficer(program.command('notices'))
    .description('what was told to you, or to another recipient')
    .option('--to <recipient>', "'Registration Authority', 'SEC Panel', 'SMKI PMA' or 'party 3'")
    .option('--after <number>', 'the last that was read', wholeNumber)
    .action(async (flags: OfficerFlags & { to?: string; after?: number }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const query = new URLSearchParams({
          ...(flags.to !== undefined && { to: flags.to }),
          ...(flags.after !== undefined && { after: String(flags.after) }),
        })
        type Notice = { notice: number; subject: string; about: Record<string, unknown>; at: string }
        const answer = await speak.get<{ to: string; notices: Notice[] }>(`/notices?${query}`)
        await speak.tell(answer, () => {
          if (answer.notices.length === 0) return `Nothing was told to ${answer.to}.\n`
          const lines = answer.notices.map(({ notice, subject, about, at }) => {
            const what = Object.entries(about).map(([key, value]) => `${key} ${text(value)}`)
            return `${String(notice).padStart(5)}  ${minute(at)}  ${subject}\n       ${what.join(', ')}\n`
          })
          return `Told to ${answer.to}:\n\n${lines.join('')}`
        })
      })
    })
}

function text(value: unknown): string {
  return Array.isArray(value) ? value.join(' ') : typeof value === 'object' ? JSON.stringify(value) : String(value)
}

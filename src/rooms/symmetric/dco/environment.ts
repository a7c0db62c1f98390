/** The environment log: access to modules and cards, apart from the journal, for protective monitoring (section 9). */

import { appendFileSync, existsSync, statSync } from 'node:fs'

/** One thing that happened to a module, a card set or the program: no key material, no personal data but references. */
export interface EnvironmentEvent {
  readonly event:
    | 'program.started'
    | 'program.stopped'
    | 'program.alive'
    | 'module.opened'
    | 'module.refused'
    | 'hsm-key.made'
    | 'hsm-key.imported'
    | 'quorum.present'
    | 'quorum.refused'
    | 'handshake.refused'
  readonly about?: Readonly<Record<string, string | number | boolean>>
}

export interface EnvironmentLog {
  tell(event: EnvironmentEvent): void
}

/**
 * JSON lines in a file that the collector of protective monitoring follows. Nothing else reads them, and the journal does
 * not hold them: the two kinds of log are kept apart (Policy (d)(xi)).
 */
export function environmentLog(path: string, clock: () => Date, module: string): EnvironmentLog {
  return {
    tell: ({ event, about }) =>
      appendFileSync(path, `${JSON.stringify({ at: clock().toISOString(), event, module, ...about })}\n`, {
        mode: 0o600,
      }),
  }
}

/** Whether the feed has stopped: nothing was written for so many minutes, not even that the program is alive. */
export function isSilent(path: string, now: Date, minutes: number): boolean {
  return !existsSync(path) || now.getTime() - statSync(path).mtimeMs > minutes * 60_000
}

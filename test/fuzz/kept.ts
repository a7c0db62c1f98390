/** The inputs that fuzzing kept, a file for each target, a line of base64 for each input. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const file = (target: string) => new URL(`corpus/${target}.txt`, import.meta.url)

export function keptInputs(target: string): string[] {
  return existsSync(file(target)) ? readFileSync(file(target), 'latin1').split('\n').filter(Boolean) : []
}

export function keep(target: string, inputs: readonly string[]): void {
  writeFileSync(file(target), `${inputs.join('\n')}\n`)
}

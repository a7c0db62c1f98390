// Starts the formatter and linter of this platform: `node test/biome.mjs ci|check --write`.
// The wrapper package asks for the binaries of every platform there is, which not every registry has.

import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

const binary = createRequire(import.meta.url).resolve(`@biomejs/cli-${process.platform}-${process.arch}/biome`)
const given = process.argv.slice(2)
const where = given.some(one => one.includes('/') || one.includes('.')) ? [] : ['.']
const { status } = spawnSync(binary, [...given, '--colors=off', ...where], { stdio: 'inherit' })
process.exit(status ?? 1)

/** Which build of the server's software this is: stands in every answer of the web services. */

import { readFileSync } from 'node:fs'

const manifest = new URL('../../package.json', import.meta.url)

export const version: string = (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
export const build = `OpenSMKI ${version}`

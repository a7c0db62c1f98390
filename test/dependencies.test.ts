/** What comes from elsewhere: each package exact, with its hash, with its page, and no script of it run that was not allowed. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const manifest = JSON.parse(read('package.json')) as {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly allowScripts: Readonly<Record<string, boolean>>
}
const lock = JSON.parse(read('package-lock.json')) as {
  readonly packages: Readonly<
    Record<string, { version: string; integrity?: string; hasInstallScript?: true; dev?: true; license?: string }>
  >
}
const packages = Object.entries(lock.packages)
  .filter(([path]) => path !== '')
  .map(([path, one]) => ({ ...one, name: path.slice(path.lastIndexOf('node_modules/') + 13) }))

describe('A package from elsewhere', () => {
  it('is asked for in one version and no other', () => {
    const asked = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
    assert.ok(Object.keys(asked).length > 30)
    for (const [name, version] of Object.entries(asked)) assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name)
  })

  it('has its hash in the lock file', () => {
    assert.ok(packages.length > 150)
    for (const { name, integrity } of packages) assert.match(integrity ?? '', /^sha512-[\w+/]{86}==$/, name)
  })

  it('has a licence that lets us hand it on', () => {
    const free = /^\(?(MIT|ISC|BSD-[23]-Clause|Apache-2\.0|0BSD|BlueOak-1\.0\.0|MPL-2\.0|Unlicense|CC0-1\.0)\b/
    const handedOn = packages.filter(one => !one.dev)
    assert.ok(handedOn.length > 50)
    // The runtime's own package, and a package older than the field, name their licence in their folder.
    const unnamed = handedOn.filter(one => one.license === undefined).map(one => one.name)
    assert.deepEqual(
      handedOn.filter(one => one.license !== undefined && !free.test(one.license)).map(one => one.name),
      [],
    )
    assert.ok(unnamed.length <= 4, `${unnamed}`)
  })

  it('runs no script when it is installed, unless it was allowed to by name and version', () => {
    const judged = new Set(Object.keys(manifest.allowScripts))
    const wanting = packages.filter(one => one.hasInstallScript)
    assert.ok(wanting.length > 3)
    // Denied by name, whichever version; allowed only for the version that was looked at.
    for (const { name, version } of wanting)
      assert.ok(manifest.allowScripts[name] === false || judged.has(`${name}@${version}`), name)
    for (const [name, may] of Object.entries(manifest.allowScripts)) assert.equal(may, /@\d/.test(name), name)
  })

  it('that runs with us stands in a decision', () => {
    const decisions = readdirSync(new URL('../docs/decisions', import.meta.url))
      .map(name => read(`docs/decisions/${name}`))
      .join('\n')
    for (const name of Object.keys(manifest.dependencies)) assert.ok(decisions.includes(`\`${name}\``), name)
  })
})

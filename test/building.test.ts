/** The rules of the building, held by a test: who may import whom (docs/decisions/0001). */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

/** Lowest first. A file may import from its own place and from any place before it. */
const order = [
  'ground',
  'policy',
  'rooms/governance',
  'rooms/registration',
  'rooms/repository',
  'rooms/authority',
  'rooms/issuance',
  'rooms/revocation',
  'rooms/recovery',
  'rooms/symmetric',
  'doors',
  'main',
]

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map(name => join('src', name))
const text = (file: string) => readFileSync(file, 'utf8')
const arrowsOf = (from: string, source: string) =>
  [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, to]) => ({
    from,
    to: normalize(join(dirname(from), to!)),
  }))
const arrows = files.flatMap(from => arrowsOf(from, text(from)))

type Arrow = { from: string; to: string }
const place = (file: string) => order.findIndex(name => file.startsWith(`src/${name}/`))
const room = (file: string) => file.split('/').slice(0, 3).join('/')
const door = (file: string) => (file.startsWith('src/doors/') ? room(file) : undefined)
const part = (file: string) => /^src\/rooms\/symmetric\/(s1sp|dco)\//.exec(file)?.[1]

/** Each rule says which arrows break it. */
const rules: Record<string, (arrow: Arrow) => boolean> = {
  'imports run down': ({ from, to }) => to.startsWith('src/') && place(to) > place(from),
  'what is inside a room stays inside it': ({ from, to }) => to.includes('/inside/') && room(from) !== room(to),
  'doors do not import doors': ({ from, to }) => !!door(from) && !!door(to) && door(from) !== door(to),
  'S1SP and DCO do not know each other': ({ from, to }) => !!part(from) && !!part(to) && part(from) !== part(to),
  'only the programs use the simulators, and nobody the tests': ({ from, to }) =>
    !to.startsWith('src/') && !(from.startsWith('src/main/') && to.startsWith('simulator/')),
}

const secret = /\b(sign|createSign|create(Private|Secret)Key|generateKey\w*|create(C|Dec)ipheriv|createHmac)\b/
const touchesKeys = (source: string) =>
  [...source.matchAll(/^import (?!type )([^'"]*?) from 'node:crypto'/gm)].some(
    ([, names]) => !names!.startsWith('{') || secret.test(names!),
  ) || /\bcrypto\.subtle\b/.test(source)

test('the whole building is read', () => {
  assert.ok(files.length > 15 && arrows.length > files.length, `${files.length} files, ${arrows.length} arrows`)
})

test('every file has a place', () => {
  assert.deepEqual(
    files.filter(file => place(file) < 0),
    [],
  )
})

for (const [says, breaks] of Object.entries(rules)) {
  test(says, () => {
    assert.deepEqual(
      arrows.filter(breaks).map(({ from, to }) => `${from} -> ${to}`),
      [],
    )
  })
}

test('keys are touched in the key store and nowhere else', () => {
  assert.deepEqual(
    files.filter(file => touchesKeys(text(file)) && !file.startsWith('src/ground/keystore/')),
    [],
  )
})

test('each rule goes red when it is broken', () => {
  const planted: Record<string, [string, string]> = {
    'imports run down': ['src/policy/a.ts', "import { b } from '../rooms/issuance/b.ts'"],
    'what is inside a room stays inside it': [
      'src/rooms/revocation/a.ts',
      "import { b } from '../issuance/inside/b.ts'",
    ],
    'doors do not import doors': ['src/doors/cli/a.ts', "import { b } from '../repository/b.ts'"],
    'S1SP and DCO do not know each other': [
      'src/rooms/symmetric/s1sp/a.ts',
      "import type { B } from '../dco/b.ts'",
    ],
    'only the programs use the simulators, and nobody the tests': [
      'src/doors/cli/a.ts',
      "import { b } from '../../../simulator/b.ts'",
    ],
  }
  for (const [says, breaks] of Object.entries(rules)) {
    const [from, source] = planted[says]!
    assert.equal(arrowsOf(from, source).filter(breaks).length, 1, says)
  }
  assert.ok(touchesKeys("import { createPrivateKey } from 'node:crypto'"))
  assert.ok(touchesKeys("import crypto from 'node:crypto'"))
  assert.ok(!touchesKeys("import { createHash, verify } from 'node:crypto'"))
})

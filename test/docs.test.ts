/** What the documents say of the code, held against the code: files, functions, commands, settings, codes, links. */

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { pages } from '../docs/generate.ts'
import { main } from '../src/main/smki.ts'
import { settingsSchema } from '../src/policy/settings.ts'
import { decodeItems, encodeItems } from '../src/rooms/issuance/portion.ts'

const inside = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name))
const read = (file: string) => readFileSync(file, 'utf8')

const documents = [
  'README.md',
  'GLOSSARY.md',
  'CHANGELOG.md',
  ...inside('docs').filter(name => name.endsWith('.md')),
]
const tree = ['src', 'test', 'simulator', 'docs', 'bin'].flatMap(inside)
const names = new Set(tree.map(name => basename(name)))
const sources = inside('src').filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
const program = sources.map(read).join('\n')
const settings = new Set(
  Object.entries(settingsSchema.shape).flatMap(([group, schema]) =>
    Object.keys(('unwrap' in schema && schema.unwrap().shape) || {}).map(key => `${group}.${key}`),
  ),
)

/** What stands between backticks in running text; a line may end within. */
const spans = (text: string) =>
  [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`]+)`/g)].map(([, span]) => span!.replace(/\s+/g, ' '))

/** What is wrong with one span: undefined when it is right, or says nothing of the code. */
const wrong: Record<string, (span: string) => string | undefined> = {
  'a path that it names is in the tree': span => {
    const path = /^(?:src|test|simulator|docs|bench|bin|\.ci)\/[\w./-]*/.exec(span)?.[0]
    if (path !== undefined) return existsSync(path) ? undefined : path
    return /^[\w-]+\.(ts|mjs|sql|xsd)$/.test(span) && !names.has(span) && !existsSync(span) ? span : undefined
  },
  'a name that it gives for a file is defined there': span => {
    const [, file, name] = /^(\S+) › (\w+)$/.exec(span) ?? []
    if (file === undefined || !existsSync(file)) return file
    const defined = new RegExp(`\\b(function\\*?|const|class|interface|type) ${name}\\b`)
    return defined.test(read(file)) ? undefined : span
  },
  'a setting that it names exists': span =>
    /^\w+\.\w+$/.test(span) && Object.hasOwn(settingsSchema.shape, span.split('.')[0]!) && !settings.has(span)
      ? span
      : undefined,
  'a code that it names is given somewhere': span =>
    /^([A-Z]+(_[A-Z0-9]+)+|[A-Z]{2}:\w+)$/.test(span) && !new RegExp(`\\b${span}\\b`).test(program)
      ? span
      : undefined,
}

/** `smki` commands in text and examples, each with the flags that stand behind it. */
function commandsIn(text: string): { words: string[]; flags: string[] }[] {
  const joined = text.replace(/\\\n/g, ' ')
  const inFences = [...joined.matchAll(/^```[\s\S]*?^```/gm)].flatMap(([fence]) => fence.split('\n'))
  return [...inFences, ...spans(joined)].flatMap(line => {
    const [, all] = /^\s*(?:\$ )?(?:bin\/)?smki ([^#]*)/.exec(line) ?? []
    if (all === undefined) return []
    const parts = all.trim().split(/\s+/)
    const end = parts.findIndex(part => !/^(s1sp|s1sp-report|smets1|[a-z][a-z-]*)$/.test(part))
    return [{ words: end < 0 ? parts : parts.slice(0, end), flags: all.match(/--[a-z][a-z-]*/g) ?? [] }]
  })
}

async function help(words: readonly string[]): Promise<string> {
  let said = ''
  const say = (text: string) => {
    said += text
  }
  await main([...words, '--help'], { out: say, err: say, exit: () => {}, clock: () => new Date(0) })
  return said
}

async function unknownIn({ words, flags }: { words: string[]; flags: string[] }): Promise<string[]> {
  const said = await help(words)
  // Words behind the command are its arguments; help for a command that does not exist is help for the one above.
  const usage = /^Usage: smki(.*)$/m.exec(said)?.[1] ?? ''
  const command = usage.replace(/ (\[|<).*/, '').trim()
  const takes = /[[<](file|identifier|id|serial)/.test(usage)
  const known =
    words.join(' ') === command || (command !== '' && words.join(' ').startsWith(`${command} `) && takes)
  const ours = ['--home', '--help', '--version']
  const strangers = flags.filter(flag => !ours.includes(flag) && !said.includes(flag))
  return [...(known || words.length === 0 ? [] : [`smki ${words.join(' ')}`]), ...strangers]
}

const slug = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replace(/ /g, '-')

function brokenLinks(file: string): string[] {
  const links = [...read(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
  return links
    .filter(link => !/^[a-z]+:/.test(link))
    .filter(link => {
      const [path, anchor] = link.split('#') as [string, string?]
      const target = path === '' ? file : join(dirname(file), path)
      if (!existsSync(target)) return true
      const headings = anchor === undefined ? [] : [...read(target).matchAll(/^#+ (.+)$/gm)]
      return anchor !== undefined && !headings.some(([, heading]) => slug(heading!) === anchor)
    })
}

describe('a document', () => {
  it('is looked at, and says something that can be held against the code', () => {
    const all = documents.flatMap(file => spans(read(file)))
    assert.ok(documents.length > 20, `${documents.length} documents`)
    assert.ok(all.filter(span => span.includes(' › ')).length > 100)
    assert.ok(all.filter(span => settings.has(span)).length > 50)
    assert.ok(documents.flatMap(file => commandsIn(read(file))).length > 20)
  })

  for (const [says, judge] of Object.entries(wrong)) {
    it(`is true to the code: ${says}`, () => {
      const found = documents.flatMap(file => spans(read(file)).flatMap(span => judge(span) ?? []))
      assert.deepEqual(found, [])
    })
  }

  it('names only commands and flags that there are', async () => {
    const found = documents.map(async file => {
      const unknown = commandsIn(read(file)).map(unknownIn)
      return (await Promise.all(unknown)).flat().map(what => `${file}: ${what}`)
    })
    assert.deepEqual((await Promise.all(found)).flat(), [])
  })

  it('links to what is there', () => {
    const found = documents.flatMap(file => brokenLinks(file).map(link => `${file}: ${link}`))
    assert.deepEqual(found, [])
  })

  it('that is generated is as the code has it', async () => {
    for (const [name, text] of Object.entries(await pages())) {
      assert.equal(read(join('docs', name)), text, `docs/${name} is not of today: run node docs/generate.ts`)
    }
  })

  it('that tells of portions has an example that is one', () => {
    const [, hexadecimal] = /```items\n([^`]+)```/.exec(read('docs/formats/batch.md'))!
    const octets = Buffer.from(hexadecimal!.replace(/\s/g, ''), 'hex')
    const items = [
      { id: 'ds-1', csr: Buffer.from('3003020100', 'hex') },
      { id: 'ka-1', csr: Buffer.from('3000', 'hex') },
    ]
    assert.deepEqual(decodeItems(octets), items)
    assert.deepEqual(encodeItems(items), octets)
  })

  it('of the first page fits a screen', () => {
    const lines = read('README.md').split('\n').length - 1
    assert.ok(lines <= 60, `${lines} lines`)
  })
})

describe('what holds the documents', () => {
  it('goes red for each thing that is not there', async () => {
    const planted: Record<string, string> = {
      'a path that it names is in the tree': 'src/rooms/issuance/nowhere.ts › issue',
      'a name that it gives for a file is defined there': 'src/rooms/issuance/issue.ts › nobody',
      'a setting that it names exists': 'issuing.nothing',
      'a code that it names is given somewhere': 'NOT_A_CODE_OF_OURS',
    }
    for (const [says, judge] of Object.entries(wrong)) assert.ok(judge(planted[says]!) !== undefined, says)
    const commands = commandsIn('`smki batch frob`, `smki frob`\n```\nbin/smki serve --frob\n```\n')
    assert.deepEqual(await Promise.all(commands.map(unknownIn)), [['--frob'], ['smki batch frob'], ['smki frob']])
  })
})

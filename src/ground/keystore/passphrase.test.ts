import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readPassphraseFile } from './passphrase.ts'

const home = mkdtempSync(join(tmpdir(), 'passphrase-'))
after(() => rmSync(home, { recursive: true }))
const file = join(home, 'passphrase')
const write = (content: string | Buffer, mode = 0o600) => {
  rmSync(file, { force: true })
  writeFileSync(file, content)
  chmodSync(file, mode)
  return file
}

describe('A passphrase file', () => {
  it('gives its first line, whatever ends it', () => {
    for (const content of ['open sesame', 'open sesame\n', 'open sesame\r\n', 'open sesame\nsecond line\n']) {
      assert.equal(readPassphraseFile(write(content)).toString(), 'open sesame')
    }
    assert.equal(readPassphraseFile(write('  päss \t\n')).toString(), '  päss \t')
  })

  it('is refused when it is empty, too long or missing', () => {
    for (const content of ['', '\n', '\r\n', '\nsecond line']) {
      assert.throws(() => readPassphraseFile(write(content)), { code: 'PASSPHRASE_EMPTY' })
    }
    assert.equal(readPassphraseFile(write('x'.repeat(1024))).length, 1024)
    assert.throws(() => readPassphraseFile(write('x'.repeat(1025))), { code: 'PASSPHRASE_TOO_LONG' })
    assert.throws(() => readPassphraseFile(write('x\n'.repeat(10_000))), { code: 'PASSPHRASE_TOO_LONG' })
    assert.throws(() => readPassphraseFile(join(home, 'none')), { code: 'PASSPHRASE_FILE_MISSING' })
  })

  it('is refused when others may open it, or put another in its place', () => {
    for (const mode of [0o604, 0o640, 0o644, 0o666, 0o602]) {
      assert.throws(() => readPassphraseFile(write('open sesame', mode)), { code: 'PASSPHRASE_FILE_READABLE' })
    }
    assert.equal(readPassphraseFile(write('open sesame', 0o400)).toString(), 'open sesame')
    const folder = join(home, 'folder')
    mkdirSync(folder)
    const inside = join(folder, 'passphrase')
    writeFileSync(inside, 'open sesame', { mode: 0o600 })
    for (const mode of [0o777, 0o770, 0o702]) {
      chmodSync(folder, mode)
      assert.throws(() => readPassphraseFile(inside), { code: 'PASSPHRASE_FILE_READABLE' })
    }
    for (const mode of [0o755, 0o1777]) {
      chmodSync(folder, mode)
      assert.equal(readPassphraseFile(inside).toString(), 'open sesame')
    }
    assert.throws(() => readPassphraseFile(folder), { code: 'PASSPHRASE_FILE_READABLE' })
  })
})

const script = spawnSync('script', ['--version']).status === 0
if (!script && process.env.CI === 'true') throw new Error('script (Debian: bsdutils) is not here')

/** Asks in a terminal of its own, types an answer to each question, and returns what stood on the screen. */
function typed(again: boolean, ...answers: string[]): Promise<string> {
  const program = join(home, 'ask.ts')
  const module = JSON.stringify(new URL('./passphrase.ts', import.meta.url).href)
  writeFileSync(
    program,
    `import { askPassphrase } from ${module}
    const { stdin: input, stdout: output } = process
    askPassphrase({ input, output, question: 'Passphrase?', ${again ? "again: 'Passphrase?'" : ''} }).then(
      answer => console.log('answer=' + answer.toString('hex')),
      cause => console.log('refused=' + cause.code),
    )`,
  )
  return new Promise((done, fail) => {
    const child = spawn('script', ['-qec', `${process.execPath} ${program}`, '/dev/null'], {
      stdio: 'pipe',
      timeout: 20_000,
    })
    let screen = ''
    let asked = 0
    child.stdout.on('data', chunk => {
      screen += chunk
      while (screen.split('Passphrase?').length - 1 > asked) child.stdin.write(answers[asked++] ?? '')
    })
    child.on('error', fail)
    child.on('close', () => done(screen))
  })
}

describe('A passphrase asked for', {
  skip: script ? false : 'skipped: script (Debian: bsdutils) is not here',
}, () => {
  const hex = (text: string) => Buffer.from(text).toString('hex')

  it('is what was typed, and never stands on the screen', async () => {
    const screen = await typed(false, 'open sesame\r')
    assert.match(screen, new RegExp(`answer=${hex('open sesame')}\\b`))
    assert.ok(screen.includes('Passphrase?') && !screen.includes('sesame'), screen)
  })

  it('can be corrected while it is typed', async () => {
    const screen = await typed(false, 'wrong\x15opên\x7f\x7fe\x1b[D\x1bOA\x1b[5~n\r')
    assert.match(screen, /answer=/)
    assert.ok(screen.includes(`answer=${hex('open')}`), screen)
  })

  it('is asked for twice when it is new, and must be the same', async () => {
    assert.ok((await typed(true, 'one\r', 'one\r')).includes(`answer=${hex('one')}`))
    assert.ok((await typed(true, 'one\rone\r')).includes(`answer=${hex('one')}`), 'typed ahead')
    assert.ok((await typed(true, 'one\r', 'two\r')).includes('refused=PASSPHRASES_DIFFER'))
  })

  it('is not given by Ctrl-C or Ctrl-D, and not empty', async () => {
    assert.ok((await typed(false, 'one\x03')).includes('refused=PASSPHRASE_NOT_GIVEN'))
    assert.ok((await typed(false, '\x04')).includes('refused=PASSPHRASE_NOT_GIVEN'))
    assert.ok((await typed(false, '\r')).includes('refused=PASSPHRASE_EMPTY'))
  })

  it('needs a terminal', () => {
    const result = spawnSync(process.execPath, [join(home, 'ask.ts')], { input: 'open sesame\n', encoding: 'utf8' })
    assert.match(result.stdout, /refused=NO_TERMINAL/)
  })
})

/** The officers' command line, read as they read it: every screen says what it is about, and the command that comes next. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { commandLine, type OperatorOffice, openOperatorOffice, portalCsr } from './office.ts'

describe('The command line of officers', () => {
  let office: OperatorOffice
  let smki: ReturnType<typeof commandLine>
  before(async () => {
    office = await openOperatorOffice()
    smki = commandLine(office)
  })
  after(() => office.close())

  const file = (name: string, content: object | string) => {
    const path = join(office.home, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const task = (said: string) => /Task (\d+)/.exec(said)![1]!
  /** The command that a screen tells, word by word, with references in place of REFERENCE. */
  const told = (said: string, verb: string): string[] => {
    const line = new RegExp(`^  smki (tasks ${verb} .*)$`, 'm').exec(said)![1]!
    return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) =>
      (quoted ?? bare)!.replace('REFERENCE', 'case 1'),
    )
  }

  const form = {
    kind: 'party',
    legalName: 'Acme Energy Supply Limited',
    tradingName: 'Acme Energy',
    identifier: 'SEC-0042',
    companyNumber: '01234567',
    address: '1 Test Street',
    contactNumber: '+44 1632 960001',
    userRoles: [
      { userRole: 'IS', first: '02-A1-00-00-00-01-00-00', last: '02-A1-00-00-00-01-FF-FF' },
      { userRole: 'GS', first: '02-A1-00-00-00-02-00-00', last: '02-A1-00-00-00-02-FF-FF' },
    ],
    declaration: { reference: 'form 42', signedOn: '2026-11-18' },
  }

  it('says who one is, and what to do when it does not know', async () => {
    assert.match(await smki('ra-clerk-1', 'whoami'), /offices +RA_PERSONNEL\n/)
    assert.match(await smki('', 'whoami'), /^CREDENTIAL_MISSING: say who you are: --as/)
    assert.equal(smki.code, 1)
    assert.match(
      await smki('nobody', 'tasks'),
      /^CREDENTIAL_MISSING: there is no credential of an officer in .*nobody/,
    )
    assert.match(await smki('ra-clerk-1', 'tasks', 'show', 'x'), /not a whole number/)
    assert.equal(smki.code, 2)
  })

  it('says that nothing waits, when nothing does', async () => {
    assert.equal(await smki('ra-clerk-1', 'tasks'), 'Nothing waits for you, and nothing for others.\n')
  })

  let number: string

  it('a form received tells whom it waits for', async () => {
    const path = file('form.json', form)
    const paper = ['--evidence', 'signed form=post 3']
    const said = await smki('ra-clerk-1', 'organisation', 'apply', 'acme-energy', path, ...paper)
    number = task(said)
    assert.equal(
      said,
      `acme-energy is party 2. Task ${number} waits now for RA_MANAGER or RA_PERSONNEL to verify it: ` +
        'ra-manager-1, ra-manager-2, ra-clerk-1, ra-clerk-2. You are one of them.\n' +
        `Look at it with: smki tasks show ${number} --as ra-clerk-1\n`,
    )
    assert.match(
      await smki('ra-clerk-1', 'organisation', 'apply', 'bravo', file('bad.json', '{')),
      /^FILE_NOT_JSON/,
    )
  })

  it('the clerk at night sees what waits, for how long, and how to look at it', async () => {
    office.pass(16 * 60_000)
    const said = await smki('ra-clerk-2', 'tasks')
    const lines = said.split('\n')
    assert.equal(lines[0], '1 task waits for you.')
    assert.match(
      lines[2]!,
      new RegExp(
        `^ +${number}  VERIFY: an Organisation Information Form takes effect: the organisational identity`,
      ),
    )
    assert.match(
      lines[3]!,
      /Acme Energy \(party 2\); asked 20\d\d-\d\d-\d\d \d\d:\d\d UTC by ra-clerk-1, 16 minutes ago/,
    )
    assert.equal(lines[4], '       yours, as RA_PERSONNEL')
    assert.equal(lines[5], `       smki tasks show ${number} --as ra-clerk-2`)
    assert.match(
      await smki('pma-member-1', 'tasks'),
      /^Nothing waits for you\. 1 task is for others to take: smki tasks --ev/,
    )
    assert.match(
      await smki('pma-member-1', 'tasks', '--everyone'),
      /waits for RA_MANAGER or RA_PERSONNEL to verify it: ra-manager-1, /,
    )
  })

  let verifying: string[]

  it('a task shows everything that is asked, and its last lines are the command', async () => {
    const said = await smki('ra-clerk-2', 'tasks', 'show', number)
    assert.match(said, /\n {2}form legalName +Acme Energy Supply Limited\n/)
    assert.match(
      said,
      /\n {2}form userRoles +userRole IS, first 02a1000000010000, last 02a100000001ffff\n +userRole GS, first/,
    )
    assert.match(said, /Steps so far:\n {2}request .* by ra-clerk-1 as RA_PERSONNEL\n {6}signed form: post 3\n/)
    assert.match(said, /You may verify it, as RA_PERSONNEL\. When you have seen each of these/)
    verifying = told(said, 'verify')
    assert.deepEqual(verifying.slice(0, 4), ['tasks', 'verify', number, '--digest'])
  })

  it('that command, as it stands with the references filled in, is the step', async () => {
    const said = await smki('', ...verifying)
    assert.equal(smki.code, 0, said)
    assert.match(
      said,
      /^Verified\. Task \d+ waits now for RA_MANAGER to approve it: ra-manager-1, ra-manager-2\.\n/,
    )
  })

  it('what has changed, or a digest that says too little, is refused', async () => {
    const digest = verifying[verifying.indexOf('--digest') + 1]!
    const approve = ['approve', number, '--evidence', 'verification record=case 1', '--digest']
    assert.match(await smki('ra-manager-1', ...approve, digest.slice(0, 15)), /^DIGEST_SHORT/)
    assert.match(await smki('ra-manager-1', ...approve, '0123456789abcdef'), /^TASK_CHANGED: .* look again/)
    assert.match(await smki('ra-clerk-2', ...approve, digest), /^NOT_FOR_THIS_OFFICE/)
    assert.equal(smki.code, 1)
    const shown = await smki('ra-clerk-2', 'tasks', 'show', number)
    assert.match(shown, /waits for RA_MANAGER to approve it: .*\. It is not for you to approve it\.\n$/)
  })

  it('the approval says what it had as its effect', async () => {
    const said = await smki('ra-manager-2', 'tasks', 'show', number)
    const done = await smki('', ...told(said, 'approve'))
    assert.equal(done, 'Approved. It has its effect now: party 2, version 1\n')
    assert.match(
      await smki('ra-clerk-1', 'organisation', 'show', 'acme-energy'),
      /standing +identityVerified, lacks SRO, ARO, SREPT/,
    )
    assert.match(
      await smki('ra-clerk-1', 'organisation', 'list'),
      /2 +acme-energy +Acme Energy +party +version 1\n/,
    )
  })

  it('a nomination leads whoever verifies to what is known of the person', async () => {
    const entered = await smki('ra-clerk-1', 'person', 'enter', '--name', 'Nina', '--question', 'School=Hill')
    const nina = entered.trim()
    assert.match(nina, /^p-[0-9a-f]{12}$/)
    const paper = ['--evidence', 'signed form=post 4']
    const said = await smki('ra-clerk-1', 'nominate', nina, 'NO', '--party', 'acme-energy', ...paper)
    const shown = await smki('ra-clerk-2', 'tasks', 'show', task(said))
    assert.match(shown, new RegExp(`\n  smki person show ${nina} --words 'task ${task(said)}' --as ra-clerk-2\n`))
    assert.match(await smki('ra-clerk-2', 'person', 'show', nina), /questions +question School, answer Hill\n/)
    const step = told(shown, 'verify')
    assert.ok(step.includes('--level'))
    await smki('', ...step)
    await smki('', ...told(await smki('ra-manager-1', 'tasks', 'show', task(said)), 'approve'))
    assert.match(await smki('ra-clerk-1', 'officers', '--party', '2'), new RegExp(`${nina} +NO +appointed`))
    const signed = ['--signed-by', `${nina},NO,2`]
    const sam = (await smki('ra-clerk-1', 'person', 'enter', '--name', 'Sam')).trim()
    const next = await smki('ra-clerk-1', 'nominate', sam, 'SRO', '--party', '2', ...signed, ...paper)
    assert.match(await smki('ra-clerk-1', 'tasks', 'show', task(next)), /as NO, recorded by p-/)
    assert.match(
      await smki('ra-manager-1', 'tasks', 'refuse', task(next), '--words', 'wrong paper'),
      /^Task \d+ is refused\.\n$/,
    )
    assert.match(
      await smki('ra-clerk-1', 'cease', nina, 'NO', '--party', '2'),
      /has ceased as NO\. No credential ended\. The org/,
    )
    const mistyped = await smki('ra-clerk-1', 'nominate', sam, 'SRO', '--evidence', 'nothing')
    assert.match(mistyped, /KIND=REFERENCE/)
    assert.equal(smki.code, 2)
  })

  it('a credential is asked for with a CSR, and whoever asks to revoke one learns how to stop it at once', async () => {
    const { person } = await office.as('ra-clerk-2').ask<{ person: string }>('GET', '/self')
    const { pem } = portalCsr('Test DCC', 'ra-clerk-2-next', 0x7f)
    const path = file('next.csr', pem)
    const said = await smki(
      'ra-clerk-2',
      'credential',
      'request',
      'RA_STAFF',
      '--person',
      person,
      '--csr',
      path,
      '--replaces',
      '4',
    )
    assert.match(said, /^Credential \d+ is requested\. Task \d+ waits now for /)
    assert.match(said, /RA_MANAGER or RA_PERSONNEL to verify it: ra-manager-1, ra-manager-2, ra-clerk-1\.\nThey/)
    const asked = await smki('pma-member-1', 'credential', 'revoke', '4', '--words', 'form A7')
    assert.match(
      asked,
      /It works until then; to stop it now: smki credential lock 4 --words 'WHY' --as pma-member-1\n$/,
    )
    assert.match(await smki('pma-member-1', 'credential', 'lock', '4'), /^Credential 4 is locked now\.\n$/)
    assert.match(await smki('ra-clerk-2', 'tasks'), /^CREDENTIAL_NOT_IN_USE: .* it is locked\n$/)
    assert.match(await smki('ra-clerk-1', 'credential', 'list', '1'), /4 +RA_STAFF +ra-clerk-2 +p-\w+ +locked/)
  })

  it('says the same to machines, as JSON', async () => {
    const said = JSON.parse(await smki('ra-manager-1', 'tasks', '--json')) as {
      tasks: { task: number; yours: string }[]
    }
    assert.ok(said.tasks.length >= 2)
    assert.ok(said.tasks.every(one => one.yours === 'RA_MANAGER'))
  })
})

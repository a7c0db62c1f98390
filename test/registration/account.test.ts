import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { changePassword, login, resetPassword, unlockAccount } from '../../src/rooms/registration/account.ts'
import { cease } from '../../src/rooms/registration/cease.ts'
import { handOver, lockCredential, requestCredential } from '../../src/rooms/registration/credentials.ts'
import { giveAccount } from '../../src/rooms/registration/give.ts'
import { evidence, type Office, type Officers, openOffice, refusal } from './office.ts'

const minute = 60_000
const known = { evidence: evidence('ARO Nomination Form') }

describe('an account of the Repository portal', () => {
  let office: Office
  let acme: Officers & { party: number }
  let count = 0
  before(async () => {
    office = await openOffice()
    acme = await office.subscriber('acme')
  })
  after(() => office.close())

  /** A new account with its first password, handed over. */
  const account = async () => {
    const username = `user-${++count}`
    const asked = await requestCredential(office.hands, acme.sro, {
      kind: 'REPO_PORTAL',
      party: acme.party,
      person: acme.aro.person,
      systemName: username,
    })
    await office.decide(asked)
    const password = await giveAccount(office.hands, office.personnel[0], asked.credential, username)
    await handOver(office.hands, office.personnel[0], asked.credential, known)
    return { username, password, credential: asked.credential }
  }
  const enter = (username: string, password: string) => login(office.hands, username, password)
  const wrong = async (username: string, times: number, between = 0) => {
    const codes = []
    for (let i = 0; i < times; i++) {
      if (i > 0) office.pass(between)
      codes.push(await enter(username, 'a wrong password').catch((cause: { code: string }) => cause.code))
    }
    return codes
  }

  it('opens with the first password for its change alone, and then with the new one', async () => {
    const { username, password, credential } = await account()
    const first = await enter(username, password)
    assert.deepEqual(first, { credential, party: acme.party, person: acme.aro.person, mustChange: true })
    await changePassword(office.hands, username, password, 'Łódź, twelve and more')
    await assert.rejects(enter(username, password), refusal('LOGIN_REFUSED'))
    assert.equal((await enter(username, 'Łódź, twelve and more')).mustChange, false)
    // However a keyboard composes it.
    assert.equal((await enter(username, 'Łódź, twelve and more'.normalize('NFD'))).mustChange, false)
  })

  it('takes no new password that is short, long, the old one, or the username', async () => {
    const { username, password } = await account()
    for (const unfit of ['eleven char', 'x'.repeat(129), password, username]) {
      await assert.rejects(changePassword(office.hands, username, password, unfit), refusal('PASSWORD_UNFIT'))
    }
    const guess = changePassword(office.hands, username, 'a wrong password', 'a new password, long')
    await assert.rejects(guess, refusal('LOGIN_REFUSED'))
  })

  it('is locked by five wrong passwords within an hour, until an hour after the first', async () => {
    const { username, password } = await account()
    assert.deepEqual(await wrong(username, 5, 5 * minute), [...Array(4).fill('LOGIN_REFUSED'), 'LOGIN_LOCKED'])
    // 20 minutes after the first: the right password is refused too.
    await assert.rejects(enter(username, password), refusal('LOGIN_LOCKED'))
    office.pass(40 * minute - 1)
    await assert.rejects(enter(username, password), refusal('LOGIN_LOCKED'))
    office.pass(1)
    await enter(username, password)
    const locked = (await office.journal()).filter(({ act, body }) => act === 'wrong password' && body.lockedUntil)
    assert.equal(locked.length, 1)
  })

  it('counts nothing during a lock, and nothing that is older than an hour', async () => {
    const { username, password } = await account()
    await wrong(username, 5)
    office.pass(30 * minute)
    assert.deepEqual(await wrong(username, 5), Array(5).fill('LOGIN_LOCKED'))
    office.pass(30 * minute + 1)
    assert.deepEqual(await wrong(username, 4), Array(4).fill('LOGIN_REFUSED'))
    await enter(username, password)
    // A right password takes nothing back: the text speaks of five within an hour, not of five in a row.
    assert.deepEqual(await wrong(username, 1), ['LOGIN_LOCKED'])
  })

  it('is tried five times and not more, however many try at one moment', async () => {
    const { username } = await account()
    const codes = await Promise.all(
      Array.from({ length: 12 }, () =>
        enter(username, 'a wrong password').catch((cause: { code: string }) => cause.code),
      ),
    )
    assert.equal(codes.filter(code => code === 'LOGIN_REFUSED').length, 4)
    assert.equal(codes.filter(code => code === 'LOGIN_LOCKED').length, 8)
    const { rows } = await office.store.query<{ failures: Date[] }>(
      'SELECT failures FROM repository_user WHERE username = $1',
      [username],
    )
    assert.equal(rows[0]!.failures.length, 5)
  })

  it('is unlocked by the Registration Authority on what it knows the ARO by, and reset to a password for one use', async () => {
    const { username, password } = await account()
    await wrong(username, 5)
    await assert.rejects(
      unlockAccount(office.hands, office.personnel[0], username, {}),
      refusal('EVIDENCE_MISSING'),
    )
    await assert.rejects(unlockAccount(office.hands, acme.aro, username, known), refusal('NOT_FOR_THIS_OFFICE'))
    await unlockAccount(office.hands, office.personnel[0], username, known)
    await enter(username, password)

    await wrong(username, 5)
    const next = await resetPassword(office.hands, office.personnel[0], username, known)
    await assert.rejects(enter(username, password), refusal('LOGIN_REFUSED'))
    assert.equal((await enter(username, next)).mustChange, true)
    await assert.rejects(
      unlockAccount(office.hands, office.personnel[0], 'nobody', known),
      refusal('USERNAME_UNKNOWN'),
    )
  })

  it('says the same of an unknown username, a wrong password and an account that is not in use', async () => {
    const { username, password, credential } = await account()
    await lockCredential(office.hands, acme.sro, credential, { words: 'on leave' })
    const answers = []
    for (const [name, word] of [
      ['nobody', password],
      [username, 'a wrong password'],
      [username, password],
      [username.toUpperCase(), password],
    ] as const) {
      answers.push(await enter(name, word).catch(({ code, message, details }) => ({ code, message, details })))
    }
    assert.equal(new Set(answers.map(one => JSON.stringify(one))).size, 1)
    assert.equal((answers[0] as { code: string }).code, 'LOGIN_REFUSED')
  })

  it('is not in use before it is handed over, and its name is its own', async () => {
    const { username } = await account()
    const asked = await requestCredential(office.hands, acme.sro, {
      kind: 'REPO_PORTAL',
      party: acme.party,
      person: acme.aro.person,
      systemName: 'second',
    })
    await office.decide(asked)
    const give = (name: string) => giveAccount(office.hands, office.personnel[0], asked.credential, name)
    await assert.rejects(give(username), refusal('USERNAME_TAKEN'))
    for (const name of ['ab', 'Ab-user', 'a b c', 'x'.repeat(65)])
      await assert.rejects(give(name), refusal('USERNAME_UNFIT'))
    const password = await give('second-user')
    await assert.rejects(enter('second-user', password), refusal('LOGIN_REFUSED'))
    await handOver(office.hands, office.personnel[0], asked.credential, known)
    await enter('second-user', password)
  })

  it('is nothing a second after its ARO ceased', async () => {
    const { username, password } = await account()
    await enter(username, password)
    await cease(
      office.hands,
      acme.sro,
      { person: acme.aro.person, office: 'ARO', party: acme.party },
      { words: 'left' },
    )
    office.pass(1000)
    await assert.rejects(enter(username, password), refusal('LOGIN_REFUSED'))
  })

  it('keeps no password that could be read', async () => {
    const { rows } = await office.store.query<{ text: string }>('SELECT t::text AS text FROM repository_user t')
    assert.ok(rows.length > 5)
    assert.ok(rows.every(row => !/password/.test(row.text)))
  })
})

/** The Repository Portal's own entrance: user name and password, with the lock-out of repository.md section 6. */

import { Refusal } from '../../../ground/refusal.ts'
import { changePassword, login } from '../../../rooms/registration/account.ts'
import { input } from '../frame/fields.ts'
import { html } from '../frame/html.ts'
import { Faulty, page } from '../frame/page.ts'
import { buttons, details, form, heading, inset, link, paragraph } from '../frame/pieces.ts'
import { atTime } from '../frame/words.ts'

export const passwordSignIn = page({
  path: '/',
  title: 'Sign in to the Repository Portal',
  who: 'everybody',
  show(visit) {
    return html`${heading('Sign in to the Repository Portal')}
${visit.query.ended === undefined ? '' : inset('Your session has ended, because nothing was done for five minutes. Sign in again to go on.')}
${form(
  visit,
  html`${input(visit, { name: 'username', label: 'User name', autocomplete: 'username', width: 20, code: true })}${input(visit, { name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', width: 20 })}${buttons({ text: 'Sign in' })}`,
)}
${details('If you cannot sign in', paragraph('After five wrong passwords within one hour, the account is locked until one hour after the first of them. The Service Desk can unlock it sooner, once it knows that it is you.'))}
${paragraph('Without signing in, anybody can ', link('/journal/check', 'check that a Certificate is in the journal'), '.')}`
  },
  async act({ door }, sent) {
    const [username, password] = [sent.text('username'), sent.secret('password')]
    const faults = [
      ...(username === '' ? [{ field: 'username', says: 'Enter your user name.' }] : []),
      ...(password === '' ? [{ field: 'password', says: 'Enter your password.' }] : []),
    ]
    if (faults.length > 0) throw new Faulty(faults)
    const user = await login(door, username, password).catch(inWords)
    const { credential, party, mustChange } = user
    return {
      to: mustChange ? '/password' : '/home',
      begin: { kind: 'reader', username, credential, party, mustChange },
    }
  },
})

export const changeOwnPassword = page({
  path: '/password',
  title: 'Change your password',
  who: ['READER'],
  section: 'account',
  says: 'Choose another password for the Repository Portal.',
  show(visit) {
    return html`${heading('Change your password')}
${visit.visitor?.mustChange ? inset('You must choose a password of your own before you can go on.') : ''}
${form(
  visit,
  html`${input(visit, { name: 'former', label: 'The password you have now', type: 'password', autocomplete: 'current-password', width: 20 })}${input(visit, { name: 'password', label: 'New password', hint: `At least ${visit.door.rules.passwordCharacters} characters, and not your user name`, type: 'password', autocomplete: 'new-password', width: 20 })}${input(visit, { name: 'again', label: 'New password once more', type: 'password', autocomplete: 'new-password', width: 20 })}${buttons({ text: 'Change password' })}`,
)}`
  },
  async act({ door, visitor, session }, sent) {
    const [former, password, again] = [sent.secret('former'), sent.secret('password'), sent.secret('again')]
    if (former === '') throw new Faulty([{ field: 'former', says: 'Enter the password you have now.' }])
    if (password === '') throw new Faulty([{ field: 'password', says: 'Enter a new password.' }])
    if (password !== again)
      throw new Faulty([{ field: 'again', says: 'Enter the same new password in both fields.' }])
    const username = visitor!.username!
    try {
      await changePassword(door, username, former, password)
    } catch (cause) {
      if (cause instanceof Refusal && cause.code === 'PASSWORD_UNFIT')
        throw new Faulty([
          {
            field: 'password',
            says: `Enter a password of ${door.rules.passwordCharacters} to 128 characters that is neither your user name nor your former password.`,
          },
        ])
      return inWords(cause, 'former')
    }
    const identity = session!.identity
    if (identity.kind !== 'reader') return { to: '/home' }
    return { to: '/home', says: 'Your password was changed.', begin: { ...identity, mustChange: false } }
  },
})

/** The same words whether the name or the password was wrong; the lock says until when. */
function inWords(cause: unknown, field = 'password'): never {
  if (!(cause instanceof Refusal)) throw cause
  if (cause.code === 'LOGIN_LOCKED') {
    const until = new Date(String(cause.details.until))
    throw new Faulty([
      { field, says: `The account is locked until ${atTime(until)}. The Service Desk can unlock it sooner.` },
    ])
  }
  if (cause.code === 'LOGIN_REFUSED')
    throw new Faulty([{ field, says: 'The user name or the password is not right, or the account is not in use.' }])
  throw cause
}

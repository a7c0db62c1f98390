/** Accounts of the Repository portal: passwords tried, changed, reset; locks ended (repository.md section 6). */

import { z } from 'zod'
import { changePassword, login, resetPassword, unlockAccount } from '../../../rooms/registration/account.ts'
import type { Group } from '../route.ts'
import { given, id, reference } from '../shapes.ts'

const account = z.object({ username: z.string().min(1).max(64) })
const password = z.string().min(1).max(256)
const path = '/repository-accounts/:username'

export const accounts: Group = {
  name: 'accounts',
  says: 'accounts of the Repository portal',
  add({ door, add }) {
    add({
      method: 'POST',
      path: `${path}/check`,
      says: 'try a password; a wrong one counts: five within an hour lock the account',
      // Nobody repeats a password to be told what was answered before.
      secret: true,
      params: account,
      body: z.strictObject({ password }),
      answer: z.strictObject({ credential: id, party: id, person: reference, mustChange: z.boolean() }),
      run: async ({ params, body }) => login(door, params.username, body.password),
    })

    add({
      method: 'POST',
      path: `${path}/password`,
      says: 'change the password with the former one, which counts as trying it',
      secret: true,
      params: account,
      body: z.strictObject({ former: password, password }),
      answer: z.strictObject({}),
      run: async ({ params, body }) => changePassword(door, params.username, body.former, body.password),
    })

    add({
      method: 'POST',
      path: `${path}/reset`,
      says: 'set a new password for one use, having known the ARO: evidence says on what; shown this once',
      secret: true,
      params: account,
      body: z.strictObject(given),
      answer: z.strictObject({ password: z.string() }),
      run: async ({ by, params, body }) => ({ password: await resetPassword(door, by(), params.username, body) }),
    })

    add({
      method: 'POST',
      path: `${path}/unlock`,
      says: 'end the lock after wrong passwords, having known the ARO: evidence says on what',
      params: account,
      body: z.strictObject(given),
      answer: z.strictObject({}),
      run: async ({ by, params, body }) => unlockAccount(door, by(), params.username, body),
    })
  },
}

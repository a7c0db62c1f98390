/** Credentials: requested with what they are made from, given, handed over, locked, revoked, returned, replaced. */

import { hash } from 'node:crypto'
import { z } from 'zod'
import { readPortalCsr } from '../../../rooms/issuance/organisation-input.ts'
import { actAlone, readGiven } from '../../../rooms/registration/act.ts'
import {
  handOver,
  lockCredential,
  requestCredential,
  requestRevocation,
  returnCredential,
  unlockCredential,
} from '../../../rooms/registration/credentials.ts'
import { keepCredentialTerms } from '../../../rooms/registration/expiry.ts'
import { giveAccount, giveApiKey, giveSshKey } from '../../../rooms/registration/give.ts'
import {
  type CredentialRecord,
  credentialRecord,
  credentialRecords,
  credentialsEnding,
} from '../../../rooms/registration/life.ts'
import { partyOfApiKey } from '../../../rooms/registration/parties.ts'
import { organisationOf } from '../../../rooms/registration/party.ts'
import { askSigner } from '../ask-signer.ts'
import { readIkiRequest } from '../iki-request.ts'
import { mustBeCentral, mustSee } from '../officer.ts'
import { refuse } from '../refusals.ts'
import type { Group } from '../route.ts'
import { given, id, inPath, opened, recorded, reference } from '../shapes.ts'
import { credentialKind, credentialShape, shownCredential } from './credential-shape.ts'

const one = z.object({ credential: inPath })
const list = z.strictObject({ credentials: z.array(credentialShape) })

/** Acts of one officer on one credential, by the last word of their address. */
const acts = {
  'hand-over': { run: handOver, says: 'its holder has it: it opens doors now, and what it replaces ends' },
  lock: { run: lockCredential, says: 'stop it at once; it can be unlocked' },
  unlock: { run: unlockCredential, says: 'bring it back, having known its holder: evidence says on what' },
  return: { run: returnCredential, says: 'it came back, or is not needed any more' },
} as const satisfies Record<
  string,
  { run: (...of: Parameters<typeof handOver>) => Promise<CredentialRecord>; says: string }
>

export const credentials: Group = {
  name: 'credentials',
  says: 'what people and systems show at the doors, from request to end (section 4)',
  add({ door, add }) {
    const { store } = door
    const signer = askSigner(door)

    add({
      method: 'POST',
      path: '/credentials',
      says: 'request a credential, with the CSR or SSH key where its kind is made from one',
      status: 201,
      body: z.strictObject({
        kind: credentialKind,
        party: id.optional().meta({ description: 'absent for RA_STAFF, which is of the operator' }),
        person: reference.optional().meta({ description: 'the holder, for kinds that people hold' }),
        csr: z.string().max(8192).optional().meta({
          description: 'of a certificate: PKCS#10, PEM or base64 of the DER; its CN is the name of the system',
        }),
        systemName: z
          .string()
          .max(400)
          .optional()
          .meta({ description: 'of others: what the Party calls the system or account' }),
        sshKey: z.string().max(8192).optional().meta({ description: 'one line as OpenSSH writes it' }),
        replaces: id.optional().meta({ description: 'the credential that this one follows' }),
        ...recorded,
      }),
      answer: z.strictObject({ credential: id, ...opened }),
      async run({ by, body }) {
        const { csr, systemName, ...rest } = body
        const read = csr === undefined ? undefined : readIkiRequest(rest.kind, csr)
        if (read && systemName !== undefined && systemName !== read.systemName) {
          throw refuse('REQUEST_UNFIT', 'body.systemName: the CN of the CSR is another name')
        }
        if (read && rest.party !== undefined) {
          const { tradingName } = await organisationOf(store, rest.party)
          if (tradingName !== read.tradingName)
            throw refuse('REQUEST_UNFIT', 'body.csr: its O is not the trading name of the Party')
        }
        const name = read?.systemName ?? systemName ?? ''
        const request = { ...rest, systemName: name, ...(read && { role: read.role, csr: read.digests }) }
        return requestCredential(door, by(), request, body)
      },
    })

    add({
      method: 'GET',
      path: '/credentials',
      says: 'those in use that end within so many days',
      query: z.strictObject({
        ending: z
          .string()
          .regex(/^\d{1,4}$/)
          .transform(Number),
      }),
      answer: list,
      async run({ caller, query }) {
        const until = new Date(door.clock().getTime() + query.ending * 86_400_000)
        const ending = await credentialsEnding(store, until)
        const seen = ending.filter(of => caller.party === undefined || of.party === caller.party)
        return { credentials: seen.map(shownCredential) }
      },
    })

    add({
      method: 'GET',
      path: '/organisations/:party/credentials',
      says: 'of one Party, ended ones too',
      params: z.object({ party: inPath }),
      answer: list,
      async run({ caller, params }) {
        mustSee(caller, params.party)
        return { credentials: (await credentialRecords(store, params.party)).map(shownCredential) }
      },
    })

    add({
      method: 'GET',
      path: '/credentials/:credential',
      says: 'one credential',
      params: one,
      answer: credentialShape,
      run: async ({ caller, params }) => {
        const record = await credentialRecord(store, params.credential)
        mustSee(caller, record.party)
        return shownCredential(record)
      },
    })

    for (const [word, { run, says }] of Object.entries(acts)) {
      add({
        method: 'POST',
        path: `/credentials/:credential/${word}`,
        says,
        params: one,
        body: z.strictObject(recorded),
        answer: credentialShape,
        run: async ({ by, params, body }) => shownCredential(await run(door, by(), params.credential, body)),
      })
    }

    add({
      method: 'POST',
      path: '/credentials/:credential/revocation',
      says: 'ask that it be revoked; two others decide. Lock it meanwhile',
      status: 201,
      params: one,
      body: z.strictObject(recorded),
      answer: z.strictObject(opened),
      run: async ({ by, params, body }) => requestRevocation(door, by(), params.credential, body),
    })

    add({
      method: 'POST',
      path: '/credentials/:credential/certificate',
      says: 'issue the approved IKI Certificate, from the CSR that was approved; asked again, the same one comes',
      params: one,
      body: z.strictObject({ csr: z.string().max(16_384), ...given }),
      answer: z.strictObject({ certificate: z.string().meta({ description: 'PEM' }) }),
      async run({ by, params, body }) {
        const csr = readPortalCsr(body.csr)
        const says = { credential: params.credential }
        await actAlone(door, by(), 'issue credential', undefined, says, async acting => {
          await acting.note('ask for certificate', { ...says, csr: hash('sha256', csr), ...readGiven(body) })
        })
        return { certificate: await signer.iki(params.credential, csr) }
      },
    })

    add({
      method: 'POST',
      path: '/credentials/:credential/api-key',
      says: 'make the approved API key; it is shown this once',
      status: 201,
      secret: true,
      params: one,
      body: z.strictObject(given),
      answer: z.strictObject({ apiKey: z.string() }),
      run: async ({ by, params, body }) => ({ apiKey: await giveApiKey(door, by(), params.credential, body) }),
    })

    add({
      method: 'POST',
      path: '/credentials/:credential/ssh-key',
      says: 'enter the approved SSH key',
      status: 201,
      params: one,
      body: z.strictObject(given),
      answer: z.strictObject({}),
      run: async ({ by, params, body }) => giveSshKey(door, by(), params.credential, body),
    })

    add({
      method: 'POST',
      path: '/credentials/:credential/account',
      says: 'open the approved account of the Repository portal; its first password is shown this once',
      status: 201,
      secret: true,
      params: one,
      body: z.strictObject({ username: z.string().max(400), ...given }),
      answer: z.strictObject({ password: z.string() }),
      run: async ({ by, params, body }) => ({
        password: await giveAccount(door, by(), params.credential, body.username, body),
      }),
    })

    add({
      method: 'POST',
      path: '/api-keys/owner',
      says: 'whose API key that is: for one that was found where it should not be',
      secret: true,
      body: z.strictObject({ apiKey: z.string().min(1).max(400) }),
      answer: z.strictObject({ party: id }),
      async run({ caller, body }) {
        mustBeCentral(caller)
        const party = await partyOfApiKey(store, body.apiKey)
        if (party === undefined) throw refuse('API_KEY_UNKNOWN')
        return { party }
      },
    })

    add({
      method: 'POST',
      path: '/credential-terms',
      says: 'give the notices of expiry that are due and end what has expired, now and not at the next hour',
      body: z.strictObject({}),
      answer: z.strictObject({
        noticed: z.array(z.strictObject({ credential: id, days: z.int() })),
        expired: z.array(id),
      }),
      async run({ caller }) {
        mustBeCentral(caller)
        const { noticed, expired } = await keepCredentialTerms(door)
        return {
          noticed: noticed.map(({ credential, days }) => ({ credential: credential.id, days })),
          expired: expired.map(record => record.id),
        }
      },
    })
  },
}

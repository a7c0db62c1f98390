/** What the Repository's door measures: what was sent, what failed, whom it never answered; and nothing that is no request. */

import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { repositoryDoor } from '../../src/doors/repository/door.ts'
import { listen, plainListener } from '../../src/ground/http/listen.ts'
import type { Store } from '../../src/ground/store/store.ts'
import { type TestStore, testStore } from '../../src/ground/store/testing.ts'
import { parseSettings } from '../../src/main/home.ts'
import { systemChance } from '../../src/main/world.ts'
import type { Sample } from '../../src/rooms/governance/performance/sample.ts'
import { migrations } from './office.ts'

const key = 'a key of the tests'
const settings = parseSettings(
  JSON.stringify({ environment: 'measured', kind: 'test', repository: { testKeys: [key] } }),
  'the test',
)
const limits = { idleSeconds: 5, headSeconds: 5, requestSeconds: 5, bodyOctets: 4096, connections: 9, tls13: false }
const search = (deviceId: string) =>
  `<CertificateSearchRequest><CertificateSubjectAltName>${deviceId}</CertificateSubjectAltName></CertificateSearchRequest>`

describe('the Repository’s door', () => {
  let real: TestStore
  const open: FastifyInstance[] = []
  /** Turned by each reading: a request takes as long as it reads the clock. */
  let now = Date.parse('2026-11-20T09:00:00Z')

  async function door(store: Pick<Store, 'query'>) {
    const app = plainListener(limits)
    open.push(app)
    const measured: Sample[] = []
    repositoryDoor({
      app,
      store,
      clock: () => new Date(now),
      chance: systemChance,
      settings: settings.repository,
      test: true,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      measure: sample => measured.push(sample),
    })
    const port = await listen(app, '127.0.0.1', 0)
    const url = (path: string, apikey = key) =>
      `http://127.0.0.1:${port}${path}?apikey=${encodeURIComponent(apikey)}`
    const ask = async (body: string, apikey?: string, path = '/services/certificatesearch') => {
      const headers = { 'content-type': 'application/xml' }
      const answer = await fetch(url(path, apikey), { method: 'POST', headers, body })
      await answer.text()
      return answer.status
    }
    const become = async (count: number) => {
      for (let look = 0; measured.length < count && look < 200; look++) await new Promise(r => setTimeout(r, 10))
      return measured.map(({ channel, party, outcome, sent, received }) => ({
        channel,
        party,
        outcome,
        took: sent - received,
      }))
    }
    return { measured, url, ask, become }
  }
  before(async () => {
    real = await testStore({ migrations })
  })
  after(async () => {
    for (const app of open) await app.close()
    await real.close()
  })

  it('measures what it sent, also that there is nothing; and not what is no search, no key and no path', async () => {
    const { ask, become } = await door(real.store)
    assert.equal(await ask(search('02-E1-00-00-00-00-00-01')), 402)
    assert.equal(await ask('<nonsense/>'), 401)
    assert.equal(await ask(search('02-E1-00-00-00-00-00-01'), 'no key'), 403)
    assert.equal(await ask('', key, '/services/nothing'), 404)
    assert.equal(await ask(search('02-E1-00-00-00-00-00-02')), 402)
    const sent = { channel: 'REPOSITORY', party: undefined, outcome: 'sent', took: 0 }
    assert.deepEqual(await become(2), [sent, sent])
  })

  it('measures a fault of ours as one', async () => {
    const { ask, become } = await door({ query: () => Promise.reject(new Error('the store is away')) })
    assert.equal(await ask(search('02-E1-00-00-00-00-00-01')), 500)
    assert.deepEqual(
      (await become(1)).map(one => one.outcome),
      ['fault'],
    )
  })

  it('measures how long a client waited that it never answered', async () => {
    const asked = Promise.withResolvers<void>()
    const hanging = {
      query: () => {
        asked.resolve()
        return new Promise<never>(() => {})
      },
    }
    const { url, become } = await door(hanging)
    const client = request(url('/services/certificatesearch'), {
      method: 'POST',
      headers: { 'content-type': 'application/xml' },
    })
    client.on('error', () => {})
    client.end(search('02-E1-00-00-00-00-00-01'))
    await asked.promise
    now += 5000
    client.destroy()
    assert.deepEqual(await become(1), [
      { channel: 'REPOSITORY', party: undefined, outcome: 'unanswered', took: 5000 },
    ])
  })
})

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { judge } from '../../../test/xsd.ts'
import { Refusal } from '../../ground/refusal.ts'
import { type TestStore, testStore } from '../../ground/store/testing.ts'
import { enterApiKey, registerParty } from '../../rooms/registration/parties.ts'
import { type RepositoryDoor, repositoryDoor } from './door.ts'

const libxml2 = judge(new URL('./schema/Repository-1.0.xsd', import.meta.url))
const key = 'a-key-of-a-party-of-the-smki-in-tests'
const testKey = 'a-key-for-tests-only'
const settings = { badKeyStatus: 403, inUse: 'immediate', manufacturingFlag: 'first', testKeys: [testKey] } as const
const search =
  '<CertificateSearchRequest><CertificateSubjectAltName>90-b3-d5-1f-30-01-00-0a</CertificateSubjectAltName></CertificateSearchRequest>'
const retrieve = '<CertificateDataRequest><CertificateSerial>abc</CertificateSerial></CertificateDataRequest>'

let test: TestStore
let party: number
const noon = Date.parse('2026-02-03T12:00:00Z')
let now = noon
let lines: string[] = []
const opened: FastifyInstance[] = []

before(async () => {
  test = await testStore({ migrations: new URL('../../ground/store/migrations/', import.meta.url) })
  party = await test.store.transaction(async client => {
    const roles = [{ role: 2, eui64: '02a0000000010000' }]
    const id = await registerParty(
      client,
      { name: 'reader', tradingName: 'R', deviceSubscriber: false, roles },
      at(),
    )
    await enterApiKey(client, id, key, at())
    return id
  })
})

beforeEach(() => {
  lines = []
  now = noon
})

after(async () => {
  for (const app of opened) await app.close()
  await test.close()
})

const at = () => new Date(now)
let drawn = 0
const chance = (length: number) => Buffer.alloc(length, ++drawn)

function door(changes: Partial<RepositoryDoor> = {}): FastifyInstance {
  const app = Fastify()
  const log = pino({ base: null, timestamp: false }, { write: line => void lines.push(line) })
  const needs = {
    app,
    store: test.store,
    clock: at,
    chance,
    settings: { ...settings, testKeys: [testKey] },
    test: true,
    log,
  }
  repositoryDoor({ ...needs, ...changes })
  opened.push(app)
  return app
}

interface Post {
  key?: string
  path?: string
  type?: string
  body?: string | Buffer
}

function post(
  app: FastifyInstance,
  { key: apikey = key, path = '/services/certificatesearch', type, body }: Post = {},
) {
  const headers = { 'content-type': type ?? 'application/xml' }
  return app.inject({ method: 'POST', url: `${path}?apikey=${apikey}`, headers, payload: body ?? search })
}

const logged = () => lines.map(line => JSON.parse(line))

describe('the API key of a request to the Repository', () => {
  it('opens the door to the Party that holds it', async () => {
    const { statusCode } = await post(door())
    assert.equal(statusCode, 402)
    assert.equal(logged()[0].party, party)
  })

  it('is looked at before anything else: without one, path, method, type and body do not matter', async () => {
    const app = door()
    const long = 'x'.repeat(20_000)
    const without = [
      await app.inject({ method: 'POST', url: '/services/certificatesearch', headers: xml, payload: search }),
      await app.inject({
        method: 'POST',
        url: '/services/retrievecertificate?apikey=',
        headers: xml,
        payload: retrieve,
      }),
      await app.inject({
        method: 'POST',
        url: `/services/certificatesearch?apikey=${key}&apikey=${key}`,
        headers: xml,
        payload: search,
      }),
      await app.inject({
        method: 'POST',
        url: `/services/certificatesearch?ApiKey=${key}`,
        headers: xml,
        payload: search,
      }),
      await post(app, { key: `${key}x`, body: 'no xml at all' }),
      await post(app, { key: 'wrong', type: 'text/xml' }),
      await post(app, { key: 'wrong', body: long }),
      await post(app, { key: 'wrong', path: '/nowhere' }),
      await app.inject('/nowhere'),
      await app.inject('/services/certificatesearch'),
      await app.inject('/lists/0123456789abcdef.crl'),
    ]
    for (const { statusCode, body } of without) {
      assert.deepEqual([statusCode, body], [403, 'the API key is missing or not valid\n'])
    }
    assert.equal(logged().length, without.length)
  })

  it('answers with the status that is set for it, which is not one that the client reads otherwise', async () => {
    const app = door({ settings: { ...settings, testKeys: [], badKeyStatus: 418 } })
    assert.equal((await post(app, { key: 'wrong' })).statusCode, 418)
    for (const badKeyStatus of [401, 402]) {
      assert.throws(
        () => door({ settings: { ...settings, testKeys: [], badKeyStatus } }),
        (cause: unknown) => cause instanceof Refusal && cause.code === 'CONFIG_INVALID',
      )
    }
  })

  it('may be a test key, in a test environment only', async () => {
    assert.equal((await post(door(), { key: testKey })).statusCode, 402)
    assert.equal(logged()[0].party, 'test key')
    assert.equal((await post(door({ test: false }), { key: testKey })).statusCode, 403)
    assert.equal((await post(door(), { key: `${testKey}x` })).statusCode, 403)
  })

  it('opens nothing a second after it was revoked, and is looked up once in that second', async () => {
    let asked = 0
    const store = {
      query: ((statement: { name?: string }) => {
        if (statement.name === 'party_of_api_key') asked++
        return test.store.query(statement as never)
      }) as typeof test.store.query,
    }
    const app = door({ store })
    const statuses = async () => (await Promise.all([post(app), post(app)])).map(one => one.statusCode)
    const revoke = (state: string) => test.store.query('UPDATE api_key SET state = $1', [state])
    assert.deepEqual(await statuses(), [402, 402])
    assert.equal(asked, 1)
    await revoke('revoked')
    try {
      now += 1000
      assert.deepEqual(await statuses(), [403, 403])
    } finally {
      await revoke('active')
    }
    assert.deepEqual(await statuses(), [402, 402], 'that it was refused is not remembered')
    now -= 5000
    await revoke('revoked')
    try {
      assert.deepEqual(await statuses(), [403, 403], 'a clock that goes back lengthens no life')
    } finally {
      await revoke('active')
    }
  })

  it('never stands in the log', async () => {
    const app = door({ store: { query: () => Promise.reject(new Error('no store')) } })
    const healthy = door()
    await post(healthy)
    await post(healthy, { path: '/nowhere' })
    await post(healthy, { path: `/services/certificatesearch&apikey=${key}` })
    await post(healthy, { key: `x${key}` })
    await post(healthy, { body: 'x' })
    await post(app)
    assert.equal(lines.length, 7)
    assert.ok(!lines.join('').includes(key), lines.join(''))
  })
})

const xml = { 'content-type': 'application/xml' }

describe('an answer of the Repository', () => {
  it('is 402 when nothing is found, and 401 when the request is no search', async () => {
    const app = door()
    const cases = [
      [{}, 402, 'CertificateSearchResponse'],
      [{ path: '/services/retrievecertificate', body: retrieve }, 402, 'CertificateDataResponse'],
      [
        { path: '/services/retrievecertificate', body: retrieve.replace('abc', 'f'.repeat(40)) },
        402,
        'CertificateDataResponse',
      ],
      [{ body: retrieve }, 401, 'CertificateSearchResponse'],
      [{ path: '/services/retrievecertificate', body: search }, 401, 'CertificateDataResponse'],
      [{ body: search.replace('90-b3', '90-bx') }, 401, 'CertificateSearchResponse'],
      [
        { path: '/services/retrievecertificate', body: retrieve.replace('abc', '') },
        401,
        'CertificateDataResponse',
      ],
      [{ body: `<!DOCTYPE a>${search}` }, 401, 'CertificateSearchResponse'],
      [{ body: Buffer.from([0xff, 0xfe]) }, 401, 'CertificateSearchResponse'],
      [{ body: '' }, 401, 'CertificateSearchResponse'],
    ] as const
    for (const [request, status, root] of cases) {
      const { statusCode, headers, body } = await post(app, request)
      assert.deepEqual([statusCode, headers['content-type']], [status, 'application/xml; charset=utf-8'], body)
      assert.equal(libxml2(body), undefined)
      assert.match(body, new RegExp(`<${root}><ResponseCode>${status}</ResponseCode>`))
    }
  })

  it('has a reference of its own, which stands in the log with the Party, what was asked, and the outcome', async () => {
    const app = door()
    const bodies = [
      await post(app),
      await post(app),
      await post(app, { path: '/services/retrievecertificate', body: retrieve }),
    ]
    const references = bodies.map(({ body }) => /<AuditReference>(.*)<\/AuditReference>/.exec(body)![1])
    assert.equal(new Set(references).size, 3)
    assert.match(references[0]!, /^1770120000-[0-9a-f]{16}$/)
    const asked = ['DEVICE 90-B3-D5-1F-30-01-00-0A', 'DEVICE 90-B3-D5-1F-30-01-00-0A', 'SERIAL ABC']
    assert.deepEqual(
      logged(),
      references.map((reference, i) => ({
        level: 30,
        reference,
        party,
        asked: asked[i],
        found: 0,
        status: 402,
        msg: 'answered',
      })),
    )
  })

  it('is a plain sentence to what cannot be read or is not there', async () => {
    const app = door()
    const url = (path: string) => `${path}?apikey=${key}`
    const cases = [
      [await post(app, { type: 'text/xml' }), 415],
      [await post(app, { type: 'application/json', body: '{}' }), 415],
      [await post(app, { type: 'application/xmlx' }), 415],
      [await post(app, { type: 'application/xml; charset=utf-16' }), 415],
      [await post(app, { body: `<!--${'x'.repeat(16_384)}-->${search}` }), 413],
      [await post(app, { path: '/services/other' }), 404],
      [await post(app, { path: '/services/certificatesearch/', type: 'text/plain' }), 404],
      [await app.inject(url('/services/certificatesearch')), 405],
      [await app.inject({ method: 'DELETE', url: url('/services/retrievecertificate') }), 405],
      [await post(app, { path: '/lists/0123456789abcdef.crl', type: 'text/plain' }), 405],
      [await app.inject(url('/lists/0123456789abcdef.crl')), 404],
      [await app.inject(url('/authorities/..%2f..%2fetc.crt')), 404],
      [await app.inject(url('/')), 404],
    ] as const
    for (const [{ statusCode, headers, body }, status] of cases) {
      assert.equal(statusCode, status, body)
      assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
      assert.match(body, /^[\w /-]+\n$/)
      assert.equal(headers.allow, status === 405 ? (body.includes('GET') ? 'GET' : 'POST') : undefined)
    }
    assert.deepEqual(
      logged().map(line => line.status),
      cases.map(([, status]) => status),
    )
  })

  it('takes a charset of UTF-8 in any case', async () => {
    for (const type of ['application/xml;charset=UTF-8', 'Application/XML; charset="utf-8"']) {
      assert.equal((await post(door(), { type })).statusCode, 402, type)
    }
  })

  it('is an incident number and nothing else when the fault is ours, and the log says which', async () => {
    const broken = new Error('the store is gone: secret detail')
    const asking = {
      query: (statement: { name?: string }) =>
        statement.name === 'party_of_api_key' ? test.store.query(statement as never) : Promise.reject(broken),
    }
    const app = door({ store: asking as RepositoryDoor['store'] })
    const faults = [
      await post(app),
      await post(app, { path: '/services/retrievecertificate', body: retrieve }),
      await app.inject(`/lists/0123456789abcdef.crl?apikey=${key}`),
      await post(door({ store: { query: () => Promise.reject(broken) } })),
    ]
    for (const { statusCode, headers, body } of faults) {
      assert.deepEqual([statusCode, headers['content-type']], [500, 'text/plain; charset=utf-8'])
      const [, incident] = /^incident ([0-9a-f]{16})\n$/.exec(body)!
      const line = logged().find(one => one.incident === incident)
      assert.equal(line.err.message, broken.message)
      assert.equal(logged().filter(one => one.reference === line.reference && one.status === 500).length, 1)
    }
  })
})

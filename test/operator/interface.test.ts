/** The operator API as an interface: its description, strict requests, repetitions, and who is let in at all. */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { groups } from '../../src/doors/operator/groups.ts'
import { statusOf } from '../../src/doors/operator/problem.ts'
import { operatorRefusals } from '../../src/doors/operator/refusals.ts'
import { registrationRefusals } from '../../src/rooms/registration/refusals.ts'
import { type OperatorOffice, openOperatorOffice, paper, refusal } from './office.ts'

describe('The operator API', () => {
  let office: OperatorOffice
  before(async () => {
    office = await openOperatorOffice()
  })
  after(() => office.close())

  const json = { 'content-type': 'application/json' }
  /** The handshake ends it. */
  const refused = { code: /ECONNRESET|EPROTO|EPIPE|ERR_SSL/ }
  const problem = (text: string) => JSON.parse(text) as { code: string; status: number; detail: string }

  it('is described in OpenAPI 3.1, with mutual TLS as what opens it, every route with its answers', async () => {
    const description = await office.description()
    assert.equal(description.openapi, '3.1.0')
    assert.deepEqual(description.security, [{ officer: [] }])
    assert.equal(description.components.securitySchemes.officer?.type, 'mutualTLS')
    assert.deepEqual(
      description.tags.map(tag => tag.name),
      groups.map(group => group.name),
    )
    const operations = Object.entries(description.paths).flatMap(([path, of]) =>
      Object.entries(of).map(([method, operation]) => ({ path, method, operation })),
    )
    assert.ok(operations.length >= 40, `${operations.length} operations`)
    for (const { path, method, operation } of operations) {
      const which = `${method} ${path}`
      assert.match(path, /^\/1\.0\//)
      assert.ok(operation.summary.length > 5 && operation.tags.length === 1, which)
      assert.ok(operation.responses['200'] ?? operation.responses['201'], which)
      assert.ok(operation.responses.default?.content['application/problem+json'], which)
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const parameters = operation.parameters ?? []
      assert.deepEqual(
        parameters.filter(one => one.in === 'path').map(one => one.name),
        named,
        which,
      )
      const content = operation.requestBody?.content
      // A file is what it is; everything else is JSON, field by field.
      const file = content !== undefined && !content['application/json']
      const schema = content?.['application/json']?.schema
      assert.equal(schema?.additionalProperties, method === 'get' || file ? undefined : false, which)
    }
  })

  it('has a status for every code that it gives of its own, and those of the rooms', () => {
    for (const [code, { status }] of Object.entries({ ...operatorRefusals, ...registrationRefusals })) {
      assert.equal(statusOf(code), status)
    }
    assert.equal(statusOf('CR:CC8'), 400)
  })

  it('lets nobody in without a certificate, or with one that the IKI did not make', async () => {
    await assert.rejects(office.raw({ path: '/1.0/self' }), refused)
    await assert.rejects(office.raw({ path: '/openapi.json' }), refused)
    await assert.rejects(office.raw({ as: join(office.home, 'tls', 'server'), path: '/1.0/self' }), refused)
    assert.ok(office.log.filter(line => line.includes('a handshake was refused')).length >= 3)
  })

  const unfit: Record<string, { body?: string; status: number; code: string; headers?: Record<string, string> }> = {
    'a field that is not described': {
      body: '{"data":{"name":"A"},"admin":true}',
      status: 400,
      code: 'REQUEST_UNFIT',
    },
    'a field within that is not described': {
      body: '{"data":{"name":"A","office":"RA_MANAGER"}}',
      status: 400,
      code: 'REQUEST_UNFIT',
    },
    'a number for a text': { body: '{"data":{"name":5}}', status: 400, code: 'REQUEST_UNFIT' },
    'a prototype': { body: '{"__proto__":{"x":1},"data":{"name":"A"}}', status: 400, code: 'REQUEST_UNFIT' },
    'no JSON': { body: '{"data":', status: 400, code: 'REQUEST_UNFIT' },
    nothing: { status: 400, code: 'REQUEST_UNFIT' },
    XML: { body: '<data/>', status: 415, code: 'REQUEST_NOT_JSON', headers: { 'content-type': 'application/xml' } },
    text: { body: 'name', status: 415, code: 'REQUEST_NOT_JSON', headers: { 'content-type': 'text/plain' } },
    'too much': {
      body: `{"data":{"name":"${'A'.repeat(70_000)}"}}`,
      status: 413,
      code: 'REQUEST_TOO_LONG',
    },
  }
  for (const [says, { body, status, code, headers = json }] of Object.entries(unfit)) {
    it(`refuses a body that is ${says}, as a problem with its code`, async () => {
      const sent = { as: 'ra-clerk-1', method: 'POST', path: '/1.0/persons', headers }
      const answer = await office.raw({ ...sent, ...(body !== undefined && { body }) })
      assert.match(answer.headers['content-type']!, /^application\/problem\+json\b/)
      assert.equal(answer.headers['cache-control'], 'no-store')
      assert.deepEqual([answer.status, problem(answer.text).code], [status, code])
      assert.ok(!answer.text.includes('AAAA'))
    })
  }

  it('refuses an address that is none, a number that is none, a query that it does not know', async () => {
    const clerk = office.as('ra-clerk-1')
    const not = async (path: string) => problem((await office.raw({ as: 'ra-clerk-1', path })).text).code
    assert.equal(await not('/1.0/nothing'), 'NOTHING_THERE')
    assert.equal(await not('/1.0/tasks/0'), 'REQUEST_UNFIT')
    assert.equal(await not('/1.0/tasks/1e3'), 'REQUEST_UNFIT')
    assert.equal(await not('/1.0/tasks/9999999999'), 'REQUEST_UNFIT')
    assert.equal(await not('/1.0/tasks?everyone=1'), 'REQUEST_UNFIT')
    await assert.rejects(clerk.ask('GET', '/tasks/2147483647'), refusal('TASK_UNKNOWN'))
    await assert.rejects(clerk.ask('GET', '/organisations/2147483647'), refusal('PARTY_UNKNOWN'))
  })

  it('does once what is sent again under one key, and refuses another request under it', async () => {
    const clerk = office.as('ra-clerk-1')
    const ask = (name: string, once: string, as = clerk) =>
      as.ask<{ person: string }>('POST', '/persons', { data: { name } }, { once })
    const [first, same] = await Promise.all([ask('Ann', 'retry-0001'), ask('Ann', 'retry-0001')])
    assert.equal(first.person, same.person)
    assert.equal((await ask('Ann', 'retry-0001')).person, first.person)
    await assert.rejects(ask('Bob', 'retry-0001'), refusal('RETRY_KEY_REUSED'))
    // A key is one caller's own; a refusal is an answer, and is repeated too.
    assert.notEqual((await ask('Ann', 'retry-0001', office.as('ra-clerk-2'))).person, first.person)
    await assert.rejects(ask('', 'retry-0002'), refusal('PERSON_UNFIT'))
    await assert.rejects(ask('', 'retry-0002'), refusal('PERSON_UNFIT'))
    await assert.rejects(ask('Ann', 'short'), refusal('REQUEST_UNFIT'))
    office.pass(3_600_001)
    assert.notEqual((await ask('Ann', 'retry-0001')).person, first.person)
  })

  it('tells nothing of a fault but a reference, under which it stands in the log', async () => {
    const { store } = office.rooms
    await store.query('ALTER TABLE notice RENAME TO notice_away')
    try {
      const answer = await office.raw({ as: 'ra-clerk-1', path: '/1.0/notices' })
      assert.equal(answer.status, 500)
      const { code, reference } = JSON.parse(answer.text) as { code: string; reference: string }
      assert.equal(code, 'FAULT')
      assert.match(reference, /^[0-9a-f]{12}$/)
      assert.ok(!/relation|notice_away|\.ts|SELECT/.test(answer.text), answer.text)
      assert.ok(office.log.some(line => line.includes(reference)))
    } finally {
      await store.query('ALTER TABLE notice_away RENAME TO notice')
    }
  })

  it('does not show the caller of one office what belongs to another, and asks who of two offices acts', async () => {
    const manager = office.as('ra-manager-1')
    const { person } = await office.as('pma-member-1').ask<{ person: string }>('GET', '/self')
    const nomination = { person, office: 'RA_MANAGER', evidence: paper }
    const { task } = await manager.ask<{ task: number }>('POST', '/nominations', nomination)
    const one = await manager.ask<{ digest: string; due: { evidence: string[] } }>('GET', `/tasks/${task}`)
    await office.as('ra-clerk-1').ask('POST', `/tasks/${task}/verification`, {
      digest: one.digest,
      level: 3,
      evidence: one.due.evidence.map(kind => ({ kind, reference: 'file' })),
    })
    await office.as('pma-member-2').ask('POST', `/tasks/${task}/approval`, { digest: one.digest })
    const both = office.as('pma-member-1')
    assert.deepEqual((await both.ask('GET', '/self')).offices, ['RA_MANAGER', 'PMA_MEMBER'])
    const words = { words: 'looked up' }
    const path = `/persons/${person}/consultation`
    await assert.rejects(both.ask('POST', path, words), refusal('OFFICE_UNCLEAR'))
    await assert.rejects(both.ask('POST', path, words, { office: 'PMA_MEMBER' }), refusal('NOT_FOR_THIS_OFFICE'))
    const known = await both.ask('POST', path, words, { office: 'RA_MANAGER' })
    assert.equal(known.name, 'Pat Member')
  })

  it('refuses a certificate that has run out, on a connection that was open before', async () => {
    await office.as('ra-clerk-2').ask('GET', '/self')
    const { credential } = await office.as('ra-clerk-2').ask<{ credential: { until: string } }>('GET', '/self')
    office.pass(Date.parse(credential.until) - office.rooms.hands.clock().getTime() + 1000)
    const late = office.as('ra-clerk-2').ask('GET', '/self')
    await assert.rejects(late, { code: 'CREDENTIAL_NOT_IN_USE', message: /it is expired$/ })
  })
})

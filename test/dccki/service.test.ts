/** An environment with a DCCKI and both S1SPKIs, made by `smki init` and served as a whole: its door is a process of its own. */

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readList } from '../../src/ground/x509/list.ts'
import { showName } from '../../src/ground/x509/name.ts'
import { homeAt } from '../../src/main/home.ts'
import { init } from '../../src/main/init.ts'
import { type Service, serve } from '../../src/main/serve.ts'
import { main } from '../../src/main/smki.ts'
import { systemClock } from '../../src/main/world.ts'

describe('an environment with a DCCKI', () => {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-dccki-service-'))
  const home = homeAt(join(folder, 'home'))
  const transcript: string[] = []
  let service: Service
  before(async () => {
    await init(home, {
      environment: 'dccki service',
      kind: 'test',
      with: ['dccki', 's1spki-foc', 's1spki-moc'],
      log2N: 10,
      settings: {
        dccki: { port: 0 },
        services: { devicePort: 0, repositoryPort: 0, operatorPort: 0, journalPort: null },
        issuing: { threads: 1 },
      },
      witness: line => void transcript.push(line),
    })
    service = await serve(home)
  })
  after(async () => {
    await service?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is made in one ceremony, every authority of the three with its list', () => {
    const said = transcript.join('\n')
    for (const part of ['Root DCCKICA', 'EII DCCKICA', 'FOC Operator Root CA', 'MOC Operator Issuing CA'])
      assert.match(said, new RegExp(`^${part}: O=`, 'm'))
    for (const list of ['DCCKI ARL', 'DCCKI CRL', 'S1SPKI FOC ARL', 'S1SPKI MOC CRL'])
      assert.match(said, new RegExp(`^ {2}${list} number 1, valid`, 'm'))
  })

  it('serves the DCCKI beside the rest, and a Party finds the lists there', async () => {
    assert.ok(service.ports.dccki && service.processes.dccki !== service.processes.operator)
    const credentials = join(home.credentials, 'import-supplier')
    const file = (ending: string) =>
      readFileSync(join(credentials, readdirSync(credentials).find(name => name.endsWith(ending))!))
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    request(
      {
        host: '127.0.0.1',
        port: service.ports.dccki,
        path: '/dccki/crl/eii-dcckica.crl',
        ca: readFileSync(join(home.tls, 'ca.crt.pem')),
        cert: file('adhoc-ws.crt.pem'),
        key: file('adhoc-ws.key.pem'),
        agent: false,
      },
      async answer => resolve(Buffer.concat(await answer.toArray())),
    )
      .on('error', reject)
      .end()
    const list = readList(await promise)
    assert.match(showName(list.issuer), /EII DCCKICA/)
  })

  it('is given one more Operator Root CA by a ceremony of its own', async () => {
    await service.stop()
    let said = ''
    let code = 0
    const argv = ['ceremony', 'operator-root', '--pki', 's1spki-moc', '--home', home.path]
    await main(argv, {
      out: text => {
        said += text
      },
      err: text => {
        said += text
      },
      exit: given => {
        code = given
      },
      clock: systemClock,
    })
    assert.equal(code, 0, said)
    assert.match(said, /^MOC Operator Issuing CA: O=MOC S1SP, OU=MOC, CN=Operator Issuing CA 2/m)
    assert.ok(readdirSync(home.ceremony).some(name => name.endsWith('-operator-root.md')))
  })
})

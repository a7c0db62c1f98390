/** A test SMKI that serves, as a whole and for real: its home, its processes, and clients with their credentials. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SaxesParser } from 'saxes'
import { type BatchItem, makeBatchXml } from '../../simulator/batch.ts'
import { type Client, openClient } from '../../src/doors/cli/client.ts'
import { resultPath, submitPath } from '../../src/doors/device-csr/batch.ts'
import { type Act, readEntry } from '../../src/ground/journal/entry.ts'
import { openSoftwareKeyStore, type SoftwareKeyStore } from '../../src/ground/keystore/software.ts'
import type { Store } from '../../src/ground/store/store.ts'
import { type Home, homeAt } from '../../src/main/home.ts'
import { init } from '../../src/main/init.ts'
import { type Service, serve } from '../../src/main/serve.ts'
import { type OpenedStore, openHomeStore, systemChance, systemClock } from '../../src/main/world.ts'
import type { Hands } from '../../src/rooms/authority/issue-one.ts'
import { judge } from '../xsd.ts'

const schema = (name: string) =>
  judge(new URL(`../../src/doors/device-csr/schema/${name}-1.0.xsd`, import.meta.url))
const judges = { adHoc: schema('AdHocDeviceCSR'), batch: schema('PortalCSRBatch') }

export type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>

const freePorts = { devicePort: 0, repositoryPort: 0, plainRepositoryPort: 0, journalPort: 0, operatorPort: 0 }

/** A made home in a folder of its own; `remove` takes both away. */
export async function makeHome(settings: Settings = {}): Promise<{ home: Home; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-service-'))
  const home = homeAt(join(folder, 'home'))
  await init(home, {
    environment: 'service tests',
    kind: 'test',
    with: [],
    log2N: 10,
    settings: { ...settings, services: { ...freePorts, ...settings.services } },
    witness: () => {},
  })
  return { home, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** An answer of the web services, read by another parser than ours, and valid against the schema. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly root: string
  /** As it stands after parsing; undefined where there is none. */
  readonly id: string | undefined
  /** The text of the first element of each name. */
  readonly fields: Readonly<Record<string, string>>
  readonly items: readonly Item[]
}

export interface Item {
  readonly id: string
  readonly status: string
  readonly certificate?: Buffer
  readonly code?: string
  readonly text?: string
}

export interface Environment {
  readonly home: Home
  readonly service: Service
  readonly store: Store
  readonly hands: Hands
  readonly keys: SoftwareKeyStore
  client(party: string, credential: 'adhoc-ws' | 'batch-ws'): Client
  /** Posts a document to the Ad Hoc service. */
  adHoc(document: string | Buffer, party?: string): Promise<Answer>
  /** One CSR through the Ad Hoc service. */
  ask(csr: Uint8Array, party?: string): Promise<Answer>
  submit(document: string | Buffer | AsyncIterable<Buffer>, party?: string): Promise<Answer>
  /** Submits those requests, which must be accepted. @returns the BatchId */
  send(items: Iterable<BatchItem>, party?: string, id?: string): Promise<bigint>
  result(batch: bigint | number | string, party?: string): Promise<Answer>
  /** Asks again and again until the batch is in that state. */
  until(batch: bigint, state: string, party?: string): Promise<Answer>
  /** Stops, changes settings, and starts again. */
  restart(change?: Settings): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
  /** Works on the store alone, while the service is stopped. */
  onStore<T>(work: (store: Store) => Promise<T>): Promise<T>
  /** Everything that the journal says, in order of writing. */
  acts(): Promise<Act[]>
  close(): Promise<void>
}

export async function serving(settings: Settings = {}): Promise<Environment> {
  const { home, remove } = await makeHome(settings)
  const clients = new Map<string, Client>()
  let service: Service
  let opened: OpenedStore
  let keys: SoftwareKeyStore

  async function start(): Promise<void> {
    service = await serve(home)
    try {
      opened = await openHomeStore(home, { share: true, max: 4 })
      const passphrase = readFileSync(home.issuingPassphrase)
      keys = openSoftwareKeyStore({ path: home.issuingKeys, passphrase, chance: systemChance, allowWeak: true })
    } catch (cause) {
      // Its programs would go on without us, and keep the tests from ending.
      await service.stop()
      throw cause
    }
  }
  async function stop(): Promise<void> {
    for (const client of clients.values()) client.close()
    clients.clear()
    keys.close()
    await opened.close()
    await service.stop()
  }
  try {
    await start()
  } catch (cause) {
    remove()
    throw cause
  }

  const environment: Environment = {
    home,
    get service() {
      return service
    },
    get store() {
      return opened.store
    },
    get hands() {
      return { store: opened.store, clock: systemClock, chance: systemChance }
    },
    get keys() {
      return keys
    },
    client(party, credential) {
      const name = `${party}/${credential}`
      const known = clients.get(name)
      if (known) return known
      const folder = join(home.credentials, party)
      const client = openClient({
        folder,
        credential,
        host: '127.0.0.1',
        port: service.ports.device!,
        connections: 4,
      })
      clients.set(name, client)
      return client
    },
    async adHoc(document, party = 'import-supplier') {
      const { adHocPath } = service.settings.services
      return read(await environment.client(party, 'adhoc-ws').post(adHocPath, document), judges.adHoc)
    },
    ask: (csr, party) => environment.adHoc(adHocDocument(csr), party),
    async submit(document, party = 'meter-maker') {
      return read(await environment.client(party, 'batch-ws').post(submitPath, document), judges.batch)
    },
    async send(items, party, id = 'batch') {
      const { fields, text } = await environment.submit(makeBatchXml(items, { id }), party)
      if (fields.BatchStatus !== 'PENDING') throw new Error(`not accepted: ${text}`)
      return BigInt(fields.BatchId!)
    },
    async result(batch, party = 'meter-maker') {
      return read(await environment.client(party, 'batch-ws').get(`${resultPath}?BatchId=${batch}`), judges.batch)
    },
    async until(batch, state, party) {
      for (let look = 0; ; look++) {
        const answer = await environment.result(batch, party)
        if (answer.fields.BatchStatus === state) return answer
        if (look === 3000) throw new Error(`batch ${batch} is still ${answer.fields.BatchStatus}, and not ${state}`)
        await sleep(20)
      }
    },
    async restart(change = {}) {
      await stop()
      changeSettings(home, change)
      await start()
    },
    stop,
    start,
    async onStore(work) {
      const alone = await openHomeStore(home, { share: false, max: 1 })
      try {
        return await work(alone.store)
      } finally {
        await alone.close()
      }
    },
    async acts() {
      const { rows } = await opened.store.query<{ octets: Buffer }>(
        'SELECT id, octets FROM journal_entry UNION ALL SELECT id, octets FROM journal_pending ORDER BY id',
      )
      return rows.map(row => readEntry(row.octets))
    },
    async close() {
      await stop()
      remove()
    },
  }
  return environment
}

export function changeSettings(home: Home, change: Settings): void {
  const config = JSON.parse(readFileSync(home.config, 'utf8')) as Record<string, Record<string, unknown>>
  for (const [group, values] of Object.entries(change)) config[group] = { ...config[group], ...values }
  writeFileSync(home.config, JSON.stringify(config))
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** For the inside of an attribute. */
export const escaped = (text: string): string => text.replace(/[&<"\t\r\n]/g, c => `&#${c.charCodeAt(0)};`)

export function adHocDocument(csr: Uint8Array, id = 'request'): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><DeviceCertificateSigningRequest ID="${escaped(id)}">` +
    `<Version>1.0</Version><CertificateSigningRequest>${Buffer.from(csr).toString('base64')}` +
    '</CertificateSigningRequest></DeviceCertificateSigningRequest>'
  )
}

interface Incoming extends AsyncIterable<Buffer> {
  readonly statusCode?: number | undefined
}

async function read(answer: Incoming, judge: (document: string) => string | undefined): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  const status = answer.statusCode ?? 0
  if (status !== 200) return { status, text, root: '', id: undefined, fields: {}, items: [] }
  const fault = judge(text)
  if (fault !== undefined) throw new Error(`an answer is not valid: ${fault}: ${text.slice(0, 1000)}`)
  return { status, text, ...parsed(text) }
}

function parsed(text: string): Pick<Answer, 'root' | 'id' | 'fields' | 'items'> {
  const fields: Record<string, string> = {}
  const items: Item[] = []
  const ids: (string | undefined)[] = []
  const open: string[] = []
  let root = ''
  let content = ''
  let item: Record<string, string> | undefined
  const parser = new SaxesParser()
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length === 0) {
      root = name
      ids.push(attributes.ID)
    }
    if (name === 'DeviceCertificate') item = { id: attributes.ID! }
    open.push(name)
    content = ''
  })
  parser.on('text', part => {
    content += part
  })
  parser.on('closetag', ({ name }) => {
    open.pop()
    if (name === 'DeviceCertificate' && item) {
      const { id, Status, Certificate, ErrorCode, ErrorText } = item
      items.push({
        id: id!,
        status: Status!,
        ...(Certificate !== undefined && { certificate: Buffer.from(Certificate, 'base64') }),
        ...(ErrorCode !== undefined && { code: ErrorCode, text: ErrorText! }),
      })
      item = undefined
    } else if (item) item[name] = content
    else fields[name] ??= content
  })
  parser.write(text).close()
  return { root, id: ids[0], fields, items }
}

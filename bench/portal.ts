/** Pages of the Portal: how long the server takes for each, beside the bare queries that the page needs; and the first page's weight. */

import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { resolve } from 'node:path'
import { pino } from 'pino'
import { portalDoor } from '../src/doors/portal/door.ts'
import { listen, plainListener } from '../src/ground/http/listen.ts'
import { parseVerifierKey } from '../src/ground/journal/note.ts'
import { openStore, type Store } from '../src/ground/store/store.ts'
import { build } from '../src/main/build.ts'
import { homeAt } from '../src/main/home.ts'
import { sampleZip } from '../src/main/sample-zip.ts'
import { testIdentities } from '../src/main/test-identities.ts'
import { systemChance, systemClock } from '../src/main/world.ts'
import { listSchedules } from '../src/policy/revocation/schedules.ts'
import { bySerial } from '../src/rooms/repository/by-serial.ts'
import { howMany } from '../src/rooms/repository/find.ts'
import { bench, type Context, nth, rounded, shown } from './bench.ts'
import { type Environment, withEnvironment, withService } from './environment.ts'
import { draw } from './sample.ts'

interface PageFigures {
  /** Milliseconds from the request to the last octet of the page. */
  readonly p50: number
  readonly p95: number
  readonly queries: number
  /** Milliseconds that the same queries take by themselves, one after another. */
  readonly bareQueries: number
  /** `bareQueries` by `p50`: 1 would be a page that costs nothing beside its queries. */
  readonly ratioToBareQueries: number
}

interface PortalFigures {
  readonly certificates: number
  /** Of the list that is looked at last; none in an environment that somebody has. */
  readonly entries: number
  readonly pages: Readonly<Record<string, PageFigures>>
  /** The slowest page's. */
  readonly p95: number
  /** Of the first page with its style and script, as a browser receives them. */
  readonly firstPageKilobytes: number
  readonly [key: string]: unknown
}

export const portal = bench({
  says: 'server time of the Portal’s pages, beside the bare queries that each needs',
  options: { home: '', count: 2000, requests: 100, entries: 1_000_000 },
  quick: { count: 100, requests: 10, entries: 10_000 },
  promises: [
    {
      says: 'slowest page of the Portal, p95',
      unit: 'ms',
      atMost: 50,
      figure: (one: PortalFigures) => one.p95,
      beside: ({ pages, certificates }) => {
        const [name, page] = Object.entries(pages).toSorted(([, a], [, b]) => b.p95 - a.p95)[0]!
        return `${name}; its queries alone ${shown(page.bareQueries, 1)} ms; ${shown(certificates)} certificates`
      },
    },
    {
      says: 'first page of the Portal with all that it loads',
      unit: 'kB',
      atMost: 150,
      figure: (one: PortalFigures) => one.firstPageKilobytes,
    },
  ],
  run: run,
  table: (figures: PortalFigures) => [
    ['page', 'p50, ms', 'p95, ms', 'queries', 'bare queries, ms', 'ratio'],
    ...Object.entries(figures.pages).map(([name, one]) => [
      name,
      shown(one.p50, 1),
      shown(one.p95, 1),
      String(one.queries),
      shown(one.bareQueries, 1),
      shown(one.ratioToBareQueries, 2),
    ]),
    ['slowest p95, ms', '', shown(figures.p95, 1), '', '', ''],
    ['first page in all, kB', shown(figures.firstPageKilobytes, 1), '', '', '', ''],
  ],
})

async function run({ home: path, count, requests, entries }: Sizes, context: Context): Promise<PortalFigures> {
  const work = (environment: Environment) => served(environment, { home: path, count, requests, entries }, context)
  return path === '' ? withEnvironment(context, count, work) : withService(context, homeAt(resolve(path)), work)
}

async function served(environment: Environment, sizes: Sizes, context: Context): Promise<PortalFigures> {
  const heard = listening(await openStore(environment.target, { max: 8 }))
  const app = plainListener({
    idleSeconds: 300,
    headSeconds: 30,
    requestSeconds: 600,
    bodyOctets: 131_072,
    connections: 100,
    tls13: false,
  })
  const { home, settings } = environment
  portalDoor(app, {
    store: heard.store,
    clock: systemClock,
    chance: systemChance,
    rules: settings.registration,
    revocation: settings.revocation,
    schedules: listSchedules(settings),
    settings,
    signers: [],
    journalKeys: [parseVerifierKey(readFileSync(home.journalKey, 'utf8').trim())],
    build,
    log: pino({ enabled: false }),
    entry: 'test',
    testIdentities: await testIdentities(home, environment.store),
  })
  const port = await listen(app, '127.0.0.1', 0)
  try {
    return await measured(environment, `http://127.0.0.1:${port}`, heard, sizes, context)
  } finally {
    await app.close()
    await heard.store.close()
  }
}

async function measured(
  { store }: Environment,
  origin: string,
  heard: Heard,
  { home, count, requests, entries }: Sizes,
  { say, signal }: Context,
): Promise<PortalFigures> {
  const maker = await entered(origin, 'meter-maker')
  const clerk = await entered(origin, 'ra-clerk-1')
  const member = await entered(origin, 'pma-member-1')
  say('submitting a batch, as a newcomer does')
  const zip: Buffer[] = []
  for await (const piece of sampleZip(count, systemClock, systemChance)) zip.push(piece)
  const form = new FormData()
  form.append('token', await tokenOf(origin, '/officer/batches/new', maker))
  form.append('zip', new Blob([new Uint8Array(Buffer.concat(zip))]), 'devices.zip')
  const sent = await fetch(`${origin}/officer/batches/new`, {
    method: 'POST',
    body: form,
    headers: { cookie: maker },
    redirect: 'manual',
  })
  const batch = sent.headers.get('location')!.split('/').at(-1)!
  const decide = `/registration/batches/${batch}`
  const body = new URLSearchParams({ token: await tokenOf(origin, decide, clerk), do: 'approve' })
  await fetch(`${origin}${decide}`, { method: 'POST', body, headers: { cookie: clerk }, redirect: 'manual' })
  for (;;) {
    signal.throwIfAborted()
    const { rows } = await store.query<{ state: string }>('SELECT state FROM batch WHERE id = $1', [batch])
    if (rows[0]!.state === 'COMPLETED') break
    await new Promise(go => setTimeout(go, 50))
  }
  const { rows } = await store.query<{ authority: number; serial: string; eui64: string }>(
    "SELECT authority, encode(serial, 'hex') AS serial, encode(eui64, 'hex') AS eui64 FROM certificate WHERE family = 1 ORDER BY signing DESC, position LIMIT 1",
  )
  const { authority, serial, eui64 } = rows[0]!
  // And one of any age, where there are many.
  const old = (await draw(store, 1))[0]!
  const { rows: found } = await store.query<{ authority: number; at: Date }>(
    `SELECT c.authority, s.at FROM certificate c JOIN signing s ON s.id = c.signing WHERE ${bySerial('$1::bytea')}`,
    [old.serial],
  )
  const oldPath = `/repository/certificates/${found[0]!.authority}/${old.serial.toString('hex').toUpperCase()}`
  const day = (at: Date) => `${at.getUTCDate()}/${at.getUTCMonth() + 1}/${at.getUTCFullYear()}`
  const dayOfOld = `from=${day(found[0]!.at)}&until=${day(found[0]!.at)}`
  const certificate = `/repository/certificates/${authority}/${serial.toUpperCase()}`
  const paths: Readonly<Record<string, readonly [path: string, cookie: string]>> = {
    'test identities': ['/', ''],
    home: ['/home', maker],
    batches: ['/officer/batches', maker],
    'a batch of its size': [`/officer/batches/${batch}`, maker],
    'batches that wait': ['/registration/batches', clerk],
    'search by EUI-64': [`/repository/certificates?eui64=${eui64}`, maker],
    'search by kind and dates': ['/repository/certificates?family=device&from=1/1/2020', maker],
    certificate: [certificate, maker],
    'certificate in the journal': [`${certificate}/journal`, maker],
    'certificate of any age': [oldPath, maker],
    'it in the journal': [`${oldPath}/journal`, maker],
    'search by EUI-64, of any age': [`/repository/certificates?eui64=${old.eui64.toString('hex')}`, maker],
    'search by a day': [`/repository/certificates?${dayOfOld}`, maker],
    'search for organisations': ['/repository/certificates?family=organisation', maker],
    'search for what is not in use': ['/repository/certificates?family=device&status=N', maker],
    lists: ['/repository/lists', maker],
    'a list': ['/repository/lists/2', maker],
    documents: ['/repository/documents', maker],
    credentials: ['/account/credentials', maker],
    'search of the RA': [`/registration/search?q=${eui64}`, clerk],
    tasks: ['/registration/tasks', clerk],
    organisations: ['/registration/organisations', clerk],
    revocations: ['/registration/revocations', clerk],
    anomalies: ['/registration/anomalies', clerk],
    hierarchies: ['/operations/hierarchies', clerk],
    'work queue': ['/operations/queue', clerk],
    'list watch': ['/operations/lists', clerk],
    journal: ['/operations/journal', clerk],
    performance: ['/governance/performance', member],
  }
  const pages: Record<string, PageFigures> = {}
  for (const [name, [path, cookie]] of Object.entries(paths)) {
    say(`measuring ${name}`)
    signal.throwIfAborted()
    pages[name] = await onePage(origin + path, cookie, heard, requests)
  }
  // What somebody has is not filled with what was never revoked.
  if (home === '') {
    say(`putting ${entries} entries on a list`)
    await filled(store, 2, entries)
    pages['a list of so many entries'] = await onePage(`${origin}/repository/lists/2`, maker, heard, requests)
    pages['in the middle of it'] = await onePage(`${origin}/repository/lists/2?from=8`, maker, heard, requests)
  }
  return {
    certificates: await howMany(store),
    entries: home === '' ? entries : 0,
    pages,
    p95: Math.max(...Object.values(pages).map(one => one.p95)),
    firstPageKilobytes: rounded((await weightOf(origin)) / 1000, 1),
  }
}

/** The current list of an authority, as if it named so many. */
async function filled(store: Store, authority: number, entries: number): Promise<void> {
  await store.query(
    `INSERT INTO revoked (authority, serial, at, reason, expires_at)
     SELECT $1, decode(md5(n::text), 'hex'), now(), 1, now() + interval '1 year' FROM generate_series(1, $2::int) n`,
    [authority, entries],
  )
  // A list of its own number, so that nothing counted before is remembered.
  await store.query(
    `UPDATE list SET number = number + 1, covers = (SELECT max(seq) FROM revoked WHERE authority = $1)
      WHERE authority = $1 AND superseded_at IS NULL`,
    [authority],
  )
}

interface Sizes {
  /** An environment that has certificates; by default one is made. */
  readonly home: string
  readonly count: number
  readonly requests: number
  readonly entries: number
}

async function onePage(url: string, cookie: string, heard: Heard, requests: number): Promise<PageFigures> {
  // Once for what is compiled and remembered; once to hear which queries there are.
  await octetsOf(url, cookie)
  heard.queries.length = 0
  await octetsOf(url, cookie)
  const queries = [...heard.queries]
  const times: number[] = []
  const bare: number[] = []
  // In turns, so that whatever else the machine does meets both.
  for (let i = 0; i < requests; i++) {
    const began = performance.now()
    await octetsOf(url, cookie)
    times.push(performance.now() - began)
    const from = performance.now()
    for (const query of queries) await heard.again(query)
    bare.push(performance.now() - from)
  }
  const p50 = nth(times, 0.5)
  const bareQueries = nth(bare, 0.5)
  return {
    p50: rounded(p50, 2),
    p95: rounded(nth(times, 0.95), 2),
    queries: queries.length,
    bareQueries: rounded(bareQueries, 2),
    ratioToBareQueries: rounded(bareQueries / p50, 3),
  }
}

interface Heard {
  readonly store: Store
  readonly queries: Parameters<Store['query']>[]
  again(query: Parameters<Store['query']>): Promise<unknown>
}

/** A store that remembers what it was asked. */
function listening(store: Store): Heard {
  const queries: Parameters<Store['query']>[] = []
  const listener = <T extends { query: Store['query'] }>(to: T): T =>
    new Proxy(to, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown
        if (name === 'query')
          return (...query: Parameters<Store['query']>) => {
            queries.push(query)
            return target.query(...query)
          }
        if (name === 'transaction')
          return (work: (client: never) => Promise<unknown>) =>
            (target as unknown as Store).transaction(client => work(listener(client as never)))
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value
      },
    })
  return { store: listener(store), queries, again: query => store.query(...query) }
}

async function entered(origin: string, identity: string): Promise<string> {
  const answer = await fetch(origin, {
    method: 'POST',
    body: new URLSearchParams({ identity }),
    redirect: 'manual',
  })
  return answer.headers.get('set-cookie')!.split(';')[0]!
}

async function tokenOf(origin: string, path: string, cookie: string): Promise<string> {
  const text = await (await fetch(origin + path, { headers: { cookie } })).text()
  return [...text.matchAll(/name="token" value="([^"]*)"/g)].at(-1)![1]!
}

/** The first page, and everything that it loads. */
async function weightOf(origin: string): Promise<number> {
  const page = (await octetsOf(`${origin}/`, '')).toString()
  const parts = [...page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path!)
  const script = await (await fetch(`${origin}${parts.find(path => path.endsWith('.js'))}`)).text()
  parts.push(/import\('([^']+)'\)/.exec(script)![1]!)
  let octets = page.length
  for (const path of parts) octets += (await octetsOf(origin + path, '')).length
  return octets
}

/** As they come over the wire. @throws Error unless it is there */
function octetsOf(url: string, cookie: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = { 'accept-encoding': 'gzip, br', ...(cookie && { cookie }) }
    request(url, { headers }, async answer => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk)
      if (answer.statusCode === 200) resolve(Buffer.concat(chunks))
      else reject(new Error(`${url} answered ${answer.statusCode}`))
    })
      .on('error', reject)
      .end()
  })
}

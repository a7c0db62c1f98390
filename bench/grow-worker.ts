/** A thread that fills a store: groups of real Device Certificates, written as the issuing of a batch leaves them. */

import { parentPort, workerData } from 'node:worker_threads'
import { type Entry, entry } from '../src/ground/journal/entry.ts'
import { leafHash, rootOf } from '../src/ground/journal/merkle.ts'
import { attachKeyStore, type KeyStoreGrant } from '../src/ground/keystore/attach.ts'
import { copyInto } from '../src/ground/store/copy.ts'
import { type Client, type Connection, openStore } from '../src/ground/store/store.ts'
import { assembleCertificate } from '../src/ground/x509/assemble.ts'
import { keyIdentifier } from '../src/ground/x509/key.ts'
import { systemChance, systemClock } from '../src/main/world.ts'
import { conform } from '../src/policy/conform.ts'
import { profileNamed } from '../src/policy/hierarchies.ts'
import type { Settings } from '../src/policy/settings.ts'
import { planFor } from '../src/rooms/authority/plan.ts'
import { authorities } from '../src/rooms/authority/register.ts'
import { serialNumbers } from '../src/rooms/authority/serial.ts'
import { authority } from '../src/rooms/authority/sign.ts'
import { certificateColumns, families, slotsOf, usages } from '../src/rooms/repository/register.ts'
import { eui64Of, type GroupPlan, type Grown, groupPlan, groupsOf } from './grown.ts'
import { keyPoints } from './key-points.ts'

export interface GrowStart {
  readonly target: Connection | string
  readonly settings: Settings
  readonly grant: KeyStoreGrant
  readonly grown: Grown
}

/** To the worker: the number of a group. From it: one is written, or what went wrong. */
export type GrowTold = { readonly written: number } | { readonly fault: string }

const { target, settings, grant, grown } = workerData as GrowStart
const slot = 72
/** That of the simulator's Devices. */
const hwType = '1.2.826.0.1.8641679.1.2.2.1'
const store = await openStore(target, { max: 3 })
const keys = attachKeyStore(grant, systemChance, systemClock)
const profile = profileNamed(settings, 'Device Certificate')
const registered = await authorities(store)
const serial = serialNumbers(systemChance)
const nextKey = keyPoints()
const pickupMs = settings.issuing.pickupDays * 86_400_000

const issuers = new Map<number, ReturnType<typeof openIssuer>>()
function openIssuer(id: number) {
  const { keyLabel, certificate } = registered.find(one => one.id === id)!
  return {
    keyLabel,
    certificate,
    plan: planFor(profile, certificate),
    checked: authority(keys, keyLabel, certificate),
  }
}
function issuer(id: number) {
  const open = issuers.get(id) ?? openIssuer(id)
  issuers.set(id, open)
  return open
}

/** The event loop has its turn meanwhile: another group is being written. */
async function make(plan: GroupPlan) {
  const by = issuer(plan.dca)
  const rows: Parameters<typeof copyInto>[3] extends Iterable<infer Row> ? Row[] : never = []
  const tbs: Buffer[] = []
  const signatures: Uint8Array[] = []
  const ders: Buffer[] = []
  for (let position = 0; position < plan.count; position++) {
    if (position % 50 === 49) await new Promise(resolve => setImmediate(resolve))
    const eui64 = eui64Of(plan.firstDevice + (position >> 1))
    const usage = position % 2 === 0 ? 'digitalSignature' : 'keyAgreement'
    const wanted = {
      profile,
      issuer: by.certificate,
      serial: serial(),
      moment: plan.moment,
      subject: {},
      publicKey: nextKey(),
      usage,
      hardwareModule: { hwType, hwSerialNum: eui64 },
    } as const
    const conforming = conform(by.plan(wanted), wanted)
    // Of each group the first signature is checked, as every one is where it matters.
    const signature =
      position === 0 ? by.checked.sign(conforming).signature : keys.sign(by.keyLabel, conforming.tbs)
    signatures.push(signature)
    tbs.push(Buffer.from(conforming.tbs))
    ders.push(assembleCertificate(conforming.tbs, signature))
    rows.push([
      plan.signing,
      position,
      plan.dca,
      families.device,
      usages[usage === 'digitalSignature' ? 'DS' : 'KA'],
      null,
      plan.ordinal + (position % 2),
      eui64,
      wanted.serial,
      keyIdentifier(wanted.publicKey.subarray(26)),
      conforming.tbs,
    ])
  }
  return { rows, signatures, intended: hex(rootOf(tbs.map(leafHash))), issued: hex(rootOf(ders.map(leafHash))), by }
}

async function write(plan: GroupPlan): Promise<void> {
  const { rows, signatures, intended, issued } = await make(plan)
  const { party, count, moment } = plan
  const batch = String(plan.batch)
  const says = { party, batch, portion: plan.portion, count, signing: String(plan.signing) }
  const last = plan.portion === grown.groupsOfBatch - 1 || plan.number === groupsOf(grown) - 1
  const entries: (Entry | undefined)[] = [
    undefined,
    undefined,
    entry('intend', moment, { ...says, root: intended }),
    entry('issue', moment, { ...says, signedBy: keys.identity, root: issued, lodged: true }),
    last ? entry('batch completed', moment, { batch }) : undefined,
  ]
  await store.transaction(async client => {
    await client.query('SET LOCAL synchronous_commit = off')
    if (plan.portion === 0) entries.splice(0, 2, ...(await batchEntries(client, plan.batch)))
    await client.query({
      name: 'grow signing',
      text: `INSERT INTO signing (id, state, count, at, slot, signatures) OVERRIDING SYSTEM VALUE
             VALUES ($1, 'complete', $2, $3, $4, $5)`,
      values: [plan.signing, count, moment, slot, slotsOf(slot, signatures)],
    })
    await copyInto(client, 'certificate', certificateColumns, rows)
    for (const [i, octets] of entries.entries()) {
      if (!octets) continue
      await client.query({
        name: 'grow entry',
        text: 'INSERT INTO journal_pending (id, octets) OVERRIDING SYSTEM VALUE VALUES ($1, $2)',
        values: [plan.entry + BigInt(i), octets],
      })
    }
    if (moment.getTime() > grown.until - pickupMs) await keepPortion(client, plan)
    // One of two thousand was withdrawn by its Subscriber a week later.
    if (plan.number % 2 === 1) await withdraw(client, plan)
  })
}

/** Of the batch that begins with this group, whose row is there since the beginning. */
async function batchEntries(client: Client, batch: bigint): Promise<[Entry, Entry]> {
  const { rows } = await client.query<{ party: number; count: number; received_at: Date; sha256: Buffer }>(
    'SELECT party, count, received_at, sha256 FROM batch WHERE id = $1',
    [batch],
  )
  const { party, count, received_at: at, sha256 } = rows[0]!
  return [
    entry('submit batch', at, { batch: String(batch), party, count, sha256: hex(sha256) }),
    entry('approve batch', at, { batch: String(batch), by: 'standing rule' }),
  ]
}

async function keepPortion(client: Client, plan: GroupPlan): Promise<void> {
  const results = Array.from({ length: plan.count }, (_, position) => [
    `csr-${plan.portion * grown.groupSize + position + 1}`,
    position,
  ])
  await client.query({
    name: 'grow portion',
    text: `INSERT INTO portion (batch, number, count, items, state, attempts, signing, results)
           VALUES ($1, $2, $3, '', 'done', 1, $4, $5)`,
    values: [plan.batch, plan.portion, plan.count, plan.signing, JSON.stringify(results)],
  })
}

async function withdraw(client: Client, plan: GroupPlan): Promise<void> {
  const since = Math.min(plan.moment.getTime() + 7 * 86_400_000, grown.until)
  await client.query({
    name: 'grow withdrawn',
    text: 'INSERT INTO not_in_use (signing, position, since) VALUES ($1, $2, $3)',
    values: [plan.signing, plan.count >> 1, new Date(since)],
  })
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex')
}

parentPort!.on('message', (number: number | 'end') => {
  if (number === 'end') {
    keys.close()
    void store.close().then(() => parentPort!.close())
    return
  }
  write(groupPlan(grown, number)).then(
    () => parentPort!.postMessage({ written: number } satisfies GrowTold),
    (cause: Error) => parentPort!.postMessage({ fault: cause.stack ?? cause.message } satisfies GrowTold),
  )
})

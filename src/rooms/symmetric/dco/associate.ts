/** Associations: AARQ, AARE, pass 3 and pass 4, whole in the DCO, so that HLS is no oracle (smets1-keys.md section 5). */

import { fromHex, toHex } from '../../../ground/bytes.ts'
import { answerPass3, checkPass4, openAssociation as openApdu, readAnswer } from '../../../ground/dlms/associate.ts'
import { makeChallenge } from '../../../ground/dlms/challenge.ts'
import type { HlsKeys } from '../../../ground/dlms/hls.ts'
import type { Client } from '../../../ground/store/store.ts'
import { gathered } from '../gathered.ts'
import type { KeyState } from '../messages.ts'
import { type KeyRecord, keyIdOfRecord, readRecord, type SealedRecord } from '../record.ts'
import { no } from '../refusals.ts'
import { enclose, proofRead } from './command.ts'
import { floorOf, keepFloor, takeFor } from './counters.ts'
import { deviceOf, keyIn, keysOf, lockDevice, nextInOrder } from './devices.ts'
import { Conflict, type Planner, type Told } from './plan.ts'
import { admit, makeRecord } from './records.ts'
import { proven } from './resolve.ts'
import { enter, hlsInvoke, saysOf, step, storedAssociation } from './session.ts'

/** Conformance: get, set and action, normal. */
const conformance = 0x000019

export const openAssociation: Planner<'open-association'> = async asking => {
  const { hands, module, s1sp, question, now, openings } = asking
  const { device, client } = question
  const known = await deviceOf(hands, s1sp.name, device)
  const owner = { device, holder: client }
  const ak = await admit(hands, s1sp.name, question.ak, { types: ['AK'], ...owner })
  const guek = await admit(hands, s1sp.name, question.guek, { types: ['GUEK'], ...owner })
  const keys = await keysOf(hands.store, device)
  const rows = [keyIn(keys, ak.record), keyIn(keys, guek.record)]
  // A Device can hold what it was offered, and what it has proven; nothing else.
  const wrong = rows.find(({ stage }) => stage !== 'offered' && stage !== 'active')
  if (wrong) throw no('KEY_STAGE', `the ${wrong.type} is ${wrong.stage}`)
  if (question.dedicated && known.model.dedicatedKey === 'never') throw no('MODEL_CANNOT', 'a Dedicated Key')

  const hls: HlsKeys = { cipher: module.cipher, key: openings.open(guek), ak: openings.open(ak) }
  const { counters, drawn } = await takeFor(asking, known.model, hls.key, 1, async () => {
    const association = toHex(hands.chance(16))
    const challenge = toHex(makeChallenge(hands.chance))
    return { association, challenge, dk: question.dedicated ? toHex((await makeDk(association)).octets) : null }
  })
  const { association, challenge, dk } = drawn
  const dkRecord = dk === null ? undefined : readRecord(fromHex(dk)).record
  const dedicated = dkRecord && (await admit(hands, s1sp.name, fromHex(dk!), { types: ['DK'], ...owner }))
  const counter = counters[0]!
  const apdu = openApdu(hls, counter, {
    challenge: fromHex(challenge),
    conformance,
    maxPdu: known.model.maxPdu,
    ...(dedicated && { dedicatedKey: openings.open(dedicated) }),
  })

  const probe = rows.some(({ stage }) => stage !== 'active') || keys.some(({ stage }) => stage === 'offered')
  const title = known.titleProven ? known.title : (question.title ?? known.title)
  const keep = async (db: Client): Promise<void> => {
    await lockDevice(db, device)
    const still = await keysOf(db, device)
    if ([ak, guek].some(({ record }, i) => keyIn(still, record).stage !== rows[i]!.stage)) {
      throw new Conflict('a key came to another stage meanwhile')
    }
    await kept(db, {
      id: fromHex(association),
      device: fromHex(device),
      client,
      opened: await nextInOrder(db),
      openedAt: now,
      ak: ak.record,
      guek: guek.record,
      dk: dkRecord ? fromHex(dkRecord.id) : null,
      challenge: fromHex(challenge),
      title: title ? Buffer.from(title) : null,
    })
  }
  const body = {
    device,
    client,
    association,
    ak: ak.record.id,
    guek: guek.record.id,
    dk: dkRecord?.id ?? null,
    generations: { ak: ak.record.generation, guek: guek.record.generation },
    counter: counter.value,
  }
  const tells: Told[] = [{ act: probe ? 'probe.sent' : 'association.opened', body }]
  return { content: { association, apdu: toHex(apdu), dk }, tells, keep }

  async function makeDk(association: string): Promise<SealedRecord> {
    const hsmKey = await hands.hsm.newestFor('DK', s1sp.name)
    const made = module.makeKey('DK', `${device}/${client}/DK/${association}`, hsmKey.label)
    openings.keep(made.key)
    const what = {
      device,
      holder: client,
      type: 'DK',
      generation: 0,
      packaged: made.packaged,
      association,
    } as const
    return makeRecord(hands, { ...what, hsmGeneration: hsmKey.generation })
  }
}

interface Opened {
  readonly id: Uint8Array
  readonly device: Uint8Array
  readonly client: string
  readonly opened: number
  readonly openedAt: Date
  readonly ak: KeyRecord
  readonly guek: KeyRecord
  readonly dk: Uint8Array | null
  readonly challenge: Uint8Array
  readonly title: Buffer | null
}

const kept = gathered<Client, Opened, void>(async (client, all) => {
  await client.query({
    name: 'dco open associations',
    text: `INSERT INTO dco_association (state, id, device, client, opened, opened_at, ak, guek, dk, ak_generation,
        guek_generation, challenge, title)
      SELECT 'opened', * FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::bigint[], $5::timestamptz[], $6::bytea[],
        $7::bytea[], $8::bytea[], $9::int[], $10::int[], $11::bytea[], $12::bytea[])`,
    values: [
      all.map(({ id }) => id),
      all.map(({ device }) => device),
      all.map(({ client }) => client),
      all.map(({ opened }) => opened),
      all.map(({ openedAt }) => openedAt),
      all.map(({ ak }) => fromHex(ak.id)),
      all.map(({ guek }) => fromHex(guek.id)),
      all.map(({ dk }) => dk),
      all.map(({ ak }) => ak.generation),
      all.map(({ guek }) => guek.generation),
      all.map(({ challenge }) => challenge),
      all.map(({ title }) => title),
    ],
  })
})

export const answerAssociation: Planner<'answer-association'> = async asking => {
  const { question, s1sp } = asking
  const session = await enter(asking, 'opened')
  const { association, hls, guek } = session
  const keyId = keyIdOfRecord(guek)
  const expected = association.title ?? undefined
  // 1. The AARE. Its title, if none is known, is that under which its own tag holds.
  const floor = await floorOf(asking, keyId, expected ?? Buffer.alloc(8))
  const opening = {
    title: s1sp.title,
    challenge: association.challenge,
    floor,
    ...(expected && { peerTitle: expected }),
  }
  let answered = readAnswer(hls, question.apdu, opening)
  if (!expected) {
    // The floor is that of the title, which is known only now.
    const own = await floorOf(asking, keyId, answered.title)
    answered = readAnswer(hls, question.apdu, { ...opening, floor: own })
    opening.floor = own
  }

  // 2. Pass 3, under two counters: the bare answer stays inside.
  const { model } = association.device
  const { counters } = await takeFor(asking, model, hls.key, 2, () => ({}))
  const [inner, outer] = counters as [(typeof counters)[0], (typeof counters)[0]]
  const apdu = answerPass3(hls, { inner, outer }, answered.challenge, { invoke: hlsInvoke, framing: model.framing })

  const { title } = answered
  const keep = async (db: Client): Promise<void> => {
    await step(db, association, { state: 'answered', title, awaiting: null })
    await keepFloor(db, keyId, title, opening.floor, answered.floor)
  }
  const body = { ...saysOf(session), counter: outer.value }
  return {
    content: { apdu: toHex(apdu), title: toHex(title) },
    tells: [{ act: 'association.answered', body }],
    keep,
  }
}

export const finishAssociation: Planner<'finish-association'> = async asking => {
  const { question, s1sp } = asking
  const session = await enter(asking, 'answered')
  const { association, hls, guek } = session
  const title = association.title!
  const keyId = keyIdOfRecord(guek)
  const floor = await floorOf(asking, keyId, title)
  // Verified, this is an answer to our own fresh challenge: the Device holds GUEK and AK now.
  const after = checkPass4(
    hls,
    question.apdu,
    { title: s1sp.title, challenge: association.challenge, peerTitle: title, floor },
    hlsInvoke,
  )
  // What follows goes out only when this is kept, and so under keys that are proven.
  const read = question.read ? await enclose(asking, session, proofRead.plain()) : undefined
  const content = { proven: [] as KeyState[], changed: [] as KeyState[], apdu: read?.apdu ?? null }
  const tells: Told[] = [{ act: 'reply.verified', body: { ...saysOf(session), pass: 4 } }]
  if (read) {
    const body = { ...saysOf(session), counter: read.counter, service: proofRead.awaiting.what }
    tells.push({ act: 'command.protected', body })
  }
  return {
    content,
    tells,
    keep: async db => {
      await lockDevice(db, association.device.device)
      await step(db, association, { state: 'proven', awaiting: read ? proofRead.awaiting : null })
      await keepFloor(db, keyId, title, floor, after)
      const outcome = await proven(db, asking, association)
      Object.assign(content, { proven: outcome.proven, changed: outcome.changed })
      return outcome.tells
    },
  }
}

export const closeAssociation: Planner<'close-association'> = async ({ hands, s1sp, question }) => {
  const row = await storedAssociation(hands.store, question.association)
  if (!row || row.state === 'closed') throw no('ASSOCIATION_UNKNOWN')
  const { device } = row
  await deviceOf(hands, s1sp.name, device)
  return {
    content: {},
    tells: [{ act: 'association.closed', body: { device, association: question.association } }],
    keep: db => closed(db, question.association),
  }
}

const closed = gathered<Client, string, void>(async (client, ids) => {
  await client.query({
    name: 'dco close associations',
    text: "UPDATE dco_association SET state = 'closed', version = version + 1 WHERE id = ANY ($1)",
    values: [ids.map(fromHex)],
  })
})

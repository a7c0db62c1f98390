/** Associations: AARQ, AARE, pass 3 and pass 4, whole in the DCO, so that HLS is no oracle (smets1-keys.md section 5). */

import { fromHex, toHex } from '../../../ground/bytes.ts'
import { answerPass3, checkPass4, openAssociation as openApdu, readAnswer } from '../../../ground/dlms/associate.ts'
import { makeChallenge } from '../../../ground/dlms/challenge.ts'
import type { HlsKeys } from '../../../ground/dlms/hls.ts'
import type { Client } from '../../../ground/store/store.ts'
import { keyIdOfRecord, readRecord, type SealedRecord } from '../record.ts'
import { no } from '../refusals.ts'
import { floorOf, keepFloor, takeFor } from './counters.ts'
import { deviceOf, keyIn, keysOf, lockDevice, nextInOrder } from './devices.ts'
import { Conflict, type Planner, type Told } from './plan.ts'
import { admit, makeRecord } from './records.ts'
import { proven } from './resolve.ts'
import { enter, saysOf, step } from './session.ts'

/**
 * The invoke-id of pass 3, and of nothing else: its reply carries f(CtoS), and whoever could have it deciphered as a reply
 * to a command would see a challenge answer. Id 15, confirmed, high priority.
 */
export const hlsInvoke = 0xcf

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
    await db.query({
      name: 'dco open association',
      text: `INSERT INTO dco_association (id, device, client, state, opened, opened_at, ak, guek, dk, ak_generation,
          guek_generation, challenge, title) VALUES ($1, $2, $3, 'opened', $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      values: [
        fromHex(association),
        fromHex(device),
        client,
        await nextInOrder(db),
        now,
        fromHex(ak.record.id),
        fromHex(guek.record.id),
        dkRecord ? fromHex(dkRecord.id) : null,
        ak.record.generation,
        guek.record.generation,
        fromHex(challenge),
        title ? Buffer.from(title) : null,
      ],
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
  const content = { proven: [] as never[], changed: [] as never[] }
  return {
    content,
    tells: [{ act: 'reply.verified', body: { ...saysOf(session), pass: 4 } }],
    keep: async db => {
      await lockDevice(db, association.device.device)
      await step(db, association, { state: 'proven', awaiting: null })
      await keepFloor(db, keyId, title, floor, after)
      const outcome = await proven(db, asking, association)
      Object.assign(content, { proven: outcome.proven, changed: outcome.changed })
      return outcome.tells
    },
  }
}

export const closeAssociation: Planner<'close-association'> = async ({ hands, s1sp, question }) => {
  const { rows } = await hands.store.query<{ device: Buffer; state: string }>(
    'SELECT device, state FROM dco_association WHERE id = $1',
    [fromHex(question.association)],
  )
  const row = rows[0]
  if (!row || row.state === 'closed') throw no('ASSOCIATION_UNKNOWN')
  const device = toHex(row.device)
  await deviceOf(hands, s1sp.name, device)
  return {
    content: {},
    tells: [{ act: 'association.closed', body: { device, association: question.association } }],
    keep: async db => {
      await db.query("UPDATE dco_association SET state = 'closed', version = version + 1 WHERE id = $1", [
        fromHex(question.association),
      ])
    },
  }
}

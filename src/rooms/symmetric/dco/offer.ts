/** Offers: key_transfer, formed by the DCO and by nobody else, with new keys wrapped under the Device's MK (6.2). */

import { fromHex } from '../../../ground/bytes.ts'
import { writeActionRequest } from '../../../ground/dlms/action.ts'
import { usualInvoke } from '../../../ground/dlms/request.ts'
import { keyTransfer, wrapForTransfer } from '../../../ground/dlms/setup.ts'
import type { TransferKey } from '../../../ground/keystore/dlms-cipher.ts'
import type { Client } from '../../../ground/store/store.ts'
import { keyedClients, lastingTypes } from '../../../policy/symmetric/keys.ts'
import { gathered } from '../gathered.ts'
import { no } from '../refusals.ts'
import { enclose } from './command.ts'
import { type KeyRow, keyIn, keysOf, lockDevice, nextInOrder, stateOf } from './devices.ts'
import { Conflict, type Planner, type Told } from './plan.ts'
import { type Admitted, admit } from './records.ts'
import { enter, saysOf, step } from './session.ts'

export const offerKeys: Planner<'offer-keys'> = async asking => {
  const { hands, s1sp, question, openings } = asking
  const session = await enter(asking, 'proven')
  const { association } = session
  const { device, model } = association.device
  const rows = await keysOf(hands.store, device)

  // 1. The MK: one that the Device holds, or was offered and is now to be proven.
  const mk = await admit(hands, s1sp.name, question.mk, { types: ['MK'], device, holder: 'device' })
  const mkRow = keyIn(rows, mk.record)
  if (mkRow.stage !== 'active' && mkRow.stage !== 'offered') throw no('KEY_STAGE', `the MK is ${mkRow.stage}`)

  // 2. The new keys: of this Device, of one holder, made. One that was offered may be offered again, for it is the same
  //    key: a broadcast key cannot be probed for, and where the key before it is lost nothing but the new one can be
  //    proven. An MK that was taken would not open what is wrapped under the one before it.
  const keys: { admitted: Admitted<TransferKey['type']>; row: KeyRow }[] = []
  for (const octets of question.keys) {
    const admitted = await admit(hands, s1sp.name, octets, { types: lastingTypes, device })
    const row = keyIn(rows, admitted.record)
    const again = row.type !== 'MK' && row.stage === 'offered'
    if (row.stage !== 'made' && !again) throw no('KEY_STAGE', `the ${row.type} is ${row.stage}`)
    keys.push({ admitted, row })
  }
  const holder = keys[0]!.row.holder
  const types = new Set(keys.map(({ row }) => row.type))
  if (keys.some(({ row }) => row.holder !== holder) || types.size !== keys.length) throw no('RECORD_WRONG_DEVICE')
  if (keys.length > 1 && model.keyTransfer === 'one-key') throw no('MODEL_CANNOT', 'several keys in one transfer')

  // 3. Where they go: the Security Setup of the client whose keys they are; an MK through that of the client itself.
  const via = association.client
  const target = keyedClients.find(client => client === holder) ?? via
  if (!model.mayWriteSetupOf[via].includes(target)) throw no('MODEL_CANNOT', `${via} sets no keys of ${target}`)
  const opened = keys.map(({ admitted }) => openings.open(admitted)) as TransferKey[]
  const transfer = keyTransfer(
    model.clients[target].securitySetup,
    wrapForTransfer(asking.module.cipher, openings.open(mk), opened),
  )
  const plain = writeActionRequest(transfer)
  const { apdu, counter } = await enclose(asking, session, plain).finally(() => plain.fill(0))

  // 4. Kept before anything is sent: from now on the Device may have them.
  const keep = async (db: Client): Promise<void> => {
    await lockDevice(db, device)
    const offered = keys.map(({ row }) => row.record)
    await step(db, association, {
      state: 'proven',
      awaiting: { service: 'action-response', invoke: usualInvoke, what: 'offer', offered },
    })
    const place = await nextInOrder(db)
    const offer = { device, records: offered, place, via, opened: association.opened, mk: mk.record.generation }
    if ((await kept(db, offer)) !== keys.length) throw new Conflict('a key came to another stage meanwhile')
  }
  const tells = keys.map(({ row }): Told => {
    const { type, record, generation, ground, reference } = row
    const body = { ...saysOf(session), keyType: type, holder, record, to: generation, ground, reference }
    return { act: 'key.offered', body: { ...body, counter, mk: mk.record.id } }
  })
  const states = keys.map(({ row }) => ({ ...stateOf(row), stage: 'offered' as const }))
  return { content: { apdu, keys: states }, tells, keep }
}

interface Offer {
  readonly device: string
  readonly records: readonly string[]
  readonly place: number
  readonly via: string
  /** The place of the association that it goes through. */
  readonly opened: number
  readonly mk: number
}

/**
 * In the place of the client that an offer went through, when the same key was offered through another before: whatever
 * becomes of one of the two, the other can still be taken, so it is given up on no proof but that of the key itself.
 */
const severalClients = 'several'

/** @returns of each how many of its keys are offered now */
const kept = gathered<Client, Offer, number>(async (client, offers) => {
  const rows = offers.flatMap(offer => offer.records.map(record => ({ ...offer, record })))
  const { rows: changed } = await client.query<{ record: string }>({
    name: 'dco offer',
    text: `UPDATE dco_key k SET stage = 'offered', offered = o.place, offered_in = o.opened,
        under_mk = o.mk, fenced = NULL, offered_via = CASE coalesce(k.offered_via, o.via) WHEN o.via THEN o.via
          ELSE '${severalClients}' END
      FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::text[], $5::bigint[], $6::int[])
        AS o (device, record, place, via, opened, mk)
      WHERE k.device = o.device AND k.record = o.record AND k.stage IN ('made', 'offered')
      RETURNING encode(k.record, 'hex') AS record`,
    values: [
      rows.map(({ device }) => fromHex(device)),
      rows.map(({ record }) => fromHex(record)),
      rows.map(({ place }) => place),
      rows.map(({ via }) => via),
      rows.map(({ opened }) => opened),
      rows.map(({ mk }) => mk),
    ],
  })
  const done = new Set(changed.map(({ record }) => record))
  return offers.map(({ records }) => records.filter(record => done.has(record)).length)
})

/** Recovery commands made and responses verified a second, beside the bare signatures of the platform in the same run. */

import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { join } from 'node:path'
import { cellsOf } from '../simulator/smets2/cells.ts'
import { type Bytes, toHex, view } from '../src/ground/bytes.ts'
import { showCell } from '../src/ground/gbcs/cell.ts'
import { readMessage, writeMessage } from '../src/ground/gbcs/message.ts'
import { plainSignature } from '../src/ground/gbcs/protect.ts'
import { startEmbedded } from '../src/ground/store/embedded.ts'
import { migrate } from '../src/ground/store/migrate.ts'
import { openStore } from '../src/ground/store/store.ts'
import { parseSettings } from '../src/main/home.ts'
import { begin, openDrill, playSteps } from '../src/main/recovery-drill.ts'
import { layDownWave, type Play } from '../src/main/recovery-work.ts'
import { systemChance } from '../src/main/world.ts'
import { requireAnswer } from '../src/rooms/recovery/answer.ts'
import { applyOutcome } from '../src/rooms/recovery/apply.ts'
import { draftOctets, type Material, signedMessage, targetsOf } from '../src/rooms/recovery/build.ts'
import { beginWave, workRound } from '../src/rooms/recovery/campaign.ts'
import { holding } from '../src/rooms/recovery/cells.ts'
import { materialOf } from '../src/rooms/recovery/replacements.ts'
import type { Carrier } from '../src/rooms/recovery/send.ts'
import { bench, rounded, shown } from './bench.ts'

/** Smart meters of Great Britain when the roll-out is done: what a recovery of everything would be. */
const fleet = 30_000_000
const rounds = 300

export const recovery = bench({
  says: 'recovery commands (8 certificates each) made and responses verified, beside bare ECDSA; and through the store',
  options: { count: 2000 },
  async run({ count }, { folder, say }) {
    const embedded = await startEmbedded(join(folder, 'store'), { chance: systemChance, temporary: true })
    const store = await openStore(embedded.connection, { max: 4 })
    try {
      await migrate(store, new URL('../src/ground/store/migrations/', import.meta.url))
      say('making the Devices')
      const play = await openDrill({
        procedure: 'issuing-oca',
        devices: count,
        settings: parseSettings('{"environment": "bench", "kind": "test"}', 'the bench'),
        store,
        folder,
        chance: systemChance,
        begins: new Date(),
        faults: {},
      })
      await begin(play)
      await playSteps(play, undefined, 'send commands')
      await layDownWave(play, 1)
      await beginWave(play.hands, play.people.manager, play.event)
      const material = await store.transaction(client => materialOf(client, play.event, 1))
      say('making and verifying, without a store')
      const alone = withoutStore(play, material)
      say('through the store')
      const through = await throughStore(play)
      play.pki.close()
      const perSecond = 1 / (1 / through.commandsPerSecond + 1 / through.answersPerSecond)
      return {
        ...alone,
        ...through,
        // A command and a question, and the answers to both: the work for a Device that is recovered and proven.
        hoursFor30Million: rounded((2 * fleet) / perSecond / 3600, 1),
      }
    } finally {
      await store.close()
      await embedded.stop()
    }
  },
  table: figures => Object.entries(figures).map(([name, figure]) => [name, shown(figure, figure < 100 ? 2 : 0)]),
})

/**
 * Ours and the bare primitive take turns in short rounds, and the best of each counts: what else runs on the machine makes
 * rounds slower, and none faster. One thread, no store: drafting, signing and writing a command; reading, verifying and judging its answer.
 */
function withoutStore(play: Play, material: Material): Record<string, number> {
  const device = [...play.field.devices.values()].find(one => one.inventory.kind === 'ESME')!
  const cells = cellsOf.ESME.map(cell => holding(cell, device.device.held(cell)!))
  const targets = targetsOf(cells, material)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const key = createPrivateKey(privateKey.export({ format: 'pem', type: 'sec1' }))
  const signer = (octets: Bytes) => sign('sha256', octets, key)
  const originator = Buffer.from('90b3d51f50000001', 'hex')
  let counter = 1n
  const make = () => {
    const draft = {
      device: device.device.id,
      mode: 8,
      originator,
      counter: counter++,
      targets,
      path: material.path,
    }
    const octets = draftOctets(draft)
    return signedMessage(octets, plainSignature(signer(octets)))
  }
  const answer = answerOf(play, make, spki, signer)
  const command = { ...answer.command, cells, attempts: 1, state: 'sending' }
  const judge = () => {
    const says = requireAnswer(readMessage(answer.octets), command, play.pki.broker)
    if (!('outcome' in says)) throw new Error('no outcome')
    applyOutcome(play.hands.recovery, command, says.outcome, material, new Date())
  }
  const [toSign, toVerify] = [make().subarray(1), answer.signed]
  const signature = sign('sha256', toVerify, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  const bare = () => {
    signer(toSign)
    // Each Device has a key of its own: it is read anew, as with ours.
    const own = createPublicKey({ key: view(spki), format: 'der', type: 'spki' })
    if (!verify('sha256', toVerify, { key: own, dsaEncoding: 'ieee-p1363' }, signature)) throw new Error('bare')
  }
  const each = 20
  const seconds = { ours: [] as number[], bare: [] as number[] }
  for (let round = -1; round < rounds; round++) {
    const ours = timed(each, () => {
      make()
      judge()
    })
    const theirs = timed(each, bare)
    // The first warms up.
    if (round < 0) continue
    seconds.ours.push(ours)
    seconds.bare.push(theirs)
  }
  const [ours, theirs] = [each / Math.min(...seconds.ours), each / Math.min(...seconds.bare)]
  return {
    commandsAndAnswersPerSecond: Math.round(ours),
    barePerSecond: Math.round(theirs),
    ratio: rounded(ours / theirs, 3),
    commandOctets: make().length,
  }
}

/** What a Device with that key answers to such a command: every cell replaced. */
function answerOf(play: Play, make: () => Buffer, spki: Buffer, signer: (octets: Bytes) => Buffer) {
  const { device } = [...play.field.devices.values()].find(one => one.inventory.kind === 'ESME')!
  const before = new Map(device.state.cells)
  const parts = readMessage(make())
  // The Device obeys the Recovery Private Key alone: for this one answer it is told that this key is it.
  const cell = cellsOf.ESME.find(one => one.role === 1)!
  const name = [...device.state.cells.keys()].find(one => one.startsWith('1 '))!
  device.state.cells.set(name, { ...device.held(cell)!, publicKey: spki })
  const reaction = device.receive(writeMessage(parts, plainSignature(signer(parts.signed))))
  device.state.cells.clear()
  for (const [key, anchor] of before) device.state.cells.set(key, anchor)
  device.state.counters.clear()
  if (!('answer' in reaction))
    throw new Error(`${toHex(device.state.id)} ${showCell(cell)}: ${JSON.stringify(reaction)}`)
  const message = readMessage(reaction.answer)
  return {
    octets: reaction.answer,
    signed: message.signed,
    command: {
      kind: 'update' as const,
      message_code: message.messageCode,
      counter: message.counter,
      signing_key: Buffer.from(device.publicKey),
      agreement_key: Buffer.from(device.agreementPublicKey),
    },
  }
}

/** The whole of it, each write in its transaction; the time that the Devices themselves take is left out. */
async function throughStore(play: Play): Promise<{ commandsPerSecond: number; answersPerSecond: number }> {
  let outside = 0
  let left = 0
  let came = 0
  const aside = async <T>(work: () => Promise<T>): Promise<T> => {
    const start = performance.now()
    try {
      return await work()
    } finally {
      outside += performance.now() - start
    }
  }
  const { carrier } = play.field
  const watched: Carrier = {
    send: messages => {
      left += messages.length
      return aside(() => carrier.send(messages))
    },
    received: () => Promise.resolve([]),
  }
  const signers = { parties: play.pki.parties, broker: play.pki.broker, awake: play.awake }
  const sending = performance.now()
  while ((await workRound(play.hands, play.event, signers, watched, 1000)).sent > 0);
  const sent = performance.now() - sending - outside
  const taking = performance.now()
  const taken = { ...watched, send: async () => {}, received: () => carrier.received() }
  came += (await workRound(play.hands, play.event, signers, taken, 0)).believed
  const took = performance.now() - taking
  return {
    commandsPerSecond: Math.round((left / sent) * 1000),
    answersPerSecond: Math.round((came / took) * 1000),
  }
}

function timed(count: number, work: () => void): number {
  const start = process.hrtime.bigint()
  for (let i = 0; i < count; i++) work()
  return Number(process.hrtime.bigint() - start) / 1e9
}

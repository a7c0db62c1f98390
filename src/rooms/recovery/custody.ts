/** Keys of the DCC that Key Custodians keep together: asleep, but for a ceremony under a decision in force. */

import { hash } from 'node:crypto'
import { type Bytes, equal, toHex } from '../../ground/bytes.ts'
import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import { digestOf, type Envelope, unite } from '../../ground/keystore/quorum.ts'
import { unwrapContingencyKey } from '../../ground/keystore/wrap.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Client } from '../../ground/store/store.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readApexContingencyKey } from '../../ground/x509/contingency.ts'
import { oids } from '../../ground/x509/names.ts'
import { decidedActOf } from '../../policy/recovery/cases.ts'
import { decisionOf, notInForce } from '../governance/decisions.ts'
import { type Actor, act, type Given, readGiven, requireOffice } from '../registration/act.ts'
import { revealed } from './build.ts'
import { type Kept, quorumKept } from './custodians.ts'
import { subjectOf, textOf } from './direction.ts'
import { heldEvent } from './event.ts'
import type { RecoveryHands } from './hands.ts'
import { no } from './refusals.ts'
import type { Directed } from './sign.ts'

/** A key that is awake. It signs what was written down under a direction that is in force, and nothing else. */
export interface Awake {
  readonly signs: 'recovery' | 'contingency'
  /** The decision that it woke for. */
  readonly decision: string
  /** SHA-256 of its SubjectPublicKeyInfo. */
  readonly key: Bytes
  /** 8 octets: the originator of its commands. */
  readonly originator: Bytes
  /** @throws Refusal KEY_ASLEEP, KEY_NOT_DIRECTED, DIRECTION_OTHER_KEY, DIRECTION_NOT_IN_FORCE */
  sign(command: Directed, at: Date): { readonly octets: Bytes; readonly signature: Bytes }
  /** Puts the key to sleep; what it did stands in the journal, with the hash of the transcript. @returns the transcript */
  sleep(): Promise<string>
}

export interface Waking {
  readonly event: string
  readonly decision: string
  /** Envelopes of the shares, as the Key Custodians brought them. */
  readonly envelopes: readonly Envelope[]
  /** Opens the key store by its passphrase, which stays this room's to zero. */
  readonly open: (passphrase: Bytes) => KeyStore
  /** Without, the key is looked for that the decision names. */
  readonly label?: string | undefined
  readonly originator: Bytes
  /** Of the Contingency Private Key: the shares of the Symmetric Key, and the Root OCA Certificate that Devices hold. */
  readonly symmetric?: { readonly envelopes: readonly Envelope[]; readonly root: Bytes } | undefined
}

/**
 * Wakes the Recovery or the Contingency Private Key for a ceremony.
 * @throws Refusal QUORUM_…, DIRECTION_NOT_IN_FORCE, DIRECTION_NEEDED, CUSTODY_UNKNOWN, SYMMETRIC_KEY_WRONG; each stands
 * in the journal, and the key has not woken
 */
export function wake(
  hands: RecoveryHands,
  by: Actor,
  which: 'recovery' | 'contingency',
  waking: Waking,
): Promise<Awake> {
  return act(hands, by, { act: 'wake key', says: { thing: which } }, async acting => {
    const { client, at, note } = acting
    requireOffice(acting.by, ['RA_MANAGER'], undefined)
    await heldEvent(client, waking.event, 'confirmed', 'running', 'paused')
    const decision = await decisionOf(client, waking.decision)
    const reason = decision ? notInForce(decision, at) : 'is unknown'
    if (reason !== undefined || !decision) throw no('DIRECTION_NOT_IN_FORCE', `${waking.decision} ${reason}`)
    const covers = decision.subjects.some(one => one === subjectOf(waking.event) || one === '*')
    if (!decision.acts.includes(decidedActOf[which]) || !covers) throw no('DIRECTION_NEEDED', waking.decision)

    const thing = which === 'recovery' ? 'recovery key' : 'contingency key'
    const secret = which === 'contingency' ? await symmetricKey(acting.client, waking) : undefined
    try {
      const keys = await openBy(client, thing, waking)
      try {
        const label = waking.label ?? labelOf(keys, textOf(decision).key)
        const publicKey = keys.publicKey(label)
        if (secret) requireOpens(secret, publicKey, waking.symmetric!.root)
        await endLeft(client, waking.event, at, thing)
        const custodians = waking.envelopes.map(one => one.holder)
        const { rows } = await client.query<{ id: number }>(
          `INSERT INTO recovery_ceremony (thing, event, decision, custodians, opened_at)
           VALUES ($1, $2, $3, $4, $5) RETURNING id`,
          [thing, waking.event, waking.decision, custodians, at],
        )
        const quorum = await quorumKept(client, thing, waking.envelopes[0]?.ceremony)
        await note('wake key', {
          thing,
          ceremony: rows[0]!.id,
          event: waking.event,
          decision: waking.decision,
          key: hash('sha256', publicKey, 'hex'),
          keyStore: keys.identity,
          custodians,
          record: digestOf(quorum),
        })
        return awake(hands, which, { ...waking, label }, keys, secret, { id: rows[0]!.id, at, custodians })
      } catch (cause) {
        keys.close()
        throw cause
      }
    } catch (cause) {
      secret?.fill(0)
      throw cause
    }
  })
}

async function openBy(
  client: Client,
  thing: Kept,
  { envelopes, open }: Pick<Waking, 'envelopes' | 'open'>,
): Promise<KeyStore> {
  const quorum = await quorumKept(client, thing, envelopes[0]?.ceremony)
  const passphrase = await unite(quorum, envelopes)
  try {
    return open(passphrase)
  } finally {
    passphrase.fill(0)
  }
}

async function symmetricKey(client: Client, { symmetric }: Waking): Promise<Buffer> {
  if (!symmetric) throw no('SYMMETRIC_KEY_WRONG', 'it is not here')
  const quorum = await quorumKept(client, 'symmetric key', symmetric.envelopes[0]?.ceremony)
  return unite(quorum, symmetric.envelopes)
}

/**
 * What shares open, for making, changing or destroying what is kept: nothing is signed by it, and that it was opened
 * stands in the journal. The caller zeroes it.
 * @param purpose a few words, for the journal
 * @throws Refusal QUORUM_…, CUSTODY_UNKNOWN, NOT_FOR_THIS_OFFICE
 */
export function uniteForMaking(
  hands: RecoveryHands,
  by: Actor,
  thing: Kept,
  envelopes: readonly Envelope[],
  purpose: string,
): Promise<Buffer> {
  return act(hands, by, { act: 'open custody', says: { thing: thing.replace(' ', '-') } }, async acting => {
    requireOffice(acting.by, ['RA_MANAGER'], undefined)
    const quorum = await quorumKept(acting.client, thing, envelopes[0]?.ceremony)
    const secret = await unite(quorum, envelopes)
    const custodians = envelopes.map(one => one.holder)
    await acting.note('open custody', { thing, purpose, custodians, record: digestOf(quorum) })
    return secret
  })
}

/** Puts on record that a key was destroyed in its store. */
export function recordDestroyed(hands: RecoveryHands, by: Actor, thing: Kept, label: string): Promise<void> {
  return act(hands, by, { act: 'destroy key' }, async acting => {
    requireOffice(acting.by, ['RA_MANAGER'], undefined)
    await acting.note('destroy key', { thing, label })
  })
}

/** The label of the key with that SHA-256. @throws Refusal DIRECTION_OTHER_KEY */
function labelOf(keys: KeyStore, wanted: string): string {
  const found = keys
    .labels()
    .find(label => keys.kind(label) !== 'secret' && hash('sha256', keys.publicKey(label), 'hex') === wanted)
  if (found === undefined) throw no('DIRECTION_OTHER_KEY', `it is not in ${keys.identity}`)
  return found
}

/**
 * Puts on record that keys are asleep whose process ended without a word: what it was awake with went with its memory.
 * @throws Refusal EVENT_UNKNOWN, NOT_FOR_THIS_OFFICE
 */
export function endLeftCeremonies(
  hands: RecoveryHands,
  by: Actor,
  event: string,
  given: Given = {},
): Promise<number> {
  return act(hands, by, { act: 'end ceremonies' }, async acting => {
    requireOffice(acting.by, ['RA_MANAGER'], undefined)
    await heldEvent(acting.client, event)
    const ended = await endLeft(acting.client, event, acting.at)
    await acting.note('end ceremonies', { event, ceremonies: ended, ...readGiven(given) })
    return ended.length
  })
}

/** What was signed is counted from the commands: each was kept before it left. */
async function endLeft(client: Client, event: string, at: Date, thing?: string): Promise<number[]> {
  const { rows } = await client.query<{ id: number }>(
    `UPDATE recovery_ceremony o SET closed_at = $2, refused = 0, transcript = 'the process that held the key ended',
       signatures = (SELECT count(*) FROM recovery_command c JOIN recovery_direction r ON r.id = c.direction
                      WHERE c.event = $1 AND r.decision = o.decision AND c.octets IS NOT NULL
                        AND c.intended_at >= o.opened_at)
      WHERE o.event = $1 AND o.closed_at IS NULL AND ($3::text IS NULL OR o.thing = $3) RETURNING o.id`,
    [event, at, thing ?? null],
  )
  return rows.map(row => row.id)
}

/** The check that every Device will make, before a Device makes it. @throws Refusal SYMMETRIC_KEY_WRONG */
function requireOpens(secret: Bytes, publicKey: Bytes, root: Bytes): void {
  const wrapped = readCertificate(root).extensions.find(one => one.oid === oids.wrappedApexContingencyKey)
  if (!wrapped || secret.length !== 16) throw no('SYMMETRIC_KEY_WRONG')
  try {
    if (!equal(unwrapContingencyKey(readApexContingencyKey(wrapped.value), secret), publicKey))
      throw no('SYMMETRIC_KEY_WRONG', 'it opens another key')
  } catch (cause) {
    if (cause instanceof Refusal && cause.code === 'WRAP_REFUSED') throw no('SYMMETRIC_KEY_WRONG')
    throw cause
  }
}

function awake(
  hands: RecoveryHands,
  which: Awake['signs'],
  { event, decision, label, originator }: Waking & { readonly label: string },
  keys: KeyStore,
  secret: Buffer | undefined,
  ceremony: { readonly id: number; readonly at: Date; readonly custodians: readonly string[] },
): Awake {
  const key = hash('sha256', keys.publicKey(label), 'buffer')
  /** SHA-256 of what was signed, by command: the same octets are signed again when they could not be kept. */
  const signed = new Map<bigint, string>()
  let refused = 0
  let isAwake = true
  const mayNot = (refusal: Refusal): never => {
    refused++
    throw refusal
  }
  return {
    signs: which,
    decision,
    key,
    originator,
    sign(command, at) {
      if (!isAwake) mayNot(no('KEY_ASLEEP'))
      if (!equal(command.key, key)) mayNot(no('DIRECTION_OTHER_KEY'))
      if (command.decision !== decision) mayNot(no('KEY_NOT_DIRECTED', 'it woke for another decision'))
      if (command.until && at >= command.until)
        mayNot(no('DIRECTION_NOT_IN_FORCE', `was in force until ${command.until.toISOString()}`))
      const digest = hash('sha256', command.octets, 'hex')
      const before = signed.get(command.command)
      if (before !== undefined && before !== digest) mayNot(no('KEY_NOT_DIRECTED', 'that command was another'))
      const octets = secret ? revealed(command.octets, secret) : command.octets
      const signature = keys.sign(label, octets)
      signed.set(command.command, digest)
      return { octets, signature }
    },
    async sleep() {
      if (!isAwake) throw no('KEY_ASLEEP')
      isAwake = false
      secret?.fill(0)
      const { identity } = keys
      keys.close()
      const at = hands.clock()
      const transcript = [
        `Ceremony ${ceremony.id}: the ${which} key, for ${event}, under ${decision}`,
        `woke ${ceremony.at.toISOString()} in ${identity} by ${ceremony.custodians.join(', ')}`,
        `SHA-256 of its public key ${toHex(key)}`,
        `signed ${signed.size} commands, refused ${refused}`,
        `asleep ${at.toISOString()}`,
        '',
      ].join('\n')
      const sha256 = hash('sha256', transcript, 'hex')
      await hands.store.transaction(async client => {
        await client.query(
          `UPDATE recovery_ceremony SET closed_at = $2, signatures = $3, refused = $4, transcript = $5 WHERE id = $1`,
          [ceremony.id, at, signed.size, refused, transcript],
        )
        const says = {
          ceremony: ceremony.id,
          event,
          decision,
          signatures: signed.size,
          refused,
          transcript: sha256,
        }
        await append(client, entry('key asleep', at, { ...says, by: 'recovery service' }))
      })
      return transcript
    },
  }
}

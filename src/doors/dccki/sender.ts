/** For whom a message speaks: an ARO's connection for himself; a system's by the FILE_SIGN credential that signed the message. */

import type { FastifyRequest } from 'fastify'
import { equal } from '../../ground/bytes.ts'
import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { authorities } from '../../rooms/authority/register.ts'
import type { Sender } from '../../rooms/issuance/dccki-sender.ts'
import { findBySerials } from '../../rooms/repository/find.ts'
import type { DcckiWorld } from './door.ts'
import { refuse } from './refusals.ts'
import { readDetached, signatureHolds } from './signature.ts'

/**
 * A function that finds for whom a message speaks. Whether the credential is one to sign with, and the Party's own, is looked up again by whoever acts.
 * @throws Refusal MESSAGE_UNFIT (no body), NOT_YOURS_TO_SEE (no Party's), SIGNATURE_MISSING, SIGNATURE_UNFIT,
 * SIGNATURE_WRONG, which is journalled
 */
export async function senderOf(world: DcckiWorld, request: FastifyRequest): Promise<Sender> {
  const { party, person, offices } = request.dccki
  const { body } = request
  if (party === undefined) throw refuse('NOT_YOURS_TO_SEE', 'a DCCKI Subscriber sends it')
  if (!Buffer.isBuffer(body)) throw refuse('MESSAGE_UNFIT', 'it is empty')
  if (person !== undefined && offices.includes('ARO')) return { aro: person, party }
  const text = request.headers['dccki-signature']
  if (typeof text !== 'string' || text === '') throw refuse('SIGNATURE_MISSING')
  const signature = readDetached(text)
  const der = await signerOf(world, signature)
  const spki = der && readCertificate(der).publicKey.spki
  if (!spki || !signatureHolds(signature, body, spki)) {
    await noteForgery(world, party)
    throw refuse('SIGNATURE_WRONG')
  }
  return { signedBy: { issuer: signature.issuer, serial: signature.serial }, party }
}

/** So often at most a Party's wrong signatures stand in the journal: it must not be able to fill it. */
const againMs = 3_600_000
const lastNoted = new WeakMap<DcckiWorld, Map<number, number>>()

async function noteForgery(world: DcckiWorld, party: number): Promise<void> {
  const at = world.clock()
  const noted = lastNoted.get(world) ?? new Map<number, number>()
  lastNoted.set(world, noted)
  world.log.warn({ code: 'SIGNATURE_WRONG', party }, 'a message was turned away')
  if (at.getTime() - (noted.get(party) ?? Number.NEGATIVE_INFINITY) < againMs) return
  noted.set(party, at.getTime())
  const says = { attempt: 'send DCCKI message', code: 'SIGNATURE_WRONG', party }
  await world.store.transaction(client => append(client, entry('refused', at, says)))
}

/** The signer's certificate, while it is in use: not expired, not revoked. */
async function signerOf(
  { store, clock }: DcckiWorld,
  { issuer, serial }: { readonly issuer: Uint8Array; readonly serial: Uint8Array },
): Promise<Buffer | undefined> {
  if (serial.length !== 16) return undefined
  const by = (await authorities(store)).find(one => one.pki === 'iki' && equal(one.certificate.subject.der, issuer))
  const found = await findBySerials(store, [serial], clock())
  return found.find(one => one.authority === by?.id && one.status === 'I')?.der
}

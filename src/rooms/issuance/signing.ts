/** What doors and the signer say to one another about Organisation and IKI Certificates, over the signer's sockets. */

import { type Channel, ChannelBroken } from '../../ground/channel.ts'

/** Of an approved submission: it is issued, or was. */
export interface OrganisationQuestion {
  readonly ask: 'organisation'
  readonly submission: bigint
}

/** Of an approved credential, with the CSR that was approved. */
export interface IkiQuestion {
  readonly ask: 'iki'
  readonly credential: number
  readonly csr: Uint8Array
}

/** Of an approved request of the DCCKI or an S1SPKI. */
export interface ProfiledQuestion {
  readonly ask: 'profiled'
  readonly request: bigint
}

export type RoomQuestion = OrganisationQuestion | IkiQuestion | ProfiledQuestion

/** The certificate, DER; or a stable code and its sentence. `CA:FF1`: not now, and it will be tried again by itself. */
export type RoomAnswer = { readonly certificate: Uint8Array } | { readonly code: string; readonly text: string }

/** Whatever else the signer is asked over the same channel. */
type Asking = Pick<Channel<RoomQuestion, RoomAnswer>, 'ask'>

/**
 * The certificate of a submission, which is `approved` or `issued`. It may be asked again: one certificate comes.
 * @returns codes of refusals.ts and of the registration room, `CA:FF1`
 */
export function askOrganisation(channel: Asking, submission: bigint): Promise<RoomAnswer> {
  return ask(channel, { ask: 'organisation', submission })
}

/**
 * The IKI Certificate of an approved credential (`readyCertificate`), from the CSR of the approved digest. It may be asked
 * again: one certificate comes.
 * @returns codes of csr.ts, refusals.ts and the registration room, `CA:FF1`
 */
export function askIki(channel: Asking, credential: number, csr: Uint8Array): Promise<RoomAnswer> {
  return ask(channel, { ask: 'iki', credential, csr: Uint8Array.from(csr) })
}

/** The certificate of a request, which is `approved` or `issued`. It may be asked again: one certificate comes. */
export function askProfiled(channel: Asking, request: bigint): Promise<RoomAnswer> {
  return ask(channel, { ask: 'profiled', request })
}

/** What the signer answers when it met a fault: what was approved is on record, and is issued as soon as it can be. */
export const notNow: RoomAnswer = {
  code: 'CA:FF1',
  text: 'the certification authority could not sign now: what was approved is issued as soon as it can, or asked for again',
}

async function ask(channel: Asking, question: RoomQuestion): Promise<RoomAnswer> {
  try {
    return await channel.ask(question)
  } catch (cause) {
    if (cause instanceof ChannelBroken) return notNow
    throw cause
  }
}

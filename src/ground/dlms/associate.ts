/** The client's side of an association with HLS mechanism 5, in its four passes (dlms.md section 4). */

import type { Bytes } from '../bytes.ts'
import type { Opened } from '../keystore/dlms-cipher.ts'
import { type Aare, authenticationRequired, readAare } from './aare.ts'
import { writeAarq } from './aarq.ts'
import { readActionResponse, writeActionRequest } from './action.ts'
import { checkPeerChallenge } from './challenge.ts'
import type { TakenCounter } from './counter.ts'
import { type Floor, raise } from './floor.ts'
import { answerChallenge, checkAnswer, type HlsKeys } from './hls.ts'
import { type InitiateResponse, readInitiateResponse, writeInitiateRequest } from './initiate.ts'
import { type Outside, protect } from './protect.ts'
import { refusal } from './refusals.ts'
import { type Removed, remove } from './remove.ts'
import { usualInvoke } from './request.ts'
import { checkPeerTitle } from './title.ts'

/** What the client wants of it. */
export interface Wanted {
  /** CtoS: ours, fresh. */
  readonly challenge: Bytes
  /** 24 bits. */
  readonly conformance: number
  readonly maxPdu: number
  readonly dedicatedKey?: Opened<'DK'>
}

/** What is needed to judge an answer. */
export interface Opening {
  /** Our title and our challenge, as they went out. */
  readonly title: Bytes
  readonly challenge: Bytes
  /** The title that the peer is known by, if it is. */
  readonly peerTitle?: Bytes
  readonly floor: Floor
}

/** What the server said: verified by the tag of its initiateResponse, except its challenge, which nothing protects. */
export interface Answered {
  readonly title: Bytes
  /** StoC. */
  readonly challenge: Bytes
  readonly initiate: InitiateResponse
  readonly floor: Floor
}

/** Pass 1: the AARQ. The counter was taken for the client's title. */
export function openAssociation(keys: HlsKeys, counter: TakenCounter, wanted: Wanted): Buffer {
  const { challenge, ...initiate } = wanted
  const text = writeInitiateRequest({ service: 'initiateRequest', ...initiate })
  const userInformation = protect(keys, counter, text)
  const authentication = { mechanism: hlsGmac, value: challenge }
  return writeAarq({ context: 'ciphered', title: counter.title, authentication, userInformation })
}

/**
 * Pass 2: judges the AARE. It proves nothing yet: an old one may have been sent again.
 * @throws Refusal DLMS_ASSOCIATION_REJECTED, DLMS_MECHANISM, DLMS_OWN_TITLE, DLMS_TITLE; those of `checkPeerChallenge`,
 * `readAare` and `remove`
 */
export function readAnswer(keys: HlsKeys, octets: Bytes, opening: Opening): Answered {
  const { title, challenge, initiate } = accepted(readAare(octets))
  checkPeerTitle(title, opening.title, opening.peerTitle)
  checkPeerChallenge(challenge, opening.challenge)
  const removed = remove(keys, initiate, { from: 'server', title, floor: opening.floor })
  if (removed.service !== 'initiateResponse') throw refusal('DLMS_SERVICE_MISMATCH', removed.service)
  return { title, challenge, initiate: readInitiateResponse(removed.text), floor: removed.floor }
}

/**
 * Pass 3: the ciphered action that carries f(StoC). Two counters, since one would repeat a nonce; the inner is the
 * lower one if it was taken first. The bare answer exists in here only.
 * @throws Error when the two have one value: a fault of ours
 * @param association the current association: 0.0.40.0.0.255 unless the model says otherwise
 */
export function answerPass3(
  keys: HlsKeys,
  counters: { readonly inner: TakenCounter; readonly outer: TakenCounter },
  challenge: Bytes,
  { association = currentAssociation, invoke = usualInvoke, ...outside }: Pass3 = {},
): Buffer {
  // One keeper cannot hand it out twice; two that do not know one another could.
  if (counters.inner.value === counters.outer.value) throw new Error('pass 3 was to repeat an invocation counter')
  const answer = answerChallenge(keys, counters.inner, challenge)
  const data = { type: 'octet-string', octets: answer } as const
  const member = { classId: associationClass, logicalName: association, member: replyToHls }
  const text = writeActionRequest({ service: 'action-request', invoke, ...member, data })
  try {
    return protect(keys, counters.outer, text, outside)
  } finally {
    answer.fill(0)
    text.fill(0)
  }
}

export interface Pass3 extends Pick<Outside, 'framing'> {
  readonly association?: string
  readonly invoke?: number
}

/**
 * Pass 4: the server's f(CtoS). When this returns, the server has shown that it holds GUEK and AK now.
 * @param opening with the floor after pass 2, and the peer's title
 * @returns the floor from now on
 * @throws Refusal DLMS_RESULT, DLMS_HLS, DLMS_SERVICE_MISMATCH; those of `remove` and `checkAnswer`
 */
export function checkPass4(
  keys: HlsKeys,
  octets: Bytes,
  opening: Opening & { readonly peerTitle: Bytes },
  invoke = usualInvoke,
): Floor {
  const { peerTitle: title, challenge, floor } = opening
  // The counter of the answer inside may stand between the floor and the outer one, so a gap is no matter here. That
  // nothing old is taken the challenge sees to.
  const before: Floor = { ...floor, rule: 'greater' }
  const removed = remove(keys, octets, { from: 'server', title, floor: before })
  try {
    const answer = answerIn(removed, invoke)
    const inner = checkAnswer(keys, answer, challenge, { title, floor: before })
    return { ...raise(removed.floor, inner), rule: floor.rule }
  } finally {
    removed.text.fill(0)
  }
}

const hlsGmac = 5
const associationClass = 15
const currentAssociation = '0.0.40.0.0.255'
/** reply_to_HLS_authentication. */
const replyToHls = 1

function accepted(aare: Aare): { title: Bytes; challenge: Bytes; initiate: Bytes } {
  const { context, result, diagnostic, title, authentication, userInformation } = aare
  if (result !== 0) {
    const { source, value } = diagnostic
    throw refusal('DLMS_ASSOCIATION_REJECTED', `result ${result}, ${source} diagnostic ${value}`, {
      details: { result, source, diagnostic: value },
    })
  }
  const required = diagnostic.source === 'user' && diagnostic.value === authenticationRequired
  const agreed = context === 'ciphered' && required && authentication?.mechanism === hlsGmac
  if (!agreed || title === undefined || userInformation === undefined) throw refusal('DLMS_MECHANISM')
  return { title, challenge: authentication.value, initiate: userInformation }
}

/** The octets that the action of pass 3 gave back. */
function answerIn({ service, text }: Removed, invoke: number): Bytes {
  if (service !== 'action-response') throw refusal('DLMS_SERVICE_MISMATCH', service)
  const response = readActionResponse(text)
  if (response.invoke !== invoke) throw refusal('DLMS_SERVICE_MISMATCH', 'another invoke-id')
  if (response.result !== 0) throw refusal('DLMS_RESULT', `result ${response.result} to pass 3`)
  const data = response.returned && 'data' in response.returned ? response.returned.data : undefined
  if (data?.type !== 'octet-string') throw refusal('DLMS_HLS', 'there is none')
  return data.octets
}

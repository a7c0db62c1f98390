/** What a hostile meter makes of its own good answer (dlms.md section 10). */

import type { Switches } from './model.ts'

/** The answers that it gave before, by the tag of what was asked. */
export type Told = Record<number, Buffer>

export function bend(
  how: Exclude<Switches['hostile'], 'no'>,
  reply: Buffer,
  request: Buffer,
  title: Buffer,
  told: Told,
): Buffer {
  switch (how) {
    case 'replays old APDUs': {
      const old = told[request[0]!]
      told[request[0]!] ??= Buffer.from(reply)
      return old ?? reply
    }
    case 'reflects ours':
      return Buffer.from(request)
    case 'wrong title':
      return reply[0] === 0x61 ? replaced(reply, title, otherTitle(title)) : reply
    case 'challenge equal to ours':
      return withChallenge(reply, challengeIn(request, 0xac))
    case 'challenge that is an APDU':
      // A get-request for the first object there is, and some octets more.
      return withChallenge(reply, Buffer.from('c001c100080000010000ff0200ffffff', 'hex'))
    case 'huge lengths':
      return Buffer.concat([reply.subarray(0, 1), Buffer.of(0x82, 0xff, 0xff), reply.subarray(2)])
    case 'truncated':
      return reply.subarray(0, Math.ceil(reply.length / 2))
  }
}

function otherTitle(title: Buffer): Buffer {
  const other = Buffer.from(title)
  other[7]! ^= 1
  return other
}

function replaced(whole: Buffer, part: Buffer, by: Buffer): Buffer {
  const at = whole.indexOf(part)
  if (at < 0) return whole
  const out = Buffer.from(whole)
  by.copy(out, at)
  return out
}

/** The sixteen octets of a challenge, in the element with that tag. */
function challengeIn(octets: Buffer, tag: number): Buffer | undefined {
  const at = octets.indexOf(Buffer.of(tag, 0x12, 0x80, 0x10))
  return at < 0 ? undefined : octets.subarray(at + 4, at + 20)
}

function withChallenge(reply: Buffer, challenge: Buffer | undefined): Buffer {
  const own = reply[0] === 0x61 ? challengeIn(reply, 0xaa) : undefined
  return own && challenge ? replaced(reply, own, challenge) : reply
}

/** GBCS messages and the payloads of every use case, read and written again. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Bytes } from '../../../src/ground/bytes.ts'
import {
  readCertificateCommand,
  readIssued,
  readProvided,
  readUpdated,
  readUsageCommand,
  writeGiven,
  writeUpdated,
  writeUsageCommand,
} from '../../../src/ground/gbcs/certificate.ts'
import {
  readDetails,
  readDetailsRequest,
  writeDetails,
  writeDetailsRequest,
} from '../../../src/ground/gbcs/details.ts'
import { readMessage, writeMessage } from '../../../src/ground/gbcs/message.ts'
import {
  readUpdateAlert,
  readUpdateResponse,
  writeUpdateAlert,
  writeUpdateResponse,
} from '../../../src/ground/gbcs/outcome.ts'
import { readUpdate, writeUpdate } from '../../../src/ground/gbcs/update.ts'
import { Refusal } from '../../../src/ground/refusal.ts'
import { same, type Target } from '../target.ts'

const folder = new URL('../../../../shared/data/gbcs/', import.meta.url)

/** Each gives back what it read, where there is one encoding only. */
const payloads: readonly ((payload: Bytes) => Bytes | undefined)[] = [
  payload => {
    const { lengths, ...command } = readUpdate(payload)
    return writeUpdate(command, lengths)
  },
  payload => {
    const { outcome, lengths } = readUpdateResponse(payload)
    return writeUpdateResponse(outcome, lengths)
  },
  payload => {
    const { lengths, ...alert } = readUpdateAlert(payload)
    return writeUpdateAlert(alert, lengths)
  },
  payload => {
    const { roles, lengths } = readDetails(payload)
    return writeDetails(roles, lengths)
  },
  // Its lengths are not told: it is short, unless a hundred roles are asked for.
  payload => {
    const request = readDetailsRequest(payload)
    return payload.length < 0x80 ? writeDetailsRequest(request) : undefined
  },
  payload => writeUsageCommand(readUsageCommand(payload)),
  payload => writeGiven(readIssued(payload)),
  payload => writeGiven(readProvided(payload)),
  payload => writeUpdated(readUpdated(payload)),
  payload => readCertificateCommand(payload),
]

export const gbcs: Target = {
  name: 'gbcs',
  says: 'GBCS messages with and without MAC and signature, and the payloads of CS02a to CS02g',
  watches: /\/src\/ground\/gbcs\//,
  longest: 8192,
  form: 'der',
  words: [
    'dd000000000000',
    '1100000000',
    'df0901',
    'df0902',
    'df0903',
    '820083',
    '0009',
    '000b',
    '0102',
    '0a0100',
  ].map(text => Buffer.from(text, 'hex')),
  seeds: () => {
    const messages = existsSync(folder)
      ? readdirSync(folder)
          .filter(name => name.endsWith('.HEX'))
          .map(name => Buffer.from(readFileSync(new URL(name, folder), 'latin1').trim(), 'hex'))
      : []
    return [
      ...messages,
      ...messages.map(one => Buffer.from(readMessage(one).payload)),
      Buffer.from('300503020780', 'hex'),
      Buffer.from('020100', 'hex'),
      Buffer.from('30020500', 'hex'),
    ]
  },
  read: octets => {
    const faults: unknown[] = []
    let wasRead = false
    const attempt = (read: () => void) => {
      try {
        read()
      } catch (cause) {
        if (refused(cause) === undefined) throw cause
        faults.push(cause)
      }
    }
    const inside = (payload: Bytes) => {
      for (const read of payloads) {
        attempt(() => {
          const again = read(payload)
          wasRead = true
          if (again) same(again, payload, 'a payload')
        })
      }
    }
    attempt(() => {
      const message = readMessage(octets)
      same(writeMessage(message, message.signature, message.mac), octets, 'a message')
      inside(message.payload)
    })
    // A payload alone begins with no header of a message.
    if (octets[0] !== 0xdd && octets[0] !== 0xdf) inside(octets)
    const furthest = faults.toSorted((a, b) => offset(b) - offset(a))[0]
    // As long as one use case has such a payload it is one.
    if (!wasRead) throw furthest
  },
  no: refused,
}

const codes = ['GBCS_TRUNCATED', 'GBCS_TRAILING', 'GBCS_TAG', 'GBCS_LENGTH', 'GBCS_VALUE']

function refused(cause: unknown): string | undefined {
  return cause instanceof Refusal && codes.includes(cause.code) ? cause.code : undefined
}

const offset = (cause: unknown): number => Number((cause as Refusal).details.at ?? 0)

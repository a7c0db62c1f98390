/** A small test PKI with Devices in it: parties with keys, and commands of theirs, right and wrong. */

import { randomBytes } from 'node:crypto'
import { type Anchor, anchorIn } from '../../simulator/smets2/anchor.ts'
import { cellsOf, type DeviceKind, keyOf } from '../../simulator/smets2/cells.ts'
import { Smets2Device } from '../../simulator/smets2/device.ts'
import type { Switches } from '../../simulator/smets2/state.ts'
import { type Bytes, fromHex } from '../../src/ground/bytes.ts'
import { bitString, printableString, utf8String } from '../../src/ground/der/write.ts'
import type { Cell } from '../../src/ground/gbcs/cell.ts'
import { writeWithMac } from '../../src/ground/gbcs/mac.ts'
import { type Grouping, signedOctets, writeMessage } from '../../src/ground/gbcs/message.ts'
import { otherInfo, plainSignature } from '../../src/ground/gbcs/protect.ts'
import { type UpdateCommand, writeUpdate } from '../../src/ground/gbcs/update.ts'
import { modeOf } from '../../src/ground/gbcs/use-cases.ts'
import { type AgreementKey, agreementKey } from '../../src/ground/keystore/agreement.ts'
import { type KeyPair, makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { wrapContingencyKey } from '../../src/ground/keystore/wrap.ts'
import { writeApexContingencyKey } from '../../src/ground/x509/contingency.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { attribute, extension, extensions, forgeCertificate, name, type Pair, p256 } from '../verify/forge.ts'

const authorityName = (unit: string, common: string) =>
  name(
    attribute(oids.organizationalUnitName, printableString(unit)),
    attribute(oids.commonName, printableString(common)),
  )

const ca = [extensions.usage('keyCertSign', 'cRLSign')]

export interface Authority {
  readonly pair: Pair
  readonly name: Buffer
  readonly der: Buffer
}

export interface Root extends Authority {
  readonly contingency: KeyPair
  readonly symmetricKey: Buffer
}

export function root(common: string): Root {
  const pair = p256()
  const contingency = makeKeyPair('P-256')
  const symmetricKey = randomBytes(16)
  const { nonce, octets } = wrapContingencyKey(contingency.publicKey, symmetricKey, randomBytes)
  const wrapped = writeApexContingencyKey({ nonce, icvLength: 16, octets })
  const subject = authorityName('00', common)
  const own = [
    ...ca,
    extensions.constraints(true, 1),
    extensions.ski(pair.id),
    extension(oids.wrappedApexContingencyKey, false, wrapped),
  ]
  const der = forgeCertificate({ issuer: subject, subject, spki: pair.spki, by: pair, extensions: own })
  return { pair, name: subject, der, contingency, symmetricKey }
}

export function issuing(under: Authority, common: string, spoil?: (signature: Buffer) => Bytes): Authority {
  const pair = p256()
  const subject = authorityName('07', common)
  const own = [...ca, extensions.constraints(true, 0), extensions.ski(pair.id), extensions.aki(under.pair.id)]
  const der = forgeCertificate({
    issuer: under.name,
    subject,
    spki: pair.spki,
    by: under.pair,
    extensions: own,
    ...(spoil && { spoil }),
  })
  return { pair, name: subject, der }
}

export interface Holder {
  readonly keys: KeyPair
  readonly der: Buffer
  readonly eui64: Buffer
}

export interface HolderParts {
  readonly role: number
  readonly eui64: string
  readonly usage: 'digitalSignature' | 'keyAgreement' | 'nonRepudiation'
  readonly by: Authority
  readonly from?: string
  readonly until?: string
  readonly spoil?: (signature: Buffer) => Bytes
}

/** An Organisation Certificate with its key. */
export function holder({ role, eui64, usage, by, ...more }: HolderParts): Holder {
  const keys = makeKeyPair('P-256')
  const id = fromHex(eui64)
  const subject = name(
    attribute(oids.organizationalUnitName, utf8String(role.toString(16).padStart(2, '0').toUpperCase())),
    attribute(oids.uniqueIdentifier, bitString(id)),
  )
  const own = [extensions.usage(usage), extensions.ski(randomBytes(8)), extensions.aki(by.pair.id)]
  const der = forgeCertificate({
    issuer: by.name,
    subject,
    spki: Buffer.from(keys.publicKey),
    by: by.pair,
    extensions: own,
    ...more,
  })
  return { keys, der, eui64: id }
}

/** Parties by role: recovery, supplier, network operator, access control broker, CoS, WAN provider, load controller. */
const identifiers: Readonly<Record<number, string>> = {
  1: '90b3d51f40000001',
  2: '90b3d51f40010000',
  3: '90b3d51f40020000',
  4: '90b3d51f40000002',
  5: '90b3d51f40000004',
  6: '90b3d51f40000006',
  8: '90b3d51f40010008',
}

export interface World {
  readonly root: Root
  readonly z1: Authority
  /** Another Issuing OCA under the same root. */
  readonly z2: Authority
  /** What the Devices' cells hold. */
  readonly of: (cell: Cell) => Holder
  device(kind: DeviceKind, switches?: Switches): Smets2Device
  /** A command of that mode to the Device, signed and with a MAC as the mode has it. */
  command(to: Smets2Device, parts: CommandParts): Buffer
  /** As a message of another use case: signed by the holder of that cell, with the broker's MAC. */
  signed(to: Smets2Device, by: Cell, messageCode: number, payload: Bytes, counter: bigint): Buffer
  clock: { now: Date }
}

export interface CommandParts extends Partial<Omit<UpdateCommand, 'mode' | 'replacements'>> {
  readonly mode: number
  readonly counter: bigint
  readonly replacements: readonly { readonly cell: Cell; readonly certificate: Bytes }[]
  /** Signs instead of the holder of the authorising cell. */
  readonly by?: KeyPair
  readonly withoutMac?: boolean
}

export const cell = (
  role: number,
  keyUsage: Cell['keyUsage'],
  cellUsage: Cell['cellUsage'] = 'management',
): Cell => ({
  role,
  keyUsage,
  cellUsage,
})

export function makeWorld(): World {
  const clock = { now: new Date('2026-01-01T00:00:00Z') }
  const top = root('RA')
  const z1 = issuing(top, 'Z1')
  const z2 = issuing(top, 'Z2')
  const holders = new Map<string, Holder>()
  const of = (one: Cell) => {
    const key = keyOf(one)
    const known = holders.get(key)
    if (known) return known
    const usage = one.keyUsage === 'keyCertSign' ? 'digitalSignature' : one.keyUsage
    const made = holder({ role: one.role, eui64: identifiers[one.role]!, usage, by: z1 })
    holders.set(key, made)
    return made
  }
  const broker = cell(4, 'keyAgreement')
  let running = 0
  const macKey = (to: Smets2Device, parts: Grouping) => {
    const agreement: AgreementKey = agreementKey(of(broker).keys)
    return agreement.macKey(to.agreementPublicKey, otherInfo(parts))
  }

  return {
    root: top,
    z1,
    z2,
    of,
    clock,
    device(kind, switches = {}) {
      const cells = new Map<string, Anchor>()
      for (const one of cellsOf[kind])
        cells.set(keyOf(one), one.role === 0 ? anchorIn(top.der) : anchorIn(of(one).der))
      const id = `00db1234${(0x56780000 + running++).toString(16)}`
      return new Smets2Device({ id, kind, cells, clock: () => clock.now, switches })
    },
    command(to, { mode, counter, by, withoutMac, ...more }) {
      const { messageCode, authoriser, protection } = modeOf(mode)!
      const role = authoriser ?? 4
      const signer = by ?? (mode === 9 ? top.contingency : of(cell(role, 'digitalSignature')).keys)
      const authorising =
        authoriser === undefined || mode === 9 ? {} : { authoriser: cell(role, 'digitalSignature') }
      const payload = writeUpdate({
        timeChecks: true,
        path: [z1.der],
        ...authorising,
        ...more,
        mode,
        authoriserCounter: counter,
      })
      const originator = fromHex(mode === 9 ? '70b3d51f300017ff' : identifiers[role]!)
      const parts: Grouping = { cra: 1, counter, originator, recipient: fromHex(to.id), messageCode, payload }
      const signature = protection === 'MAC' ? 'none' : plainSignature(signer.sign(signedOctets(parts)))
      if (protection === 'signature' || withoutMac) return writeMessage(parts, signature)
      return writeWithMac(parts, signature, macKey(to, parts))
    },
    signed(to, by, messageCode, payload, counter) {
      const { keys, eui64 } = of(by)
      const parts: Grouping = {
        cra: 1,
        counter,
        originator: eui64,
        recipient: fromHex(to.id),
        messageCode,
        payload,
      }
      return writeWithMac(parts, plainSignature(keys.sign(signedOctets(parts))), macKey(to, parts))
    },
  }
}

/** The octets of recovery commands and questions, made of what is known of one Device. Nothing here is signed or sent. */

import { type Bytes, fromHex } from '../../ground/bytes.ts'
import { tag } from '../../ground/der/read.ts'
import type { Cell } from '../../ground/gbcs/cell.ts'
import { writeDetailsRequest } from '../../ground/gbcs/details.ts'
import { element } from '../../ground/gbcs/elements.ts'
import { type Grouping, signedOctets } from '../../ground/gbcs/message.ts'
import { type SequenceChange, type UpdateCommand, writeUpdate } from '../../ground/gbcs/update.ts'
import { modeOf, useCases } from '../../ground/gbcs/use-cases.ts'
import { cellOf, type Holding } from './cells.ts'

/** What goes into a cell. */
export interface Replacement {
  readonly cell: Cell
  /** As a Device reports it once it holds it, hexadecimal. */
  readonly becomes: Holding
  /** DER. */
  readonly certificate: Bytes
}

/** What a wave puts where: by cell and by the Subject Unique ID that the cell held. */
export interface Material {
  readonly replacements: ReadonlyMap<string, Replacement>
  /** Certificates of the path, DER. */
  readonly path: readonly Bytes[]
}

export const placeOf = ({ cell, uniqueId }: Pick<Holding, 'cell' | 'uniqueId'>): string => `${cell} ${uniqueId}`

/** What is still to be replaced of what a Device is believed to hold. */
export function targetsOf(cells: readonly Holding[], { replacements }: Material): Replacement[] {
  return cells.flatMap(one => {
    const found = replacements.get(placeOf(one))
    if (!found) return []
    const isThere = found.becomes.uniqueId === one.uniqueId && found.becomes.keyId === one.keyId
    return isThere ? [] : [found]
  })
}

/** A command on its way to be signed. */
export interface Draft {
  readonly device: string
  readonly mode: number
  readonly originator: Bytes
  readonly counter: bigint
  readonly targets: readonly Replacement[]
  readonly path: readonly Bytes[]
}

/** The place of the Symmetric Key before it is revealed: 16 octets of zero. */
const unrevealed = Buffer.alloc(16)

/** As observed of each mode (recovery.md section 7). */
export function updateOf({ mode, counter, targets, path }: Omit<Draft, 'device' | 'originator'>): UpdateCommand {
  const { authoriser: role = 4 } = modeOf(mode)!
  const isRootChange = mode === 0 || mode === 1
  const roles = [...new Set(targets.map(one => one.cell.role))].sort((a, b) => a - b)
  const topUp = targets.some(one => one.cell.cellUsage === 'prePaymentTopUp')
  const specialist = topUp ? [{ usage: 0, floor: 0n }] : undefined
  const others = roles
    .filter(one => one !== role && one !== 0)
    .map((one): SequenceChange => ({ role: one, floor: 0n, ...(one === 2 && specialist && { specialist }) }))
  return {
    mode,
    ...(mode === 9 && { symmetricKey: unrevealed }),
    timeChecks: mode !== 8 && mode !== 9 && mode !== 6 && mode !== 10,
    ...(mode !== 4 && { authoriser: authorisingCell(mode) }),
    authoriserCounter: counter,
    ...(!isRootChange && { newFloor: 0n }),
    ...(mode === 2 && specialist && { newSpecialistFloors: specialist }),
    ...(others.length > 0 && { otherChanges: others }),
    replacements: targets.map(({ certificate, cell }) => ({ certificate, cell })),
    path,
  }
}

/** The cell whose holder signs a command of that mode. */
export function authorisingCell(mode: number): Cell {
  const { authoriser: role = 4 } = modeOf(mode)!
  return { role, keyUsage: role === 0 ? 'keyCertSign' : 'digitalSignature', cellUsage: 'management' }
}

/** What is signed of a command: the octets after DF, with the Symmetric Key's place unrevealed. */
export function draftOctets(draft: Draft): Buffer {
  return signedOctets({
    cra: 1,
    counter: draft.counter,
    originator: draft.originator,
    recipient: fromHex(draft.device),
    messageCode: modeOf(draft.mode)!.messageCode,
    payload: payloadOf(draft),
  })
}

/**
 * As `writeUpdate` writes it. What is the same for every Device of a kind, the certificates, is encoded once for as long as
 * the path that goes with them is in hand.
 */
function payloadOf(draft: Draft): Buffer {
  const { targets, path } = draft
  const known = encoded.get(path) ?? new Map<string, Buffer>()
  encoded.set(path, known)
  const name = targets.map(({ becomes }) => `${becomes.cell} ${becomes.keyId}`).join()
  const update = updateOf(draft)
  let certificates = known.get(name)
  if (!certificates) {
    const whole = writeUpdate(update)
    certificates = whole.subarray(headOf(whole) + controlOf(update).length)
    known.set(name, certificates)
  }
  return element('two octets', tag.sequence, controlOf(update), certificates)
}

const encoded = new WeakMap<readonly Bytes[], Map<string, Buffer>>()

/** The first element of the command, by itself: of a command without certificates, what stands before two empty lists. */
function controlOf(update: UpdateCommand): Buffer {
  const bare = writeUpdate({ ...update, replacements: [], path: [] })
  return bare.subarray(headOf(bare), -4)
}

/** Octets of tag and length. */
const headOf = (octets: Bytes): number => (octets[1]! < 0x80 ? 2 : 2 + (octets[1]! & 0x7f))

/** Mode 9, the tag and length of the key, and its place. */
const keyPlace = Buffer.concat([Buffer.from('0201098010', 'hex'), unrevealed])

/** The same octets with the Symmetric Key in its place. @throws RangeError when there is none */
export function revealed(signedPart: Bytes, symmetricKey: Bytes): Buffer {
  const out = Buffer.from(signedPart)
  // The control comes first in the payload: certificates with the same octets in them stand behind it.
  const at = out.indexOf(keyPlace)
  if (at < 0 || symmetricKey.length !== unrevealed.length) throw new RangeError('no place for a Symmetric Key')
  out.set(symmetricKey, at + 5)
  return out
}

/** The message of what was signed: DF, the octets, the signature with its length. A MAC, where there is one, is added to it. */
export function signedMessage(signedPart: Bytes, plainSignature: Bytes): Buffer {
  return Buffer.concat([Buffer.of(0xdf), signedPart, Buffer.of(0x40), plainSignature])
}

/** A question by CS02a; by CS02f for the cells of load controllers. It carries a MAC and no signature. */
export function questionOf(
  device: string,
  originator: Bytes,
  counter: bigint,
  { roles, isF }: { readonly roles: readonly number[]; readonly isF: boolean },
): Grouping {
  return {
    cra: 1,
    counter,
    originator,
    recipient: fromHex(device),
    messageCode: isF ? useCases.CS02f : useCases.CS02a,
    payload: writeDetailsRequest({
      authoriser: { role: 4, keyUsage: 'keyAgreement', cellUsage: 'management' },
      roles,
    }),
  }
}

/** Which roles a Device is asked for, one message at a time: those of load controllers by CS02f (section 6). */
export function nextQuestion(
  cells: readonly Holding[],
  material: Material,
  shown: readonly number[],
): { readonly roles: readonly number[]; readonly isF: boolean } | undefined {
  const wanted = new Set(
    cells.flatMap(one => {
      const { role } = cellOf(one.cell)
      return concerns(one, material) && !shown.includes(role) ? [role] : []
    }),
  )
  const plain = [...wanted].filter(role => role !== 8).sort((a, b) => a - b)
  if (plain.length > 0) return { roles: plain, isF: false }
  return wanted.has(8) ? { roles: [8], isF: true } : undefined
}

/** Whether a cell is one that this wave replaces, or has replaced. */
export function concerns(one: Holding, { replacements }: Material): boolean {
  if (replacements.has(placeOf(one))) return true
  for (const { becomes } of replacements.values()) {
    if (becomes.cell === one.cell && becomes.uniqueId === one.uniqueId && becomes.keyId === one.keyId) return true
  }
  return false
}

/** The file by which a holder proves, without the log, that an entry is in it (C2SP tlog-proof). */

import { type Bytes, view } from '../bytes.ts'
import { fromBase64 } from './note.ts'
import { hashLine, readHashes } from './submission.ts'

export interface TlogProof {
  /** The position of the entry. */
  readonly index: number
  /** The inclusion proof, the leaf's neighbour first. */
  readonly proof: readonly Bytes[]
  /** The checkpoint with its signatures, and those of witnesses. */
  readonly note: string
  /** What else the reader needs; nobody signed it. */
  readonly extra?: Bytes
}

const version = 'c2sp.org/tlog-proof@v1'

/** Much longer than any that holds an entry of 65,535 octets. Defends memory. */
export const longestProof = 400_000

/** A file that is no such proof. */
export class NotAProof extends Error {
  override readonly name = 'NotAProof'
}

export function writeProof({ index, proof, note, extra }: TlogProof): string {
  const said = extra === undefined ? '' : `extra ${view(extra).toString('base64')}\n`
  return `${version}\n${said}index ${index}\n${proof.map(hashLine).join('')}\n${note}`
}

/** @throws NotAProof */
export function readProof(text: string): TlogProof {
  const end = text.indexOf('\n\n')
  const [first, ...lines] = text.slice(0, Math.max(end, 0)).split('\n')
  const encoded = lines[0]?.startsWith('extra ') ? lines.shift()!.slice('extra '.length) : undefined
  const extra = encoded === undefined ? undefined : fromBase64(encoded)
  const [, digits] = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '') ?? []
  const proof = readHashes(lines)
  const index = Number(digits)
  const told = encoded === undefined || extra !== undefined
  if (
    text.length > longestProof ||
    first !== version ||
    !told ||
    !Number.isSafeInteger(index) ||
    proof === undefined
  )
    throw new NotAProof(`not a proof: it does not read as ${version} does`)
  return { index, proof, note: text.slice(end + 2), ...(extra && { extra }) }
}

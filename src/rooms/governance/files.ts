/** The octets of documents: kept beside their version, handed out to whoever may read them, unchanged. */

import { hash } from 'node:crypto'
import type { Client } from '../../ground/store/store.ts'
import type { Reader } from '../../policy/documents/document-set.ts'
import { isPublished, mayReadVersion } from '../../policy/documents/keepers.ts'
import { contentType, fileNameOf } from '../../policy/documents/media.ts'
import { act, type Hands } from './act.ts'
import { type DocumentVersion, documentOf, type From, versionOf } from './document-rows.ts'
import { no } from './refusals.ts'

/** The octets of a version, which are those that were entered. */
export interface DocumentFile {
  readonly document: string
  readonly version: string
  readonly sha256: string
  /** A Content-Type. */
  readonly type: string
  /** ASCII, for Content-Disposition. */
  readonly name: string
  readonly octets: Buffer
}

/** Who asks. */
export interface Asking {
  /** A person's reference; undefined of a user who is known by a Party alone. */
  readonly person?: string | undefined
  readonly party?: number | undefined
  readonly reader: Reader
}

/**
 * The octets of a version for whoever may read them. That somebody read what is confidential, or not published, is on
 * record, and so is that he asked and may not.
 * @throws Refusal DOCUMENT_UNKNOWN, VERSION_UNKNOWN, DOCUMENT_CONFIDENTIAL, VERSION_NOT_PUBLISHED, FILE_NOT_KEPT; Error
 *   when the octets are not those that were entered
 */
export async function readFile(hands: Hands, asking: Asking, ref: string, version: string): Promise<DocumentFile> {
  const { document, found } = await asked(hands.store, ref, version)
  if (!document.confidential && isPublished(found)) return fileFrom(hands.store, publicFile, found)
  const { person = '?', party, reader } = asking
  return act(hands, person, 'read document', ref, async ({ client, note }) => {
    if (!mayReadVersion(reader, document, found)) {
      throw document.confidential
        ? no('DOCUMENT_CONFIDENTIAL', ref)
        : no('VERSION_NOT_PUBLISHED', `${ref} ${version}`)
    }
    const file = await fileFrom(client, anyFile, found)
    const { sha256 } = file
    await note({ document: ref, version, sha256, reader, ...(party !== undefined && { party }) })
    return file
  })
}

/**
 * As `readFile`, for everybody: what is confidential or not published is not there.
 * @throws Refusal DOCUMENT_UNKNOWN, VERSION_UNKNOWN, FILE_NOT_KEPT; Error as `readFile`
 */
export async function readPublicFile(store: From, ref: string, version: string): Promise<DocumentFile> {
  const { document, found } = await asked(store, ref, version)
  if (document.confidential) throw no('DOCUMENT_UNKNOWN', ref)
  if (!isPublished(found)) throw no('VERSION_UNKNOWN', `${ref} ${version}`)
  return fileFrom(store, publicFile, found)
}

async function asked(store: From, ref: string, version: string) {
  const document = await documentOf(store, ref)
  if (!document) throw no('DOCUMENT_UNKNOWN', ref)
  const found = await versionOf(store, ref, version)
  if (!found) throw no('VERSION_UNKNOWN', `${ref} ${version}`)
  return { document, found }
}

/** Every file there is: for those who keep the offices, whose programs alone may read the table. */
const anyFile = `SELECT f.octets FROM document_file f JOIN document_version v ON v.id = f.version
  WHERE v.document = $1 AND v.version = $2`

/** Of what is public: the store gives nothing else this way, whoever asks. */
const publicFile = 'SELECT public_document_file($1, $2) AS octets'

async function fileFrom(store: From, statement: string, found: DocumentVersion): Promise<DocumentFile> {
  const { document, version, sha256, mediaType, kept } = found
  if (!kept) throw no('FILE_NOT_KEPT', `${document} ${version}`)
  const { rows } = await (store as Client).query<{ octets: Buffer | null }>(statement, [document, version])
  const octets = rows[0]?.octets ?? Buffer.alloc(0)
  // Whoever can write the store can write this row; what was approved was approved by its hash.
  if (hash('sha256', octets, 'hex') !== sha256)
    throw new Error(`the octets kept of ${document} ${version} are not those that were entered`)
  const name = fileNameOf(document, version, mediaType)
  return { document, version, sha256, type: contentType(mediaType), name, octets }
}

/**
 * Puts the octets beside their version, in the transaction that enters it. The store itself takes no others than those that
 * the version names.
 */
export async function keep(client: Client, version: number, octets: Buffer): Promise<void> {
  await client.query('INSERT INTO document_file (version, octets) VALUES ($1, $2)', [version, octets])
}

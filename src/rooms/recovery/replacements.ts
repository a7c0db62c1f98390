/** The certificates that a wave of commands puts into cells: looked at as a Device will, before any command has them. */

import { type Bytes, equal, fromHex, toHex } from '../../ground/bytes.ts'
import { verifier } from '../../ground/keystore/check.ts'
import type { Client } from '../../ground/store/store.ts'
import { type Certificate, readCertificate } from '../../ground/x509/certificate.ts'
import { readKeyUsage } from '../../ground/x509/extensions.ts'
import { attributes, attributeText, sameName } from '../../ground/x509/name.ts'
import { oids } from '../../ground/x509/names.ts'
import { roleFromOu } from '../../policy/roles.ts'
import { type Actor, act, requireOffice } from '../registration/act.ts'
import { type Material, placeOf, type Replacement } from './build.ts'
import { cellOf, heldAs, holding } from './cells.ts'
import { heldEvent } from './event.ts'
import type { RecoveryHands } from './hands.ts'
import { no } from './refusals.ts'

export interface NewReplacement {
  /** `{2,KA,topUp}` */
  readonly cell: string
  /** Whose cell it is now: the Subject Unique ID, 16 hexadecimal digits; zeros for the root. */
  readonly holder: string
  readonly certificate: Bytes
  /** Whose it becomes where that is somebody else: of certificates of the Access Control Broker, and of a handover. */
  readonly goesTo?: string | undefined
}

/**
 * Lays down what the wave puts where, and the path. Every certificate must be of the role and usage of its cell, of the
 * party that holds the cell or that it is to go to, and lead over the path to the root that Devices hold then.
 * @param root the Root OCA Certificate, DER, that Devices will check against: theirs, or the one that the wave places
 * @throws Refusal ANOTHER_PARTYS, NOT_UNDER_ROOT, EVENT_STATE
 */
export function layDown(
  hands: RecoveryHands,
  by: Actor,
  reference: string,
  wave: number,
  replacements: readonly NewReplacement[],
  { path, root }: { readonly path: readonly Bytes[]; readonly root: Bytes },
): Promise<void> {
  return act(hands, by, { act: 'lay down replacements' }, async acting => {
    const { client, note } = acting
    requireOffice(acting.by, ['RA_PERSONNEL', 'RA_MANAGER'], undefined)
    await heldEvent(client, reference, 'confirmed', 'running', 'paused')
    const issuers = path.map(one => readCertificate(one))
    const anchor = readCertificate(root)
    for (const one of replacements) {
      requireItsOwn(one)
      requireUnderRoot(readCertificate(one.certificate), issuers, anchor)
    }
    for (const { cell, holder, certificate } of replacements) {
      const { uniqueId, keyId } = heldAs(certificate)
      await client.query(
        `INSERT INTO recovery_replacement (event, wave, cell, holder, certificate, unique_id, key_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event, wave, cell, holder) DO NOTHING`,
        [reference, wave, cell, fromHex(holder), certificate, uniqueId, keyId],
      )
    }
    for (const [i, certificate] of path.entries()) {
      await client.query(
        `INSERT INTO recovery_path (event, wave, position, certificate) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING`,
        [reference, wave, i, certificate],
      )
    }
    await note('lay down replacements', {
      event: reference,
      wave,
      replacements: replacements.map(one => ({
        cell: one.cell,
        holder: one.holder,
        keyId: toHex(heldAs(one.certificate).keyId),
        serial: toHex(readCertificate(one.certificate).serial),
      })),
    })
  })
}

function requireItsOwn({ cell: text, holder, certificate, goesTo }: NewReplacement): void {
  const cell = cellOf(text)
  const read = readCertificate(certificate)
  const usage = read.extensions.find(one => one.oid === oids.keyUsage)
  const usages = usage ? readKeyUsage(usage.value) : []
  if (!usages.includes(cell.keyUsage)) throw no('ANOTHER_PARTYS', `its usage is not that of ${text}`)
  const { uniqueId } = heldAs(certificate)
  if (toHex(uniqueId) !== (goesTo ?? holder)) throw no('ANOTHER_PARTYS', `it is of ${toHex(uniqueId)}`)
  if (cell.role === 0) return
  const [unit] = attributes(read.subject, oids.organizationalUnitName)
  const ou = (unit && attributeText(unit)) ?? ''
  const role = roleFromOu(ou)
  const isBrokers = goesTo !== undefined && role === accessControlBroker
  if (role !== cell.role && !isBrokers) throw no('ANOTHER_PARTYS', `its role is not that of ${text}`)
}

/** The role whose certificates stand in for a Subscriber's (Method 2). */
const accessControlBroker = 4

/** As a Device goes: from the certificate to the root's key, over certificates of the path alone. */
function requireUnderRoot(of: Certificate, path: readonly Certificate[], root: Certificate): void {
  for (let at = of, left = path.length + 1; left > 0; left--) {
    if (sameName(at.issuer, root.subject)) {
      if (holds(at, root)) return
      break
    }
    const issuer = path.find(one => sameName(one.subject, at.issuer) && !equal(one.der, at.der))
    if (!issuer || !holds(at, issuer)) break
    at = issuer
  }
  throw no('NOT_UNDER_ROOT', toHex(of.serial))
}

const holds = (one: Certificate, issuer: Certificate) => verifier(issuer.publicKey.spki)(one.tbs, one.signature)

/** What was laid down. */
export async function materialOf(client: Client, event: string, wave: number): Promise<Material> {
  const { rows } = await client.query<{
    cell: string
    holder: Buffer
    certificate: Buffer
    unique_id: Buffer
    key_id: Buffer
  }>('SELECT * FROM recovery_replacement WHERE event = $1 AND wave = $2', [event, wave])
  const path = await client.query<{ certificate: Buffer }>(
    'SELECT certificate FROM recovery_path WHERE event = $1 AND wave = $2 ORDER BY position',
    [event, wave],
  )
  const replacements = rows.map((row): [string, Replacement] => {
    const cell = cellOf(row.cell)
    const becomes = holding(cell, { uniqueId: row.unique_id, keyId: row.key_id })
    return [
      placeOf({ cell: row.cell, uniqueId: toHex(row.holder) }),
      { cell, becomes, certificate: row.certificate },
    ]
  })
  return { replacements: new Map(replacements), path: path.rows.map(row => row.certificate) }
}

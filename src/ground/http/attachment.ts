/** A file as an answer: saved by whoever asked, run by no browser, and known by the hash of its octets. */

export interface Attachment {
  /** A Content-Type. */
  readonly type: string
  /** ASCII letters, digits, points, hyphens. */
  readonly name: string
  /** SHA-256 of the octets, hexadecimal. */
  readonly sha256: string
  readonly octets: Buffer
}

/**
 * Never shown in place (`attachment`), never guessed to be something else (`nosniff`), and were it opened in place all the
 * same, without scripts and without an origin (`sandbox`). The ETag is the hash (RFC 9110 8.8.3).
 */
export function attachmentHeaders({ type, name, sha256 }: Omit<Attachment, 'octets'>): Record<string, string> {
  return {
    'content-type': type,
    'content-disposition': `attachment; filename="${name.replace(/[^A-Za-z0-9._-]/g, '_')}"`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    etag: `"${sha256}"`,
  }
}

/** Whether whoever asks has these octets already (RFC 9110 13.1.2). */
export function isHeld(ifNoneMatch: string | undefined, { sha256 }: Pick<Attachment, 'sha256'>): boolean {
  return (ifNoneMatch ?? '').split(',').some(one => one.trim().replace(/^W\//, '') === `"${sha256}"`)
}

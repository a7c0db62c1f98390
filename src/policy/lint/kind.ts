/** The kinds of certificate, request and list that the linter can measure. */

export const certificateKinds = [
  'root-oca',
  'issuing-oca',
  'organisation',
  'root-dca',
  'issuing-dca',
  'device',
  'root-ica',
  'issuing-ica',
  'iki-client',
  'iki-file-signing',
  'root-dcckica',
  'eii-dcckica',
  'dccki-infrastructure',
  'dccki-personnel',
  's1spki-root',
  's1spki-issuing',
  's1spki-hes',
  's1spki-hub',
] as const

export const requestKinds = ['organisation-csr', 'device-csr', 'iki-csr'] as const

export const listKinds = [
  'organisation-crl',
  'organisation-arl',
  'device-arl',
  'iki-crl',
  'iki-arl',
  'dccki-crl',
  'dccki-arl',
  's1spki-crl',
  's1spki-arl',
] as const

export type CertificateKind = (typeof certificateKinds)[number]
export type RequestKind = (typeof requestKinds)[number]
export type ListKind = (typeof listKinds)[number]
export type KnownKind = CertificateKind | RequestKind | ListKind
/** `unknown` fits no profile: measured by the rules common to all, and an error in itself. */
export type Kind = KnownKind | 'unknown'

export const knownKinds: readonly KnownKind[] = [...certificateKinds, ...requestKinds, ...listKinds]
export const kinds: readonly Kind[] = [...knownKinds, 'unknown']

/** What the octets are: X.509 certificate, PKCS#10 request, revocation list. */
export type Form = 'certificate' | 'request' | 'list'

/** The form that a kind has; undefined for `unknown`, which may be any. */
export function formOfKind(kind: Kind): Form | undefined {
  if ((certificateKinds as readonly string[]).includes(kind)) return 'certificate'
  if ((requestKinds as readonly string[]).includes(kind)) return 'request'
  return kind === 'unknown' ? undefined : 'list'
}

/** The extensions of a certificate, as rows for people: those that these PKIs know in words, others as they are. */

import { toHexUpper } from '../../../ground/bytes.ts'
import { NotDer } from '../../../ground/der/read.ts'
import type { Certificate } from '../../../ground/x509/certificate.ts'
import {
  type Extension,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCertificatePolicies,
  readExtendedKeyUsage,
  readGeneralNames,
  readKeyUsage,
  readSubjectKeyIdentifier,
} from '../../../ground/x509/extensions.ts'
import { oidName, oids } from '../../../ground/x509/names.ts'
import { type Html, html } from '../frame/html.ts'
import { code } from '../frame/pieces.ts'
import { eui64, grouped } from '../frame/words.ts'

const spaced = (name: string) => name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()

const words: Readonly<Record<string, (value: Uint8Array) => Html>> = {
  [oids.keyUsage]: value => html`${readKeyUsage(value).map(spaced).join(', ')}`,
  [oids.extendedKeyUsage]: value => html`${readExtendedKeyUsage(value).map(oidName).map(spaced).join(', ')}`,
  [oids.subjectKeyIdentifier]: value => code(grouped(toHexUpper(readSubjectKeyIdentifier(value)))),
  [oids.authorityKeyIdentifier]: value => {
    const { keyIdentifier } = readAuthorityKeyIdentifier(value) as { keyIdentifier?: Uint8Array }
    return keyIdentifier ? code(grouped(toHexUpper(keyIdentifier))) : raw(value)
  },
  [oids.basicConstraints]: value => {
    const { ca, pathLength } = readBasicConstraints(value) as { ca: boolean; pathLength?: number | undefined }
    return html`${ca ? 'a certification authority' : 'not a certification authority'}${pathLength === undefined ? '' : `, with at most ${pathLength} below it`}`
  },
  [oids.certificatePolicies]: value =>
    html`${readCertificatePolicies(value)
      .map(one => one.oid)
      .join(', ')}`,
  [oids.subjectAltName]: value =>
    html`${readGeneralNames(value).map(one =>
      one.kind === 'hardwareModuleName'
        ? html`Device ${code(eui64(toHexUpper(one.hwSerialNum)))}, hardware type ${one.hwType}`
        : raw(one.der),
    )}`,
}

/** A row for each, in the order of the encoding. What cannot be read is shown in hexadecimal. */
export function extensionsInWords({ extensions }: Certificate): (readonly [string, Html])[] {
  return extensions.map(one => [
    `${capital(spaced(oidName(one.oid)))}${one.critical ? ' (critical)' : ''}`,
    inWords(one),
  ])
}

function inWords({ oid, value }: Extension): Html {
  try {
    return words[oid]?.(value) ?? raw(value)
  } catch (cause) {
    if (cause instanceof NotDer) return raw(value)
    throw cause
  }
}

const raw = (value: Uint8Array) => code(grouped(toHexUpper(value).slice(0, 1024)))
const capital = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  asks,
  type CertificateTemplate,
  certificate,
  certificates,
  ids,
  list,
  lists,
  name,
  rdn,
  request,
  requests,
  swap,
  three,
  uid,
  usage,
} from '../../../test/lint/forge.ts'
import { printableString, utf8String } from '../../ground/der/write.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readList } from '../../ground/x509/list.ts'
import { readRequest } from '../../ground/x509/request.ts'
import { recognise } from './recognise.ts'
import { open } from './view.ts'

const u = utf8String
const kindOf = (template: CertificateTemplate) => recognise(open(readCertificate(certificate(template))))
const kindOfRequest = (template: Parameters<typeof request>[0]) => recognise(open(readRequest(request(template))))
const kindOfList = (issuer: Buffer) => recognise(open(readList(list({ ...lists['organisation-crl'](), issuer }))))
const named = (template: CertificateTemplate, ...rdns: Buffer[]) => ({ ...template, subject: name(...rdns) })

describe('a certificate is recognised although part of it is wrong', () => {
  it('a Device Certificate by its Device ID, or by its empty subject', () => {
    assert.equal(kindOf(named(certificates.device(), rdn(ids.cn, u('meter')))), 'device')
    assert.equal(kindOf(swap(certificates.device(), ids.subjectAltName)), 'device')
  })

  it('an Organisation Certificate by the EUI-64 of its subject, whatever its OU says', () => {
    for (const ou of ['137', '00', '07', 'IKI']) {
      assert.equal(kindOf(named(certificates.organisation(), rdn(ids.ou, u(ou)), uid)), 'organisation')
    }
  })

  it('a certificate of IKI or DCCKI by its issuer, whatever its own OU says', () => {
    const other = three('Trading Name', '137', 'x')
    assert.equal(kindOf({ ...certificates['iki-client'](), subject: other }), 'iki-client')
    assert.equal(kindOf({ ...certificates['iki-file-signing'](), subject: other }), 'iki-file-signing')
    assert.equal(kindOf({ ...certificates['dccki-personnel'](), subject: other }), 'dccki-personnel')
    assert.equal(kindOf({ ...certificates['dccki-infrastructure'](), subject: other }), 'dccki-infrastructure')
  })

  it('and by its subject, whatever its issuer is called', () => {
    const issuer = name(rdn(ids.cn, u('Somebody')))
    for (const kind of [
      'iki-client',
      'iki-file-signing',
      'dccki-personnel',
      'dccki-infrastructure',
      'organisation',
    ] as const)
      assert.equal(kindOf({ ...certificates[kind](), issuer }), kind)
  })

  it('a root by being its own issuer, and a Root OCA by its OU alone', () => {
    const issuer = name(rdn(ids.cn, printableString('ZZ')))
    assert.equal(kindOf({ ...certificates['root-oca'](), issuer }), 'root-oca')
    assert.equal(kindOf({ ...certificates['root-dca'](), issuer }), 'issuing-dca')
    assert.equal(kindOf({ ...certificates['root-ica'](), issuer }), 'issuing-ica')
    assert.equal(kindOf({ ...certificates['s1spki-root'](), issuer }), 's1spki-issuing')
  })

  it('and what fits none is unknown: a TLS server certificate, say', () => {
    const { issuer } = certificates['root-dca']()
    assert.equal(
      kindOf({ ...named(certificates['s1spki-hes'](), rdn(ids.cn, u('host.example'))), issuer }),
      'unknown',
    )
    assert.equal(kindOf(named(certificates.organisation(), rdn(ids.o, u('Nobody')))), 'unknown')
  })
})

describe('a request', () => {
  it('without its Device ID, EUI-64 or role is recognised by what is left', () => {
    assert.equal(kindOfRequest({ ...requests['device-csr'](), attributes: [asks(usage(0))] }), 'device-csr')
    assert.equal(kindOfRequest({ ...requests['device-csr'](), subject: name(rdn(ids.cn, u('x'))) }), 'device-csr')
    const organisation = requests['organisation-csr']()
    assert.equal(kindOfRequest({ ...organisation, subject: name(rdn(ids.ou, u('02'))) }), 'organisation-csr')
    assert.equal(kindOfRequest({ ...organisation, subject: name(uid) }), 'organisation-csr')
    assert.equal(kindOfRequest({ ...organisation, subject: name(rdn(ids.o, u('A'))) }), 'iki-csr')
    assert.equal(kindOfRequest({ ...organisation, subject: name(rdn(ids.cn, u('A'))) }), 'unknown')
  })
})

describe('a list', () => {
  it('is recognised by its issuer', () => {
    assert.equal(kindOfList(three('Operator', 'MOC', 'Operator Root CA 2')), 's1spki-arl')
    assert.equal(kindOfList(three('Operator', 'MOC', 'Operator Issuing CA 2')), 's1spki-crl')
    assert.equal(kindOfList(name(rdn(ids.o, u('Somebody')))), 'unknown')
    assert.equal(kindOfList(name()), 'unknown')
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Bytes, fromHex } from '../../src/ground/bytes.ts'
import * as der from '../../src/ground/der/write.ts'
import { type KeyPair, makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { admitIki } from '../../src/rooms/issuance/admit-iki.ts'
import { admitOrganisation } from '../../src/rooms/issuance/admit-organisation.ts'

const p256 = makeKeyPair('P-256')
const rsa = makeKeyPair('RSA-2048')

const attribute = (oid: string, value: Bytes) => der.setOf(der.sequence(der.oid(oid), value))
const eui64 = attribute(oids.uniqueIdentifier, der.bitString(fromHex('90b3d51f30010000')))
const role = attribute(oids.organizationalUnitName, der.utf8String('02'))
const name = attribute(oids.commonName, der.utf8String('SUPPLIER'))
const usage = (critical: boolean, ...bits: number[]) =>
  der.sequence(
    der.oid(oids.keyUsage),
    ...(critical ? [der.boolean(true)] : []),
    der.octetString(der.namedBits(...bits)),
  )

interface Parts {
  readonly subject?: readonly Bytes[]
  readonly extensions?: readonly Bytes[]
  readonly key?: KeyPair
  readonly algorithm?: Bytes
  readonly version?: number
}

const ecdsa = der.sequence(der.oid(oids.ecdsaWithSha256))
const rsaSha256 = der.sequence(der.oid(oids.sha256WithRsa), der.nothing())

function csr({
  subject = [role, eui64],
  extensions = [usage(true, 0)],
  key = p256,
  algorithm,
  version = 0,
}: Parts): Buffer {
  const asked = der.sequence(der.oid(oids.extensionRequest), der.setOf(der.sequence(...extensions)))
  const info = der.sequence(der.integer(version), der.sequence(...subject), key.publicKey, der.tagged(0, asked))
  return der.sequence(info, algorithm ?? (key === rsa ? rsaSha256 : ecdsa), der.bitString(key.sign(info)))
}

const refused = (code: string) => ({ name: 'Refusal', code })

describe('an Organisation CSR', () => {
  it('is admitted with and without a common name, for either usage, whatever the order and string types', () => {
    const plain = admitOrganisation(csr({}), 16)
    assert.deepEqual(
      [plain.commonName, plain.role, plain.eui64, plain.usage],
      [undefined, 2, '90b3d51f30010000', 'digitalSignature'],
    )
    const printable = attribute(oids.organizationalUnitName, der.printableString('7f'))
    const other = admitOrganisation(csr({ subject: [eui64, name, printable], extensions: [usage(true, 4)] }), 16)
    assert.deepEqual([other.commonName, other.role, other.usage], ['SUPPLIER', 0x7f, 'keyAgreement'])
  })

  const bad: Record<string, [Parts, string]> = {
    'without a role': [{ subject: [eui64] }, 'CR:CC5'],
    'with a role in decimal': [
      { subject: [attribute(oids.organizationalUnitName, der.utf8String('137')), eui64] },
      'CR:CC5',
    ],
    'with a role that is not in the table': [
      { subject: [attribute(oids.organizationalUnitName, der.utf8String('09')), eui64] },
      'CR:CC5',
    ],
    'without an EUI-64': [{ subject: [role] }, 'CR:CC5'],
    'with an EUI-64 of 63 bits': [
      { subject: [role, attribute(oids.uniqueIdentifier, der.bitString(fromHex('90b3d51f30010000'), 1))] },
      'CR:CC5',
    ],
    'with an EUI-64 of 56 bits': [
      { subject: [role, attribute(oids.uniqueIdentifier, der.bitString(fromHex('90b3d51f300100')))] },
      'CR:CC5',
    ],
    'with a country': [
      { subject: [attribute(oids.countryName, der.printableString('GB')), role, eui64] },
      'CR:CC5',
    ],
    'with two roles': [{ subject: [role, role, eui64] }, 'CR:CC5'],
    'with a name of 17 characters': [
      { subject: [attribute(oids.commonName, der.utf8String('A'.repeat(17))), role, eui64] },
      'CR:CC5',
    ],
    'with an empty name': [{ subject: [attribute(oids.commonName, der.utf8String('')), role, eui64] }, 'CR:CC5'],
    'with a name in another string type': [
      { subject: [attribute(oids.commonName, der.ia5String('SUPPLIER')), role, eui64] },
      'CR:CC5',
    ],
    'with a keyUsage that is not critical': [{ extensions: [usage(false, 0)] }, 'CR:CC6'],
    'with both usages': [{ extensions: [usage(true, 0, 4)] }, 'CR:CC6'],
    'with another usage': [{ extensions: [usage(true, 5)] }, 'CR:CC6'],
    'with an RSA key': [{ key: rsa }, 'CR:CC1'],
    'with version 1': [{ version: 1 }, 'CR:CC4'],
    'signed with another algorithm identifier': [
      { algorithm: der.sequence(der.oid(oids.ecdsaWithSha256), der.nothing()) },
      'CR:CC1',
    ],
  }
  for (const [what, [parts, code]] of Object.entries(bad)) {
    it(`${what} is refused with ${code}`, () => {
      assert.throws(() => admitOrganisation(csr(parts), 16), refused(code))
    })
  }

  it('is refused, or says the same, whichever one octet was changed', () => {
    const good = csr({})
    const expected = admitOrganisation(good, 16)
    let refusals = 0
    for (let at = 0; at < good.length; at++) {
      const changed = Buffer.from(good)
      changed[at]! ^= 1 << (at % 8)
      try {
        assert.deepEqual(admitOrganisation(changed, 16), expected)
      } catch (cause) {
        assert.match((cause as { code: string }).code, /^CR:CC[1-8]$/)
        refusals++
      }
    }
    assert.equal(refusals, good.length)
  })
})

describe('an IKI CSR', () => {
  const subject = [
    attribute(oids.organizationName, der.utf8String('Test Supplier')),
    role,
    attribute(oids.commonName, der.utf8String('head-end-1')),
  ]

  it('is admitted with O, OU and CN and a key of RSA 2048', () => {
    const { tradingName, role, systemName } = admitIki(csr({ subject, key: rsa }))
    assert.deepEqual([tradingName, role, systemName], ['Test Supplier', 2, 'head-end-1'])
  })

  const bad: Record<string, [Parts, string]> = {
    'without a CN': [{ subject: subject.slice(0, 2), key: rsa }, 'CR:CC5'],
    'with a fourth attribute': [
      { subject: [...subject, attribute(oids.countryName, der.printableString('GB'))], key: rsa },
      'CR:CC5',
    ],
    'with CN twice': [{ subject: [subject[2]!, subject[1]!, subject[2]!], key: rsa }, 'CR:CC5'],
    'with a key on P-256': [{ subject }, 'CR:CC1'],
    'with a modulus of 4096 bits': [{ subject, key: makeKeyPair('RSA-4096'), algorithm: rsaSha256 }, 'CR:CC8'],
    'for keyAgreement': [{ subject, key: rsa, extensions: [usage(true, 4)] }, 'CR:CC6'],
    'with a keyUsage that is not critical': [{ subject, key: rsa, extensions: [usage(false, 0)] }, 'CR:CC6'],
  }
  for (const [what, [parts, code]] of Object.entries(bad)) {
    it(`${what} is refused with ${code}`, () => {
      assert.throws(() => admitIki(csr(parts)), refused(code))
    })
  }

  it('whose signature is not its own is refused with CR:CC3', () => {
    const good = csr({ subject, key: rsa })
    good[good.length - 1]! ^= 1
    assert.throws(() => admitIki(good), refused('CR:CC3'))
  })
})

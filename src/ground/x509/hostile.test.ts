import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { createSecureContext } from 'node:tls'
import { makeDeviceCsr } from '../../../simulator/device.ts'
import { corpusFile, corpusIndex, noCorpus, noOpenssl, openssl } from '../../../test/outside.ts'
import { type Bytes, toHex } from '../bytes.ts'
import { oidText } from '../der/oid.ts'
import { Der, NotDer, tag } from '../der/read.ts'
import { forever, writeTime } from '../der/time.ts'
import {
  bitString,
  boolean,
  element,
  enumerated,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  tagged,
  utf8String,
} from '../der/write.ts'
import { readCertificate, readTbs } from './certificate.ts'
import {
  type Extension,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCertificatePolicies,
  readCrlNumber,
  readExtendedKeyUsage,
  readGeneralNames,
  readKeyUsage,
  readReasonCode,
  readSubjectKeyIdentifier,
} from './extensions.ts'
import { type AlgorithmIdentifier, readEcdsaSignature, readRsaKey } from './key.ts'
import { entryOf, readList } from './list.ts'
import { attributeText, type Name, sameName, showName } from './name.ts'
import { oids } from './names.ts'
import { toPem } from './pem.ts'
import { readRequest } from './request.ts'

// What is good, and is then made bad.
const device = { deviceId: 'a1b2c3d4e5f60718', usage: 'digitalSignature' } as const
const request = makeDeviceCsr(device).csr
const algorithm = sequence(oid(oids.ecdsaWithSha256))
const name = sequence(setOf(sequence(oid(oids.commonName), utf8String('test'))))
const day = writeTime(new Date('2026-11-20T09:30:00Z'))
const extensionsOf = (from: Bytes) => readRequest(from).extensions
const certificate = sequence(
  sequence(
    tagged(0, integer(2)),
    integer(Buffer.alloc(16, 0x55)),
    algorithm,
    name,
    sequence(day, writeTime(new Date(forever))),
    sequence(
      setOf(
        sequence(oid(oids.uniqueIdentifier), bitString(Buffer.alloc(8, 1))),
        sequence(oid(oids.commonName), utf8String('é')),
      ),
    ),
    Buffer.from(readRequest(request).publicKey.spki),
    tagged(
      3,
      sequence(
        ...extensionsOf(request).map(one => sequence(oid(one.oid), boolean(true), octetString(one.value))),
        sequence(oid(oids.basicConstraints), octetString(sequence(boolean(true), integer(1)))),
        sequence(oid(oids.certificatePolicies), octetString(sequence(sequence(oid('1.2.3'))))),
        sequence(oid(oids.authorityKeyIdentifier), octetString(sequence(element(0x80, Buffer.alloc(8, 2))))),
        sequence(oid(oids.subjectKeyIdentifier), octetString(octetString(Buffer.alloc(8, 3)))),
        sequence(oid(oids.extendedKeyUsage), octetString(sequence(oid(oids.clientAuth)))),
      ),
    ),
  ),
  algorithm,
  bitString(Buffer.from(readRequest(request).signature)),
)
const reason = sequence(sequence(oid(oids.reasonCode), octetString(enumerated(1))))
const list = sequence(
  sequence(
    integer(1),
    algorithm,
    name,
    day,
    day,
    sequence(sequence(integer(5), day), sequence(integer(6), day, reason)),
    tagged(0, sequence(sequence(oid(oids.crlNumber), octetString(integer(7))))),
  ),
  algorithm,
  bitString(Buffer.alloc(70, 1)),
)

const published = noCorpus
  ? []
  : corpusIndex()
      .certificates.slice(0, 40)
      .map(({ file }) => corpusFile(file))
const good = { certificate: [certificate, ...published], request: [request], list: [list] }

/** Numbers that look like chance and can be had again: mulberry32. */
function chance(seed: number): (below: number) => number {
  return below => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

interface Node {
  tag: number
  /** Of what is constructed, or an OCTET STRING around DER. */
  inside: Node[] | undefined
  content: Bytes
}

function parse(octets: Bytes): Node[] {
  const nodes: Node[] = []
  for (const der = new Der(octets); !der.done; ) {
    const tagOctet = der.peek()
    const content = der.content(tagOctet, 'it')
    const wraps = tagOctet === tag.octetString && content[0] === 0x30 && content[1] === content.length - 2
    nodes.push({ tag: tagOctet, inside: tagOctet & 0x20 || wraps ? parse(content) : undefined, content })
  }
  return nodes
}

const encode = (node: Node): Buffer =>
  element(node.tag, ...(node.inside ? node.inside.map(encode) : [node.content]))
const copy = (node: Node): Node => ({ ...node, inside: node.inside?.map(copy) })
const everyNode = (nodes: readonly Node[]): Node[] => nodes.flatMap(node => [node, ...everyNode(node.inside ?? [])])
const someTags = [1, 2, 3, 4, 5, 6, 0x0a, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81, 0xa0, 0xa3]

/** Other elements with right lengths around them: what changes is what stands where. */
function changeTree(octets: Bytes, pick: (below: number) => number): Buffer {
  const root: Node = { tag: 0, inside: parse(octets), content: octets }
  for (let times = 1 + pick(2); times > 0 && root.inside!.length > 0; times--) {
    const nodes = everyNode(root.inside!)
    const node = nodes[pick(nodes.length)]!
    const parents = [root, ...nodes].filter(({ inside }) => inside?.length)
    const { inside } = parents[pick(parents.length)]!
    const at = pick(inside!.length)
    const changes = [
      () => (node.tag = pick(256)),
      () => (node.tag = someTags[pick(someTags.length)]!),
      () =>
        (node.content = Buffer.concat([
          node.content.subarray(0, pick(node.content.length + 1)),
          Buffer.of(pick(256)),
        ])),
      () => (node.content = node.content.subarray(pick(node.content.length + 1))),
      () => (node.content = Uint8Array.from(node.content, octet => (pick(8) ? octet : pick(256)))),
      () => inside!.splice(at, 1),
      () => inside!.splice(at, 0, copy(node)),
      () => inside!.push(inside!.splice(at, 1)[0]!),
      () => (node.inside = undefined),
    ]
    changes[pick(changes.length)]!()
  }
  return Buffer.concat(root.inside!.map(encode))
}

/** Octets anywhere set, put in or taken out. */
function changeOctets(octets: Bytes, pick: (below: number) => number): Buffer {
  const changed = Buffer.from(octets)
  for (let times = 1 + pick(3); times > 0; times--) changed[pick(changed.length)] = pick(2) ? pick(256) : 0x80
  const at = pick(changed.length)
  if (pick(4) === 0) return Buffer.concat([changed.subarray(0, at), Buffer.of(pick(256)), changed.subarray(at)])
  return pick(4) === 0 ? changed.subarray(0, at) : changed
}

/** Reads the value of an extension, or what stands for it, in every way we have. */
const values = [
  readKeyUsage,
  readBasicConstraints,
  readSubjectKeyIdentifier,
  readAuthorityKeyIdentifier,
  readCertificatePolicies,
  readExtendedKeyUsage,
  readGeneralNames,
  readCrlNumber,
  readReasonCode,
  (value: Bytes) => oidText(value, 'it'),
  (value: Bytes) => readRsaKey(new Der(value)),
  (value: Bytes) => readEcdsaSignature(new Der(value)),
]

/** Whether it was read; false for NotDer, and anything else is thrown on. */
function attempt(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (error instanceof NotDer) return false
    throw error
  }
}

/** Each value in one of the ways, in turn: they meet all in all. */
let turn = 0
function readValues(extensions: readonly Extension[]) {
  for (const { value } of extensions) {
    const read = values[turn++ % values.length]!
    attempt(() => read(value))
  }
}

/** Reads a thing and then whatever is in it. */
const things: Record<string, (octets: Bytes) => void> = {
  certificate(octets) {
    const { subject, issuer, extensions, publicKey, signature } = readCertificate(octets)
    showName(subject)
    assert.ok(sameName(subject, subject))
    sameName(subject, issuer)
    readValues(extensions)
    attempt(() => readRsaKey(new Der(publicKey.key)))
    attempt(() => readEcdsaSignature(new Der(signature)))
  },
  request(octets) {
    readValues(readRequest(octets).extensions)
  },
  list(octets) {
    const read = readList(octets)
    // Every entry was read once, so walking them cannot throw.
    assert.equal([...read.entries()].length, read.count)
    entryOf(read, octets.subarray(0, 1))
    readValues(read.extensions)
  },
}

describe('Hostile octets', () => {
  // A hundred thousand refusals are most of the work; without the stack of each they take a tenth of the time.
  const { stackTraceLimit } = Error
  before(() => {
    Error.stackTraceLimit = 0
  })
  after(() => {
    Error.stackTraceLimit = stackTraceLimit
  })

  const seed = Date.now() % 0x7fffffff
  const pick = chance(seed)
  const everyGood = Object.entries(good).flatMap(([kind, all]) => all.map(octets => ({ kind, octets })))

  /** @returns how many of so many inputs were read */
  function tryAll(count: number, make: () => { octets: Bytes; read: (octets: Bytes) => unknown }): number {
    let done = 0
    for (let i = 0; i < count; i++) {
      const { octets, read } = make()
      try {
        if (attempt(() => read(octets))) done++
      } catch (error) {
        throw new Error(`seed ${seed}: ${toHex(octets)}`, { cause: error })
      }
    }
    return done
  }

  function changed(change: (octets: Bytes, pick: (below: number) => number) => Bytes) {
    const { kind, octets } = everyGood[pick(everyGood.length)]!
    return { octets: change(octets, pick), read: things[kind]! }
  }

  it('are read to begin with, where they are good', () => {
    assert.equal(
      tryAll(everyGood.length, () => changed(octets => octets)),
      everyGood.length,
    )
  })

  it('made by chance throw nothing but NotDer', () => {
    const readers = [...values, ...Object.values(things), readTbs]
    const done = tryAll(40_000, () => {
      const octets = Uint8Array.from({ length: pick(40) }, () => pick(256))
      // Half of them get past the first tag and length.
      return {
        octets: pick(2) ? octets : element(someTags[pick(someTags.length)]!, octets),
        read: readers[pick(readers.length)]!,
      }
    })
    assert.ok(done > 100, `${done} were read`)
  })

  it('made by changing good ones throw nothing but NotDer', () => {
    const done = tryAll(50_000, () => changed(changeOctets))
    assert.ok(done > 2_000, `${done} were read`)
  })

  it('made by moving the parts of good ones throw nothing but NotDer', () => {
    const done = tryAll(10_000, () => changed(changeTree))
    assert.ok(done > 1_000, `${done} were read`)
  })
})

/** Where we take what OpenSSL refuses, it is because OpenSSL looks into a value that we keep closed. */
function explained(algorithms: readonly AlgorithmIdentifier[], names: readonly Name[]): boolean {
  // Parameters of an algorithm are compared as octets with those that we know, and mean nothing else.
  const known = new Set([undefined, '0500', '06082a8648ce3d030107'])
  const closed = algorithms.some(({ parameters }) => !known.has(parameters && toHex(parameters)))
  // The value of an attribute may be of any type (X.501 8.2); one that is no text, or bad text, equals only itself.
  const values = names.flatMap(({ rdns }) => rdns.flat())
  return closed || values.some(value => value.tag !== tag.bitString && attributeText(value) === undefined)
}

describe('Whatever we take, OpenSSL takes', () => {
  /** @returns how many of the changed ones both took */
  function compare(
    count: number,
    from: readonly Buffer[],
    ours: (octets: Buffer) => boolean,
    theirs: (octets: Buffer) => boolean,
  ) {
    const seed = Date.now() % 0x7fffffff
    const pick = chance(seed)
    let both = 0
    for (let i = 0; i < count; i++) {
      const octets = changeTree(from[pick(from.length)]!, pick)
      let unexplained: boolean
      try {
        unexplained = ours(octets)
      } catch {
        continue
      }
      if (theirs(octets)) both++
      else assert.ok(!unexplained, `seed ${seed}: OpenSSL refuses ${toHex(octets)}`)
    }
    return both
  }

  const quietly = (read: () => unknown) => {
    try {
      read()
      return true
    } catch {
      return false
    }
  }

  it('of certificates', () => {
    const both = compare(
      5_000,
      good.certificate,
      octets => {
        const { signatureAlgorithm, outerAlgorithm, publicKey, issuer, subject } = readCertificate(octets)
        return !explained([signatureAlgorithm, outerAlgorithm, publicKey.algorithm], [issuer, subject])
      },
      octets => quietly(() => new X509Certificate(octets)),
    )
    assert.ok(both > 500, `${both} were taken`)
  })

  it('of lists', () => {
    const both = compare(
      1_500,
      good.list,
      octets => {
        const { innerAlgorithm, outerAlgorithm, issuer } = readList(octets)
        return !explained([innerAlgorithm, outerAlgorithm], [issuer])
      },
      octets => quietly(() => createSecureContext({ crl: toPem('X509 CRL', octets) })),
    )
    assert.ok(both > 100, `${both} were taken`)
  })

  it('of requests', { skip: noOpenssl }, () => {
    const both = compare(
      120,
      good.request,
      octets => {
        const { signatureAlgorithm, publicKey, subject } = readRequest(octets)
        return !explained([signatureAlgorithm, publicKey.algorithm], [subject])
      },
      octets => openssl(['asn1parse', '-inform', 'DER', '-item', 'X509_REQ'], octets).ok,
    )
    assert.ok(both > 10, `${both} were taken`)
  })
})

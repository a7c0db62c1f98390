import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Command } from 'commander'
import fc from 'fast-check'
import { noOpenssl } from '../../../test/outside.ts'
import { type Hierarchy, hierarchies, moment } from '../../../test/verify/hierarchies.ts'
import { opensslVerify } from '../../../test/verify/openssl.ts'
import { ca, ica, keys, leaf, list, root } from '../../../test/verify/scene.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { relyingParty } from '../../ground/x509/path.ts'
import { toPem } from '../../ground/x509/pem.ts'
import { addVerify, gbRules, instant } from './verify.ts'

/** What the command wrote, and its exit code. */
function smki(...args: string[]): { out: string; err: string; code: number | undefined } {
  let [out, err] = ['', '']
  let code: number | undefined
  const program = new Command('smki').exitOverride()
  addVerify(program, {
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
    exit: given => {
      code = given
    },
    clock: () => new Date('2025-06-01T00:00:00Z'),
  })
  program.parse(['node', 'smki', 'verify', ...args])
  return { out, err, code }
}

const pem = (...all: Uint8Array[]) => all.map(der => toPem('CERTIFICATE', der)).join('words between\n')
const crl = (...all: Uint8Array[]) => all.map(der => toPem('X509 CRL', der)).join('')

describe('smki verify', () => {
  let folder = ''
  const at = (file: string) => join(folder, file)
  const put = (file: string, octets: string | Uint8Array) => {
    writeFileSync(at(file), octets)
    return at(file)
  }
  const other = ['--profile', 'rfc5280'] as const
  const target = leaf(keys.leaf, ica, { serial: 4711 })
  let files: Record<'leaf' | 'der' | 'chain' | 'root' | 'ica' | 'lists' | 'revoking' | 'expired', string>

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'verify-'))
    mkdirSync(at('all/deeper'), { recursive: true })
    mkdirSync(at('empty'))
    files = {
      leaf: put('leaf.pem', pem(target)),
      der: put('leaf.der', target),
      chain: put('chain.pem', pem(target, ica.der)),
      root: put('root.der', root.der),
      ica: put('ica.pem', pem(ica.der)),
      lists: put('lists.pem', crl(list(root), list(ica))),
      revoking: put('revoking.pem', crl(list(root), list(ica, { revoked: [{ serial: 4711, reason: 1 }] }))),
      expired: put('expired.pem', pem(leaf(keys.leaf, ica, { until: '2025-01-01' }))),
    }
    put('all/ica.crt', ica.der)
    put('all/deeper/root.pem', pem(root.der))
    put('all/deeper/list.crl', list(ica))
    put('all/readme.txt', 'nothing of the kind\n')
    symlinkSync('..', at('all/deeper/round'))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('says OK, shows the path, and says that revocation was not checked', () => {
    const { out, err, code } = smki(files.leaf, '--trust', files.root, '--untrusted', files.ica, ...other)
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /leaf\.pem: OK\n +path +CN=leaf, serial 1267\n +CN=Issuing.*\n +CN=Root.*\n/)
    assert.match(out, /revocation +not checked/)
    assert.match(out, /1 verified: 1 OK, 0 refused/)
  })

  it('says REFUSED with code and sentence, and exits with 1 when one of several is', () => {
    const { out, code } = smki(files.leaf, files.expired, '--trust', files.root, '--untrusted', files.ica, ...other)
    assert.equal(code, 1)
    assert.match(out, /expired\.pem: REFUSED\n(?:.*\n)*? +EXPIRED +CN=leaf: valid until 250101000000Z/)
    assert.match(out, /2 verified: 1 OK, 1 refused/)
  })

  it('takes the first of a file as the target and the others between, and the same certificate as DER', () => {
    assert.equal(smki(files.chain, '--trust', files.root, ...other).code, 0)
    assert.equal(smki(files.leaf, '--trust', files.root, ...other).code, 1)
    assert.equal(smki(files.der, '--trust', files.root, '--untrusted', files.ica, ...other).code, 0)
  })

  it('reads folders to the bottom, passes over what is something else and says so', () => {
    const { out, err, code } = smki(files.leaf, '--trust', at('all/deeper'), '--untrusted', at('all'), ...other)
    assert.equal(code, 0, out)
    assert.match(err, /passed over, no certificates: .*list\.crl\n/)
    assert.match(err, /passed over, no certificates: .*list\.crl, .*readme\.txt\n/)
  })

  it('checks revocation when lists are given', () => {
    const world = ['--trust', files.root, '--untrusted', files.ica, ...other]
    const good = smki(files.leaf, ...world, '--crl', files.lists)
    assert.equal(good.code, 0)
    assert.match(good.out, /revocation +checked/)
    const bad = smki(files.leaf, ...world, '--crl', files.revoking)
    assert.equal(bad.code, 1)
    assert.match(
      bad.out,
      /REVOKED +CN=leaf: revoked by list 1 of CN=Issuing: keyCompromise on 2025-01-01T00:00:00Z/,
    )
    const partly = smki(files.leaf, ...world, '--crl', at('all'))
    assert.equal(partly.code, 1)
    assert.match(partly.out, /LIST_MISSING +CN=Issuing: no list of CN=Root was given/)
    assert.match(partly.out, /revocation +partly/)
    const none = smki(files.leaf, ...world, '--crl', at('empty'))
    assert.equal(none.code, 1, 'a folder without lists is no leave to go without')
    assert.match(none.out, /LIST_MISSING/)
  })

  it('asks about the moment that is named', () => {
    const world = ['--trust', files.root, '--untrusted', files.ica, ...other]
    assert.equal(smki(files.expired, ...world, '--at', '2024-12-31').code, 0)
    assert.equal(smki(files.expired, ...world, '--at', '2025-01-01T00:00:00Z').code, 0)
    assert.equal(smki(files.expired, ...world, '--at', '2025-01-01T01:00:01+01:00').code, 1)
    assert.equal(smki(files.expired, ...world, '--ignore-time').code, 0)
    assert.equal(smki(files.expired, ...world, '--ignore-time', '--at', '2024-12-31').code, 2)
    assert.equal(smki(files.expired, ...world, '--at', 'yesterday').code, 2)
  })

  it('asks for a policy', () => {
    const world = ['--trust', files.root, '--untrusted', files.ica, ...other]
    const { out, code } = smki(files.leaf, ...world, '--policy', '1.2.3')
    assert.equal(code, 1)
    assert.match(out, /POLICY_NOT_ACCEPTED/)
    assert.equal(smki(files.leaf, ...world, '--policy', 'x').code, 2)
  })

  it('measures by the rules of the GB profiles unless told otherwise', () => {
    const { out, code } = smki(files.chain, '--trust', files.root)
    assert.equal(code, 1)
    assert.match(out, /PROFILE +CN=leaf: .*\[[a-z_]+\]/)
  })

  it('writes one JSON array', () => {
    const { out, code } = smki(files.chain, files.expired, '--trust', files.root, ...other, '--json')
    assert.equal(code, 1)
    const [good, bad] = JSON.parse(out)
    assert.deepEqual(Object.keys(good), ['file', 'valid', 'path', 'refusals', 'revocation', 'notes'])
    assert.deepEqual(
      [good.file, good.valid, good.refusals, good.revocation],
      [files.chain, true, [], 'not checked'],
    )
    assert.equal(good.path.length, 3)
    assert.deepEqual(
      [good.path[0].subject, good.path[0].issuer, good.path[0].serial],
      ['CN=leaf', 'CN=Issuing', '1267'],
    )
    assert.match(good.path[2].sha256, /^[0-9a-f]{64}$/)
    assert.equal(bad.valid, false)
    assert.deepEqual(
      bad.refusals.map(({ code: which }: { code: string }) => which),
      ['NO_PATH', 'EXPIRED'],
    )
    assert.deepEqual(Object.keys(bad.refusals[0]), ['code', 'sentence'])
  })

  it('refuses a target that is no certificate by what is wrong with it', () => {
    const cut = put('cut.der', target.subarray(0, 100))
    const { out, code } = smki(cut, put('text.pem', 'hello\n'), '--trust', files.root, ...other)
    assert.equal(code, 1)
    assert.match(out, /cut\.der: REFUSED\n +MALFORMED +the certificate is cut short: .* octets are missing/)
    assert.match(out, /text\.pem: REFUSED\n +MALFORMED +neither DER nor PEM/)
    const second = put('second.pem', `${pem(target)}${toPem('CERTIFICATE', Buffer.from('3000', 'hex'))}`)
    assert.match(smki(second, '--trust', files.root, ...other).out, /MALFORMED/)
  })

  it('decides nothing when something that was named cannot be read', () => {
    const broken = put('broken.crl', list(ica).subarray(0, 80))
    const cases = [
      [files.leaf, '--trust', at('absent.pem')],
      [files.leaf, '--trust', put('broken.pem', '-----BEGIN CERTIFICATE-----\nMIIB\n')],
      [files.leaf, '--trust', files.root, '--untrusted', files.lists],
      [files.leaf, '--trust', files.root, '--crl', broken],
      [files.leaf, '--trust', files.root, '--crl', files.ica],
      [files.leaf],
    ]
    for (const args of cases) {
      const { out, err, code } = smki(...args, ...other)
      assert.deepEqual([code, out], [2, ''], args.join(' '))
      assert.notEqual(err, '')
    }
    mkdirSync(at('lists'))
    put('lists/good.crl', list(ica))
    put('lists/newer.crl', list(ica).subarray(0, 90))
    assert.equal(
      smki(files.leaf, '--trust', files.root, '--crl', at('lists'), ...other).code,
      2,
      'a list cut short in a folder',
    )
  })

  it('goes on with the other files when one cannot be read, and exits with 2', () => {
    const { out, err, code } = smki(at('absent.pem'), folder, files.chain, '--trust', files.root, ...other)
    assert.equal(code, 2)
    assert.match(err, /absent\.pem: cannot be read/)
    assert.match(out, /chain\.pem: OK/)
    assert.match(out, /1 verified/)
  })

  it('cannot be made to forge a line by a name', () => {
    const forged = ca('leaf\nother.pem: OK', keys.leaf, ica).der
    const { out } = smki(put('odd.pem', pem(forged)), '--trust', files.root, ...other)
    assert.ok(!/^other\.pem: OK/m.test(out), out)
  })

  it('knows a moment when it sees one', () => {
    const good: Record<string, string> = {
      '2026-11-20': '2026-11-20T00:00:00.000Z',
      '2026-11-20T09:30:00Z': '2026-11-20T09:30:00.000Z',
      '2026-11-20t09:30:00z': '2026-11-20T09:30:00.000Z',
      '2026-11-20T09:30:00.25+01:00': '2026-11-20T08:30:00.250Z',
      '2024-02-29': '2024-02-29T00:00:00.000Z',
    }
    for (const [text, is] of Object.entries(good)) assert.equal(instant(text)?.toISOString(), is)
    const bad = ['', 'now', '2026', '2026-13-01', '2025-02-29', '2026-02-30T00:00:00Z', '2026-11-20T24:00:00Z']
    const worse = [
      '2026-11-20T09:30Z',
      '2026-11-20T09:30:60Z',
      '2026-11-20T09:30:00+99:99',
      ' 2026-11-20',
      '20261120',
    ]
    for (const text of [...bad, ...worse]) assert.equal(instant(text), undefined, text)
  })

  it('never throws for a target, whatever its octets, with the GB rules at work', () => {
    const ask = relyingParty({
      trust: [readCertificate(root.der)],
      untrusted: [readCertificate(ica.der)],
      profile: 'gb',
      gb: gbRules([]),
    })
    fc.assert(
      fc.property(fc.nat(target.length - 1), fc.integer({ min: 1, max: 255 }), (where, change) => {
        const spoilt = Buffer.from(target)
        spoilt[where]! ^= change
        assert.equal(ask(spoilt, new Date('2025-06-01T00:00:00Z')).valid, false)
      }),
      { numRuns: 300 },
    )
  })

  describe('agrees with OpenSSL about', () => {
    for (const [kind, make] of Object.entries(hierarchies)) {
      describe(`the ${kind} hierarchy`, () => {
        let made: Hierarchy
        const run = (lists: readonly (Buffer | undefined)[] | undefined, when: string, trust?: Buffer) => {
          const given = lists?.filter(one => one !== undefined)
          put('h-end.pem', pem(made.end))
          put('h-root.pem', pem(trust ?? made.root))
          put('h-issuing.pem', pem(made.issuing))
          if (given) put('h-lists.pem', crl(...given))
          const { code, out } = smki(
            at('h-end.pem'),
            '--trust',
            at('h-root.pem'),
            '--untrusted',
            at('h-issuing.pem'),
            ...(given ? ['--crl', at('h-lists.pem')] : []),
            '--at',
            when,
          )
          const setting = { trust: [trust ?? made.root], untrusted: [made.issuing], at: when }
          const theirs = noOpenssl
            ? undefined
            : opensslVerify({ ...setting, ...(given && { lists: given }) }, [made.end])[0]!.error
          return { code, out, theirs }
        }
        const agree = ({ code, out, theirs }: ReturnType<typeof run>, expected: 0 | 1) => {
          assert.equal(code, expected, out)
          if (theirs !== undefined) assert.equal(theirs === 0, expected === 0, `OpenSSL ${theirs}`)
        }
        before(() => {
          made = make()
        })

        it('a good certificate', () => {
          agree(run(undefined, moment), 0)
          const checked = run([made.arl, made.crl], moment)
          assert.match(checked.out, /revocation +checked/)
          // OpenSSL does not know that Device Certificates have no list.
          if (made.crl) agree(checked, 0)
          else assert.deepEqual([checked.code, checked.theirs ?? 3], [0, 3])
        })

        it('a revoked one', () => {
          const { arl, crl: leafList } = made.revoking
          if (leafList) {
            const revoked = run([made.arl, leafList], moment)
            agree(revoked, 1)
            assert.match(revoked.out, /REVOKED/)
          }
          const revokedCa = run([arl, made.crl], moment)
          agree(revokedCa, 1)
          assert.match(revokedCa.out, /REVOKED/)
        })

        it('one that has expired, or whose CA has', () => {
          agree(run(undefined, '2080-01-01T00:00:00Z'), 1)
          agree(run(undefined, '2026-11-19T00:00:00Z'), 1)
        })

        it('a list that is stale or missing', () => {
          agree(run([made.arl, made.crl], '2028-01-01T00:00:00Z'), 1)
          if (made.crl) agree(run([made.crl], moment), 1)
        })

        it('another root of the same name', () => {
          agree(run(undefined, moment, kind === 'iki' ? root.der : make().root), 1)
        })
      })
    }
  })
})

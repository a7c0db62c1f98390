import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { XmlDocument } from 'libxml2-wasm'
import { judge } from '../../../test/xsd.ts'
import { codes } from '../../policy/smki-device/codes.ts'
import {
  resultEnd,
  resultHead,
  resultItem,
  resultRefused,
  resultUnfinished,
  submitAccepted,
  submitRefused,
  type Unfinished,
} from './batch-answer.ts'

const libxml2 = judge(new URL('./schema/PortalCSRBatch-1.0.xsd', import.meta.url))
const build = 'OpenSMKI 0.1 <&> "é"'
const ids = ['b1', ' ', '\t\n"<&>\'é', '\u{10000}'.repeat(256)]

/** Valid, and then: root, ID, and the texts behind Version and Build. */
function content(document: string): [string, string | undefined, ...string[]] {
  assert.equal(libxml2(document), undefined)
  using parsed = XmlDocument.fromString(document)
  assert.equal(parsed.get('/*/Version')?.content, '1.0')
  assert.equal(parsed.get('/*/Build')?.content, build)
  const leaves = parsed.find('/*/*[position() > 2]/descendant-or-self::*[not(*)]')
  return [parsed.root.name, parsed.root.attr('ID')?.value, ...leaves.map(leaf => leaf.content)]
}

describe('the answer to a submission', () => {
  it('is PENDING with the BatchId and the ID when accepted', () => {
    for (const id of ids) {
      assert.deepEqual(content(submitAccepted({ id, build, batchId: 99n })), [
        'SubmitCSRBatchStatus',
        id,
        'PENDING',
        '99',
      ])
    }
  })

  it('has no ID when the XML was invalid', () => {
    assert.deepEqual(content(submitRefused({ id: undefined, build, failure: codes['FM:AA1'] })), [
      'SubmitCSRBatchStatus',
      undefined,
      'FORMAT_ERROR',
      'FM:AA1',
      'Invalid XML in request',
    ])
  })

  it('has the ID when there were too many CSRs, and when we failed', () => {
    for (const id of ids) {
      for (const failure of [codes['FM:AA2'], codes['WF:BB2']]) {
        assert.deepEqual(content(submitRefused({ id, build, failure })), [
          'SubmitCSRBatchStatus',
          id,
          failure.status,
          failure.code,
          failure.text,
        ])
      }
    }
  })

  it('is not written with what its schema does not have', () => {
    assert.throws(() => submitRefused({ id: 'a', build, failure: codes['CR:CC1'] }), RangeError)
    assert.throws(() => submitAccepted({ id: 'a', build, batchId: 0 }), RangeError)
  })
})

describe('the result of a batch', () => {
  it('is the state and the BatchId while there are no items to tell of', () => {
    const states: Unfinished[] = ['PENDING', 'REJECTED', 'PARSING', 'QUEUED', 'PROCESSING', 'PAUSED', 'TAMPERED']
    for (const batchStatus of states) {
      assert.deepEqual(content(resultUnfinished({ id: 'b1', build, batchId: 99, batchStatus })), [
        'CSRBatchResult',
        'b1',
        batchStatus,
        '99',
      ])
    }
  })

  it('is an error without an ID when the batch is unknown or the query failed', () => {
    for (const failure of [codes['FM:AA3'], codes['WF:BB1']]) {
      assert.deepEqual(content(resultRefused({ build, failure })), [
        'CSRBatchResult',
        undefined,
        failure.status,
        failure.code,
        failure.text,
      ])
    }
  })

  it('is one item for each CSR when completed, in pieces', () => {
    const failures = Object.values(codes).filter(
      ({ status }) => !['FORMAT_ERROR', 'UNKNOWN_DEVICE'].includes(status),
    )
    assert.equal(failures.length, 19)
    const certificate = Uint8Array.of(0x30, 0x82, 1, 2, 3)
    for (const id of ids) {
      const items = failures.map(failure =>
        resultItem({ id: `é-${failure.code.replace(':', '')}`, outcome: failure }),
      )
      const document = [
        resultHead({ id, build, batchId: '99' }),
        resultItem({ id: 'a', outcome: { certificate } }),
        ...items,
        resultEnd,
      ].join('')
      const texts = failures.flatMap(({ status, code, text }) => [status, code, text])
      assert.deepEqual(content(document), [
        'CSRBatchResult',
        id,
        'COMPLETED',
        '99',
        'SUCCESS',
        'MIIBAgM=',
        ...texts,
      ])
      using parsed = XmlDocument.fromString(document)
      assert.deepEqual(
        parsed.find('//DeviceCertificate/@ID').map(found => found.content),
        ['a', ...failures.map(({ code }) => `é-${code.replace(':', '')}`)],
      )
    }
  })

  it('is not written with what its schema does not have', () => {
    assert.throws(() => resultItem({ id: 'a', outcome: codes['UD:DD1'] }), RangeError)
    assert.throws(() => resultItem({ id: 'a', outcome: codes['FM:AA1'] }), RangeError)
    assert.throws(() => resultRefused({ build, failure: codes['CA:FF1'] }), RangeError)
    assert.throws(() => resultHead({ id: 'a', build, batchId: '9x' }), RangeError)
  })
})

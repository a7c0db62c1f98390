/** What the story needs beside its people: authorities, a signer, and a clock that the story turns. */

import { hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { type BatchItem, makeBatchXml } from '../../simulator/batch.ts'
import { BatchReader } from '../../src/doors/device-csr/batch-message.ts'
import { type KeyPair, makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { ikiCsr } from '../../src/main/csr.ts'
import { hierarchies, profileNamed } from '../../src/policy/hierarchies.ts'
import type { CertificateKind } from '../../src/policy/registration/credentials.ts'
import { advance, decideBatch, parse } from '../../src/rooms/issuance/batch.ts'
import { eligibilityFor } from '../../src/rooms/issuance/device-eligible.ts'
import { issueCredential } from '../../src/rooms/issuance/iki-issue.ts'
import { deviceIssuing } from '../../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../../src/rooms/issuance/issuing-dcas.ts'
import { issueSubmission } from '../../src/rooms/issuance/organisation-issue.ts'
import { submitOrganisation } from '../../src/rooms/issuance/organisation-submit.ts'
import { issuePortion, takePortion } from '../../src/rooms/issuance/portion.ts'
import { type ItemResult, resultsOf } from '../../src/rooms/issuance/results.ts'
import { beginUpload } from '../../src/rooms/issuance/upload.ts'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { handOver, requestCredential } from '../../src/rooms/registration/credentials.ts'
import { inventoryInMemory } from '../../src/rooms/registration/inventory.ts'
import { openScene, type Scene } from '../revocation/scene.ts'

export interface Held {
  readonly life: number
  readonly certificate: Certificate
}

export interface Story extends Scene {
  /** Requested, verified, approved, issued from the CSR, handed over. */
  give(by: Officer, party: number, kind: CertificateKind, tradingName: string, holder?: string): Promise<Held>
  /** An ARO submits it with his credential; the signer issues it. */
  organisationCsr(credential: Held, csr: Uint8Array): Promise<Certificate>
  /** A batch as it comes to the door, approved by the Registration Authority, issued, and its results read. */
  deviceBatch(party: number, items: readonly BatchItem[]): Promise<ItemResult[]>
}

export async function openStory(): Promise<Story> {
  const scene = await openScene(['smki-organisation', 'smki-device', 'iki'])
  const { hands, settings, store, keys } = scene
  const at = { ...hands }
  let key: KeyPair | undefined

  return {
    ...scene,
    async give(by, party, kind, tradingName, holder) {
      // One key for each credential in life; here making one takes longer than all the rest.
      key = makeKeyPair('RSA-2048')
      const systemName = `${tradingName} ${kind}`.slice(0, 60)
      const csr = ikiCsr(key, { tradingName, role: 2, systemName })
      const digests = { sha256: hash('sha256', csr, 'hex'), publicKeySha256: hash('sha256', key.publicKey, 'hex') }
      const request = {
        kind,
        party,
        role: 2,
        systemName,
        csr: digests,
        ...(holder !== undefined && { person: holder }),
      }
      const asked = await requestCredential(at, by, request)
      await scene.decide(asked)
      const issuing = {
        record: scene.authority('iki'),
        keys: keys.issuing,
        profileNamed: (name: string) => profileNamed(settings, name),
      }
      const der = await issueCredential(at, issuing, { credential: asked.credential, csr })
      if (der instanceof Refusal) throw der
      const receipt = [{ kind: 'receipt', reference: 'token and PIN apart' }]
      await handOver(at, scene.personnel[0], asked.credential, { evidence: receipt })
      return { life: asked.credential, certificate: readCertificate(der) }
    },
    async organisationCsr(credential, csr) {
      const { organisationNameCharacters } = settings.certificates
      const rules = { organisationNameCharacters, rejectionDays: settings.issuing.rejectionDays }
      const { issuer, serial } = credential.certificate
      const shown = { issuer: issuer.der, serial }
      const submission = await submitOrganisation(at, rules, {
        credential: shown,
        csr: toPem('CERTIFICATE REQUEST', csr),
      })
      if (submission.refusal) throw new Refusal(submission.refusal.code, submission.refusal.says)
      const profile = profileNamed(settings, 'Organisation Certificate')
      const issuing = {
        record: scene.authority('smki-organisation'),
        keys: keys.issuing,
        profile,
        organisationNameCharacters,
      }
      const der = await issueSubmission(at, issuing, submission.id)
      if (der instanceof Refusal) throw der
      return readCertificate(der)
    },
    async deviceBatch(party, items) {
      const upload = await beginUpload(at, 100)
      const reader = new BatchReader(item => upload.take(item), { limit: 1000 })
      for await (const part of Readable.from(makeBatchXml(items, { id: 'batch-1' }))) reader.write(part)
      await upload.accept({ party, reference: reader.end().id })
      const { id } = upload
      await decideBatch(at, id, { approve: true, by: scene.personnel[0].person })
      await parse(at, id)
      await advance(at, true)
      const device = hierarchies(settings)['smki-device']
      const profile = profileNamed(settings, 'Device Certificate')
      const devices = deviceIssuing(at, issuingDcas(at, keys.issuing, profile, device.issuing.keyUse!, 1))
      const eligible = eligibilityFor(
        store,
        settings.registration,
        inventoryInMemory(settings.registration.smiStatuses),
        party,
      )
      for (let portion = await takePortion(at, 'story'); portion; portion = await takePortion(at, 'story')) {
        await issuePortion(
          devices,
          portion,
          'story',
          { threshold: 100, knownDevicesOnly: false },
          undefined,
          eligible,
        )
      }
      await advance(at, true)
      const results: ItemResult[] = []
      for await (const some of resultsOf(store, { id, count: items.length })) results.push(...some)
      return results
    },
  }
}

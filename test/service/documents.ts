/** Documents for both channels that are good but for one thing, each under the name of what that is. */

const xml = '<?xml version="1.0" encoding="UTF-8"?>'

/** `CSR` stands for the text of a good request. */
export const badDocuments: Record<string, { adHoc?: string; batch?: string }> = {
  'is empty': { adHoc: '', batch: '' },
  'is no XML': { adHoc: 'MIIBEjCBugIBADAA', batch: '{"DeviceCSR": []}' },
  'ends too early': {
    adHoc: `${xml}<DeviceCertificateSigningRequest ID="a"><Version>1.0</Version><CertificateSigningRequest>CSR`,
    batch: `${xml}<SubmitCSRBatch ID="a"><Version>1.0</Version><DeviceCSR ID="a">CSR</DeviceCSR>`,
  },
  'goes on after its end': {
    adHoc:
      '<DeviceCertificateSigningRequest ID="a"><Version>1.0</Version><CertificateSigningRequest>CSR</CertificateSigningRequest></DeviceCertificateSigningRequest><x/>',
    batch: '<SubmitCSRBatch ID="a"><Version>1.0</Version><DeviceCSR ID="a">CSR</DeviceCSR></SubmitCSRBatch><x/>',
  },
  'crosses its tags': {
    adHoc: '<DeviceCertificateSigningRequest ID="a"><Version>1.0</DeviceCertificateSigningRequest></Version>',
    batch: '<SubmitCSRBatch ID="a"><Version>1.0</SubmitCSRBatch></Version>',
  },
  'has a document type': {
    adHoc:
      '<!DOCTYPE x><DeviceCertificateSigningRequest ID="a"><Version>1.0</Version><CertificateSigningRequest>CSR</CertificateSigningRequest></DeviceCertificateSigningRequest>',
    batch:
      '<!DOCTYPE x><SubmitCSRBatch ID="a"><Version>1.0</Version><DeviceCSR ID="a">CSR</DeviceCSR></SubmitCSRBatch>',
  },
  'declares an entity, and uses it': {
    adHoc:
      '<!DOCTYPE x [<!ENTITY v "1.0">]><DeviceCertificateSigningRequest ID="a"><Version>&v;</Version><CertificateSigningRequest>CSR</CertificateSigningRequest></DeviceCertificateSigningRequest>',
    batch:
      '<!DOCTYPE x [<!ENTITY v SYSTEM "file:///etc/passwd">]><SubmitCSRBatch ID="&v;"><Version>1.0</Version><DeviceCSR ID="a">CSR</DeviceCSR></SubmitCSRBatch>',
  },
  'is a bomb of entities': {
    batch: `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">${'bcdefghij'.replace(/./g, (c, i: number) => `<!ENTITY ${c} "${`&${'abcdefghij'[i]};`.repeat(10)}">`)}]><SubmitCSRBatch ID="a"><Version>1.0</Version><DeviceCSR ID="a">&j;</DeviceCSR></SubmitCSRBatch>`,
  },
  'uses an entity that nobody declared': {
    adHoc:
      '<DeviceCertificateSigningRequest ID="&nbsp;"><Version>1.0</Version><CertificateSigningRequest>CSR</CertificateSigningRequest></DeviceCertificateSigningRequest>',
    batch: '<SubmitCSRBatch ID="&nbsp;"><Version>1.0</Version><DeviceCSR ID="a">CSR</DeviceCSR></SubmitCSRBatch>',
  },
  'has another root': {
    adHoc: '<SubmitCSRBatch ID="a"><Version>1.0</Version><DeviceCSR ID="a">CSR</DeviceCSR></SubmitCSRBatch>',
    batch:
      '<DeviceCertificateSigningRequest ID="a"><Version>1.0</Version><CertificateSigningRequest>CSR</CertificateSigningRequest></DeviceCertificateSigningRequest>',
  },
  'has a root in a namespace': {
    adHoc:
      '<DeviceCertificateSigningRequest xmlns="urn:x" ID="a"><Version>1.0</Version><CertificateSigningRequest>CSR</CertificateSigningRequest></DeviceCertificateSigningRequest>',
    batch:
      '<SubmitCSRBatch xmlns="urn:x" ID="a"><Version>1.0</Version><DeviceCSR ID="a">CSR</DeviceCSR></SubmitCSRBatch>',
  },
  'has no ID': {
    adHoc:
      '<DeviceCertificateSigningRequest><Version>1.0</Version><CertificateSigningRequest>CSR</CertificateSigningRequest></DeviceCertificateSigningRequest>',
    batch: '<SubmitCSRBatch><Version>1.0</Version><DeviceCSR ID="a">CSR</DeviceCSR></SubmitCSRBatch>',
  },
  'has its ID twice': {
    adHoc:
      '<DeviceCertificateSigningRequest ID="a" ID="b"><Version>1.0</Version><CertificateSigningRequest>CSR</CertificateSigningRequest></DeviceCertificateSigningRequest>',
    batch: '<SubmitCSRBatch ID="a" ID="b"><Version>1.0</Version><DeviceCSR ID="a">CSR</DeviceCSR></SubmitCSRBatch>',
  },
  'has a CSR without ID': {
    batch: '<SubmitCSRBatch ID="a"><Version>1.0</Version><DeviceCSR>CSR</DeviceCSR></SubmitCSRBatch>',
  },
  'has two CSRs with one ID': {
    batch:
      '<SubmitCSRBatch ID="a"><Version>1.0</Version><DeviceCSR ID="a">CSR</DeviceCSR><DeviceCSR ID="b">CSR</DeviceCSR><DeviceCSR ID="a">CSR</DeviceCSR></SubmitCSRBatch>',
  },
  'has an ID that begins with a digit': {
    batch: '<SubmitCSRBatch ID="a"><Version>1.0</Version><DeviceCSR ID="1a">CSR</DeviceCSR></SubmitCSRBatch>',
  },
  'has an ID of 101 characters': {
    batch: `<SubmitCSRBatch ID="a"><Version>1.0</Version><DeviceCSR ID="${'a'.repeat(101)}">CSR</DeviceCSR></SubmitCSRBatch>`,
  },
  'has no CSR': {
    adHoc: '<DeviceCertificateSigningRequest ID="a"><Version>1.0</Version></DeviceCertificateSigningRequest>',
    batch: '<SubmitCSRBatch ID="a"><Version>1.0</Version></SubmitCSRBatch>',
  },
  'has another version': {
    adHoc:
      '<DeviceCertificateSigningRequest ID="a"><Version>1.1</Version><CertificateSigningRequest>CSR</CertificateSigningRequest></DeviceCertificateSigningRequest>',
    batch: '<SubmitCSRBatch ID="a"><Version>2.0</Version><DeviceCSR ID="a">CSR</DeviceCSR></SubmitCSRBatch>',
  },
  'has one element more': {
    adHoc:
      '<DeviceCertificateSigningRequest ID="a"><Version>1.0</Version><CertificateSigningRequest>CSR</CertificateSigningRequest><x/></DeviceCertificateSigningRequest>',
    batch: '<SubmitCSRBatch ID="a"><Version>1.0</Version><DeviceCSR ID="a">CSR</DeviceCSR><x/></SubmitCSRBatch>',
  },
  'has PEM boundaries': {
    adHoc:
      '<DeviceCertificateSigningRequest ID="a"><Version>1.0</Version><CertificateSigningRequest>-----BEGIN CERTIFICATE REQUEST-----CSR-----END CERTIFICATE REQUEST-----</CertificateSigningRequest></DeviceCertificateSigningRequest>',
    batch:
      '<SubmitCSRBatch ID="a"><Version>1.0</Version><DeviceCSR ID="a">-----BEGIN CERTIFICATE REQUEST-----CSR-----END CERTIFICATE REQUEST-----</DeviceCSR></SubmitCSRBatch>',
  },
  'is in UTF-16': {
    adHoc: Buffer.from(`<DeviceCertificateSigningRequest ID="a"/>`, 'utf16le').toString('latin1'),
    batch: Buffer.from(`<SubmitCSRBatch ID="a"/>`, 'utf16le').toString('latin1'),
  },
}

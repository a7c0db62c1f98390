/** For every rule of the reviewer texts with a planted fault, and texts without. */

/** A table of Defined Terms. */
export const terms = (...rows: string[]) =>
  ['| Defined Term | Definition |', '|---|---|', '| Alpha Key | a key |', '| Beta Key | a key |', ...rows].join(
    '\n',
  )

/** For every rule texts with a planted fault, where it stands and what is said of it, and texts without. */
export const cases: Record<
  string,
  { bad: readonly [text: string, line: number, found: RegExp][]; good: readonly string[] }
> = {
  standard_superseded: {
    bad: [
      ['Names are as in RFC 5280.\n\nOlder ones follow RFC3280.', 3, /^RFC 3280 is superseded: now RFC 5280/],
      ['The module is validated to FIPS PUB 140-2.', 1, /FIPS 140-3/],
      ['Key management is that of A.10.1.2 of ISO/IEC 27001.', 1, /A\.8\.24/],
      ['TLS 1.0 may be used.', 1, /deprecated/],
    ],
    good: [
      'Certificates follow RFC 5280, requests RFC 2986, and modules FIPS 140-3.',
      'RFC 32800 is not RFC 3280.1 either.',
    ],
  },
  standard_unknown: {
    bad: [['As in RFC 5280.\nAs in RFC 99999.', 2, /RFC 99999/]],
    good: ['As in RFC 5280 and RFC 3280.'],
  },
  reference_unresolved: {
    bad: [
      ['1. Scope\n\nSee Section 4.2 for more.\n\n2. Duties\n\nSome.', 3, /Section 4\.2/],
      ['# Duties\n\nThe profile is in Annex C.\n\n# Annex B Profiles\n\nNone.', 3, /Annex C/],
      ['# Duties\n\nAs shown in Table 2.\n\nTable 1: Times', 3, /Table 2/],
      ['(a) the first\n\n(b) the second, as under (d)', 3, /\(d\)/],
    ],
    good: [
      '1. Scope\n\nSee Section 2.1 and Annex B.\n\n2. Duties\n\n2.1 All\n\nSome.\n\nAnnex B: Profiles\n\nNone.',
      'It follows Section 4.2 of the Device Certificate Policy and section 9.9 of SEC Appendix D.',
      '(a) the first\n\n(b) the second\n\n(i) of these, as under (a) and (b)(i)',
      'SEC Appendix D section 8.3.3 says who.\n\nWhat Section 8.3.3 says is this.',
    ],
  },
  clause_label_form: {
    bad: [['(a) the first\n\nb(iii) the second', 3, /b\(iii\)/]],
    good: ['(a) the first\n\n(b)(iii) the second'],
  },
  term_defined_twice: {
    bad: [[terms('| Alpha Key | another key |'), 5, /Alpha Key.*is defined in 3 too, as “a key”/]],
    good: [terms('| Gamma Key | another key |')],
  },
  term_unused: {
    bad: [[`An Alpha Key.\n\n${terms()}`, 6, /Beta Key/]],
    good: [`Alpha Keys and the beta key.\n\n${terms()}`],
  },
  term_undefined: {
    bad: [[`${terms('| Delta | x |')}\n\nA Gamma Key opens it.\nEach Gamma Key is kept.`, 7, /Gamma Key.*2 times/]],
    good: [
      `${terms('| Gamma Key | x |')}\n\nA Gamma Key opens it.\nEach Gamma Key is kept.`,
      'A Gamma Key. A Gamma Key.',
    ],
  },
  name_varies: {
    bad: [
      ['The Registered Data Provider.\n\nA Registration Data Provider.', 3, /Registration Data Provider.*in 1/],
    ],
    good: ['The Registration Data Provider.\n\nMany Registration Data Providers.'],
  },
  abbreviation_unexplained: {
    bad: [['The DCC runs it.', 1, /DCC/]],
    good: [
      'The Data Communications Company (DCC) runs it. The DCC does.',
      '| Acronym | Full term |\n|---|---|\n| SMETS1 | the first |\n\nSMETS1 Supporting Requirements (S1SR). The S1SR.',
      '| Acronym | Full term |\n|---|---|\n| DCC | Data Communications Company |\n\nThe DCC.',
      'Served by HTTPS.',
    ],
  },
  abbreviation_two_meanings: {
    bad: [
      ['An IKI Certification Authority (ICA).\n\nThe IKI Certificate Authority (ICA).', 3, /ICA is .*, and in 1/],
    ],
    good: ['A Security Sub-Committee (SSC).\n\nThe Security Sub Committees (SSC).'],
  },
  spelling_varies: {
    bad: [['An EUI-64 identifier.\n\nThe EUI64 identifier.', 3, /EUI64.*in 1 “EUI-64”/]],
    good: ['An EUI-64 identifier.\n\nMany EUI-64s.'],
  },
  letters_exchanged: {
    bad: [['SMETS1 SMETS1 SMETS1 SMETS1\n\nEach SMTES1 device.', 3, /SMTES1.*SMETS1/]],
    good: ['SMETS1 SMETS1 SMETS1 SMETS1\n\nEach SMETS2 device.'],
  },
  word_twice: {
    bad: [['It says that that is so.', 1, /that that/]],
    good: ['It says that is so, so be it.'],
  },
  contents_match: {
    bad: [
      [
        'Contents\n\n1. Scope\t3\n2. Duties\t4\n\n1. Scope\n\nText.\n\n2. Rights\n\nText.',
        10,
        /Rights.*is “2 Duties”/,
      ],
      ['Contents\n\n1. Scope\t3\n2. Duties\t4\n\n1. Scope\n\nText.', 4, /2 Duties.*is no header/],
    ],
    good: ['Table of Contents\n\n1. Scope .....3\n2. Duties\t4\n\n1. Scope\n\nText.\n\n2. DUTIES\n\nText.'],
  },
  contents_complete: {
    bad: [
      [
        'Contents\n\n1. Scope\t3\n2. Duties\t4\n\n1. Scope\n\nText.\n\n2. Duties\n\nText.\n\n3. More\n\nX.',
        14,
        /3 More/,
      ],
    ],
    good: ['Contents\n\n1. Scope\t3\n2. Duties\t4\n\n1. Scope\n\nText.\n\n2. Duties\n\n2.1 Detail\n\nText.'],
  },
  contents_pages: {
    bad: [
      [
        'Contents\n\n1. Scope\t5\n2. Duties\t4\n\n1. Scope\n\nText.\n\n2. Duties\n\nText.',
        4,
        /page 4, after page 5/,
      ],
    ],
    good: ['Contents\n\n1. Scope\t4\n2. Duties\t4\n\n1. Scope\n\nText.\n\n2. Duties\n\nText.'],
  },
  heading_numbers: {
    bad: [
      ['# 1 Scope\n\n## 1.1 One\n\n## 1.3 Three', 5, /1\.2 is left out/],
      ['# 1 Scope\n\n## 1.1 One\n\n## 1.1 Again', 5, /after 1\.1/],
    ],
    good: [
      '# 1 Scope\n\n## 1.1 One\n\n## 1.2 Two\n\n# 2 Duties\n\n## 2.1 One',
      '## 4.9.12 Compromise\n\n## 4.9.13 Suspension',
    ],
  },
  outline_rfc3647: {
    bad: [
      [
        [
          '# Device Certificate Policy',
          '## 4.9.1 Circumstances for Revocation',
          '## 4.9.12 Special Requirements re Key Compromise',
          '## 4.9.13 Who can Request Revocation',
          '## 7.1 Certificate Profile',
        ].join('\n\n'),
        7,
        /4\.9\.13 is .*which is 4\.9\.2; RFC 3647 has “Circumstances for suspension”/,
      ],
    ],
    good: [
      '# Device Certificate Policy\n\n## 4.9.1 Circumstances for Revocation\n\n## 4.9.13 Circumstances for Suspension\n\n## 7.1 Certificate Profile\n\n## 7.1.1 Version Numbers\n\n## 1.5.1 Organisation Administering the Document',
      '# A guide\n\n## 4.9.13 Something else',
    ],
  },
  x509_certificate_version: {
    bad: [
      ['All Certificates are X.509 version 2 certificates.', 1, /version 2/],
      ['## 7.1.1 Version number(s)\n\nEach Certificate has version 1.', 3, /version 1/],
    ],
    good: [
      'All Certificates are X.509 version 3 certificates.',
      'Version 2 of the X.509 certificate is being used, which should be Version 3.',
      'Version 2 of this document. It speaks of certificates.',
    ],
  },
  x509_list_version: {
    bad: [['## 7.2.1 Version number(s)\n\nEach CRL is an X.509 version 3 CRL.', 3, /version 3 CRL/]],
    // Both versions in one sentence, each of its own thing (disagreement D9).
    good: ['Each X.509 Certificate is version 3 and each X.509 CRL is version 2.'],
  },
  annex_agrees: {
    bad: [
      [
        '# 7 Profile\n\nThe X.509 certificate is version 2.\n\n# Annex B Profiles\n\nX.509 certificate version 3.',
        3,
        /the annex has version 3 in 7/,
      ],
    ],
    good: [
      '# 7 Profile\n\nThe X.509 certificate is version 3.\n\n# Annex B Profiles\n\nX.509 certificate version 3.',
    ],
  },
  actors_differ: {
    bad: [
      [
        '### 8.3.3 Request\n\nThe SRO and any SMKI PMA Member may request the revocation.\n\n### 8.3.4 Verification\n\nThe procedure for revocation: the SRO is called back.',
        5,
        /8\.3\.3 names SMKI PMA Member, and 8\.3\.4 does not/,
      ],
    ],
    good: [
      '### 8.3.3 Request\n\nThe SRO and any SMKI PMA Member may request the revocation.\n\n### 8.3.4 Verification\n\nThe procedure for revocation: the SRO or SMKI PMA Member is called back.',
    ],
  },
  form_without_field: {
    bad: [
      [
        '# 5 Identity\n\nThe EUI-64 range for any User Role is continuous.\n\n# Annex A (A1) Organisation Information Form\n\nName, address, EUI-64 range.',
        5,
        /no field for the User Role/,
      ],
    ],
    good: [
      '# 5 Identity\n\nThe EUI-64 range for any User Role is continuous.\n\n# Annex A (A1) Organisation Information Form\n\nName, EUI-64 range and its User Role.',
    ],
  },
  definitions_before_provisions: {
    bad: [
      [
        '# 1 Scope\n\n# 2 Duties\n\n# 3 Definitions\n\n# 4 Further Use of the Recovery Private Key',
        7,
        /Further Use/,
      ],
    ],
    good: [
      '# 1 Scope\n\n# 2 Duties\n\n# 3 Definitions\n\n# Annex A Forms',
      '# 1 Scope\n\n# 2 Definitions\n\n# 3 Duties',
    ],
  },
  precedence_l16: {
    bad: [['# SMKI RAPP\n\n# 8 Revocation\n\nA Certificate is revoked on request.', 3, /8 Revocation/]],
    good: [
      '# SMKI RAPP\n\n# 8 Revocation\n\nThis section does not apply where Section L16 applies.',
      '# A guide\n\n# 8 Revocation\n\nA Certificate is revoked on request.',
    ],
  },
  documents_agree: {
    bad: [
      [
        "Changes are required to it in SEC Appendices A and B.\n\nThese will be impacted:\n\n- Appendix A 'x'\n- Appendix B 'y'\n- Appendix J 'z'",
        3,
        /also Appendices J/,
      ],
      [
        "Changes are required to it in SEC Appendices A and B.\n\nThese will be impacted:\n\n- Appendix A 'x'",
        1,
        /Appendix B is not/,
      ],
    ],
    good: [
      "Changes are required to it in SEC Appendices A and B.\n\nThese will be impacted:\n\n- Appendix A 'x'\n- Appendix B 'y'",
    ],
  },
  dates_in_order: {
    bad: [
      [
        'The SMKI PMA approved on 13 December 2021 for consultation.\n\nOn 8 January 2021 DCC consulted on it. The consultation closed on 5 February 2021.',
        1,
        /13 December 2021, but the consultation opened/,
      ],
      ['On 8 January 2021 DCC consulted. The consultation closed on 8 January 2021.', 1, /closed/],
    ],
    good: [
      'The SMKI PMA approved on 13 December 2020 for consultation.\n\nOn 8 January 2021 DCC consulted on it. The consultation closed on 5 February 2021.',
    ],
  },
  timetable_in_order: {
    bad: [
      [
        '| Event | Date |\n|---|---|\n| Raised | 21 Jun 2021 |\n| Vote | 20 Jan 2021 |\n| Release | 24 Feb 2022 |',
        4,
        /Vote/,
      ],
    ],
    good: ['| Event | Date |\n|---|---|\n| Raised | 21 Jun 2021 |\n| Vote | 20 Jan 2022 – 21 Jan 2022 |'],
  },
  date_exists: {
    bad: [
      ['It is due on 31 November 2021.', 1, /31 November 2021/],
      ['It is due on Monday 30 November 2021.', 1, /was a Tuesday/],
    ],
    good: ['It is due on Tuesday, 30 November 2021, or 29 February 2024.'],
  },
  broken_field: {
    bad: [
      ['See Error! Reference source not found. below.', 1, /Error!/],
      ['[bookmark: _Toc1]Introduction', 1, /bookmark/],
    ],
    good: ['Error handling is described below.'],
  },
  placeholder: {
    bad: [
      ['The date is TBC.', 1, /TBC/],
      ['The date is [insert date].', 1, /insert/],
      ['From xx/xx/2021 on.', 1, /xx\/xx/],
    ],
    good: ['The date is [the day of designation].'],
  },
  dead_link: {
    bad: [['See [the guidance](#).', 1, /the guidance/]],
    good: ['See [the guidance](guidance.md) and [below](#part).'],
  },
  stray_punctuation: {
    bad: [
      ['This does not impact consumers/', 1, /consumers\//],
      ['a new Key value.   .', 1, /value/],
      ['one,, two', 1, /,,/],
    ],
    good: ['This impacts and/or does not impact consumers. See etc/ and so on ... or 1.2 here: yes.'],
  },
  missing_figure: {
    bad: [['Below is a diagram which shows it.\n\nMore text.', 1, /Below is a diagram/]],
    good: ['Below is a diagram which shows it.\n\n![the structure](structure.png)'],
  },
  empty_item: {
    bad: [['- Master Key:\n- Shared Key: it packages', 1, /Master Key/]],
    good: ['- There are two:\n  - one\n  - another', '- Master Key: it wraps\n- Shared Key: it packages'],
  },
  empty_cell: {
    bad: [['| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | |\n| 5 | 6 |\n| 7 | 8 |', 4, /under “b”, beside “3”/]],
    good: ['| a | b |\n|---|---|\n| 1 | |\n| 3 | |\n| 5 | 6 |\n| 7 | 8 |'],
  },
}

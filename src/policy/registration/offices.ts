/** The offices that people hold, in the words of the RAPP (registration-revocation.md section 1). */

export const offices = {
  NO: { title: 'Nominating Officer', of: 'organisation' },
  SRO: { title: 'Senior Responsible Officer', of: 'organisation' },
  ARO: { title: 'Authorised Responsible Officer', of: 'organisation' },
  RA_MANAGER: { title: 'SMKI Registration Authority Manager', of: 'registration authority' },
  RA_PERSONNEL: { title: 'SMKI Registration Authority Personnel', of: 'registration authority' },
  PMA_MEMBER: { title: 'SMKI PMA Member', of: 'SMKI PMA' },
} as const satisfies Record<string, { title: string; of: string }>

export type Office = keyof typeof offices

/** The offices that somebody must hold before anybody can be appointed by the procedures. */
export const firstOffices = ['RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER'] as const satisfies readonly Office[]

/** Whether the office is held for one organisation: such an officer acts for that organisation alone. */
export function isOfOrganisation(office: Office): boolean {
  return offices[office].of === 'organisation'
}

/** Certificate Policies that a Party becomes an Authorised Subscriber under, and an ARO is authorised for. */
export const certificatePolicies = ['smki-organisation', 'smki-device', 'dccki'] as const
export type CertificatePolicy = (typeof certificatePolicies)[number]

/** Of the SMKI's own policies it is a condition that SREPT is completed; the DCCKI's entry test is a setting (DCK-A02). */
export const underSrept: Readonly<Record<CertificatePolicy, boolean>> = {
  'smki-organisation': true,
  'smki-device': true,
  dccki: false,
}

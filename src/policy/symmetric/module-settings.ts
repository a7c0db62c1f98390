/** The group `module` of the settings of a DCO and of an S1SP: where its keys are. */

import { z } from 'zod'

export const moduleSettingsSchema = z
  .strictObject({
    /** In production `pkcs11`, with the certificate by which the module complies with FIPS 140-2 level 3 or what replaces it. */
    kind: z.enum(['software', 'pkcs11']).default('software'),
    /** Path of the PKCS#11 library, and label of the token. */
    library: z.string().min(1).nullable().default(null),
    token: z.string().min(1).nullable().default(null),
    certificate: z.string().min(1).nullable().default(null),
    /** Where the journal's Ed25519 key is: not every module has that algorithm. */
    journalKey: z.enum(['module', 'software']).default('software'),
  })
  .refine(({ kind, library, token }) => kind === 'software' || (library !== null && token !== null), {
    message: 'a module behind PKCS#11 has a library and a token',
  })

export type ModuleSettings = z.output<typeof moduleSettingsSchema>

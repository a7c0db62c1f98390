/** A pasted CSR: its octets, or what is wrong with it beside its field. */

import { Refusal } from '../../../ground/refusal.ts'
import { readPortalCsr } from '../../../rooms/issuance/organisation-input.ts'
import type { Form } from './form.ts'
import { AtField, Faulty } from './page.ts'

/** @param check what else must hold of it. @returns DER. @throws Faulty; AtField with the refusal of whoever read it */
export function csrIn(form: Pick<Form, 'text'>, check: (csr: Buffer) => unknown = () => {}, field = 'csr'): Buffer {
  const text = form.text(field)
  if (text === '') throw new Faulty([{ field, says: 'Paste the request.' }])
  try {
    const csr = readPortalCsr(text)
    check(csr)
    return csr
  } catch (cause) {
    if (cause instanceof Refusal) throw new AtField(field, cause)
    throw cause
  }
}

/** Looking up by serial number: its index holds the second half of each, which is enough to find one, and is short. */

/** SQL: of `c`, the certificates of one serial number. @param serial as `$1`; it may be a column too */
export function bySerial(serial: string): string {
  return `substr(c.serial, 9) = substr(${serial}, 9) AND c.serial = ${serial}`
}

/** The same for the numbers of an array. */
export function bySerials(serials: string): string {
  return `substr(c.serial, 9) = ANY(ARRAY(SELECT substr(one, 9) FROM unnest(${serials}) AS one)) AND c.serial = ANY(${serials})`
}

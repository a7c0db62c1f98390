/** xs:positiveInteger: the form of TransactionId and BatchId. */

/** Decimal, without sign or leading zeros. @throws RangeError unless it is a positive integer, exactly known. */
export function positive(value: bigint | number | string): string {
  const text = String(value)
  const isExact = typeof value !== 'number' || Number.isSafeInteger(value)
  if (!isExact || !/^[1-9][0-9]*$/.test(text)) throw new RangeError(`${text} is not a positive integer`)
  return text
}

/** A file that is not read as a document, and why. */

export class NotReadable extends Error {
  override readonly name = 'NotReadable'
}

/** A command that could not do its work, told in words for the person who typed it. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

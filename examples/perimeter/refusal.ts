/** Holdfast lets somebody not in; the message has its reasons. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Why one operation cannot be served. The other operations of the description are. */
export class LeftOut extends Error {
  override readonly name = 'LeftOut'
}

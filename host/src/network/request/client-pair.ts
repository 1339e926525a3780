/**
 * The id and the secret of an OAuth client for `Authorization: Basic` (RFC 6749 §2.3.1): form-encoded, then in Base64. Encoded as browsers
 * encode forms: openid-client also escapes `-` and `_`, which ids and secrets often contain, and servers that do not decode refuse those.
 */
export function clientPair(id: string, secret: string): string {
  return Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64')
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

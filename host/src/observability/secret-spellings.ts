/** How a secret may stand in a text: as it is, escaped for JSON, HTML or a URL, and in Base64 at any offset. Without repetitions. */
export function spellingsOf(secret: string): ReadonlySet<string> {
  const wellFormed = secret.toWellFormed()
  const bytes = Buffer.from(wellFormed)
  const percent = encodeURIComponent(wellFormed)
  const strict = percent.replace(/[!'()*~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  const json = JSON.stringify(secret).slice(1, -1)
  const encoded = [percent, strict, encodeURIComponent(percent), new URLSearchParams({ '': wellFormed }).toString().slice(1)]
  return new Set([
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    // As Python writes it, and as PHP does.
    json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
    json.replaceAll('/', String.raw`\/`),
    wellFormed.replace(/[&<>"']/g, (character) => HTML[character] ?? character),
    ...encoded,
    ...encoded.map((text) => text.replace(/%(?:25)*[0-9A-F]{2}/g, (escape) => escape.toLowerCase())),
    // In bytes that are read one by one.
    bytes.toString('latin1'),
    ...base64Pieces(bytes),
  ])
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Shorter pieces of Base64 turn up by chance. */
const SHORTEST_BASE64 = 6

/** What Base64 makes of the bytes wherever they begin: without the characters at either end that their neighbours share in. */
function base64Pieces(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes])
    const from = Math.ceil((offset * 8) / 6)
    const to = Math.floor((shifted.length * 8) / 6)
    const pieces = [shifted.toString('base64').slice(from, to), shifted.toString('base64url').slice(from, to)]
    return pieces.filter((piece) => piece.length >= SHORTEST_BASE64)
  })
}

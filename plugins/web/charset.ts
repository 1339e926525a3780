/** The text of a body in the charset that its byte order mark, its header or its `<meta>` names; UTF-8, else Windows-1252, without one. */
export function decode(body: Uint8Array, contentType: string, { html }: { html: boolean }): string {
  const named = byteOrderMark(body) ?? charsetOf(contentType) ?? (html ? metaCharset(body) : undefined)
  const decoder = named === undefined ? undefined : decoderFor(named)
  if (decoder) return decoder.decode(body)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    // Browsers take pages without a charset that are not UTF-8 for this one, and every byte is something in it.
    return new TextDecoder('windows-1252').decode(body)
  }
}

function byteOrderMark([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  return first === 0xff && second === 0xfe ? 'utf-16le' : undefined
}

function charsetOf(text: string): string | undefined {
  return /charset\s*=\s*["']?\s*([\w:.-]+)/i.exec(text)?.[1]
}

/** The HTML standard looks for it in the first 1024 bytes. One that claims UTF-16 could not have been read like this, so it is UTF-8. */
function metaCharset(body: Uint8Array): string | undefined {
  const start = new TextDecoder('latin1').decode(body.subarray(0, 1024))
  const found = [...start.matchAll(/<meta\s[^>]*>/gi)].map(([tag]) => charsetOf(tag)).find((charset) => charset !== undefined)
  return found !== undefined && /^utf-16/i.test(found) ? 'utf-8' : found
}

/** Undefined for an unknown charset: guessing is better than failing. */
function decoderFor(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label)
  } catch {
    return undefined
  }
}

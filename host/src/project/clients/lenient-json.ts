/** Reads JSON as editors write it: with comments, trailing commas and a byte order mark. Throws what `JSON.parse` throws. */
export function parseLenientJson(text: string): unknown {
  const withoutComments = text
    .replace(/^\uFEFF/, '')
    .replace(/("(?:\\.|[^"\\\n])*")|\/\/[^\n]*|\/\*[^]*?\*\//g, (_, string?: string) => string ?? ' ')
  return JSON.parse(withoutComments.replace(/("(?:\\.|[^"\\\n])*")|,(?=\s*[}\]])/g, (_, string?: string) => string ?? ''))
}

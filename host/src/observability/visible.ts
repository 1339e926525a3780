/**
 * Shows what a terminal or a reader of lines would obey: control characters, line separators, marks that turn the direction of text.
 * They become JSON escapes, so inside JSON the text stays the same.
 */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const [, short] = /^"(\\[^u])"$/.exec(JSON.stringify(character)) ?? []
    return short ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

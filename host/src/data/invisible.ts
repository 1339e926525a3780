/**
 * Everything that a reader cannot see, or that moves what they see: controls, formats (zero-width, bidirectional, tags), separators and
 * spaces other than the plain one, fillers and selectors that fonts draw as nothing, unassigned and private characters, lone surrogates.
 */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{DI}\u2800]|(?! )\p{Zs}/gu
/** More marks on one character than any language needs grow over the lines around it. */
const PILED = /(?<=\p{M}{3})\p{M}+/gu

/** Shows such characters as `\\u200b` or `\\u{e0041}`, so that two texts that look alike are alike. */
export function withEscapes(text: string): string {
  return text.replace(INVISIBLE, escaped).replace(PILED, (marks) => Array.from(marks, escaped).join(''))
}

function escaped(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16)
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`
}

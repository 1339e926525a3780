/** Text of a page as Markdown that shows it: nothing in it is markup. No more is escaped than that takes, because a model reads it. */
export function escapeText(text: string): string {
  return text.replace(/[\\`*[\]]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|<(?=[a-z!/?])|&(?=#?\w+;)/giu, '\\$&')
}

/** The same for the lines of a paragraph, at the beginning of which some characters start a heading, a list, a quote or a rule. */
export function escapeStarts(paragraph: string): string {
  return paragraph
    .replace(/^(?:#{1,6}(?=\s|$)|[>=]|[+-](?=[\s-]|$)|~~~)/gm, '\\$&')
    .replace(/^(\d{1,9})([.)])(?=\s|$)/gm, '$1\\$2')
}

/** A run of `mark` longer than any in `text`, at least `least`: what a code span or fence is written between. */
export function fenceFor(text: string, least: number): string {
  const longest = (text.match(/`+/g) ?? []).reduce((length, run) => Math.max(length, run.length), 0)
  return '`'.repeat(Math.max(least, longest + 1))
}

/** An absolute web or mail address that can stand in a Markdown link, or undefined: `javascript:`, `data:` and the like lead nowhere. */
export function linkTarget(href: string | undefined, base: string): string | undefined {
  if (href === undefined || href.trim().startsWith('#')) return undefined
  const url = URL.parse(href.trim(), base)
  if (!url || !/^(?:https?|mailto):$/.test(url.protocol) || url.href.length > 2_000) return undefined
  return url.href.replace(/[()|\\<>]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** Control characters, zero-width spaces, direction overrides and Unicode tags show nothing to people and much to models. */
export function withoutInvisible(text: string): string {
  return text.toWellFormed().replace(INVISIBLE, '')
}

const INVISIBLE = new RegExp(
  String.raw`[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]`,
  'gu',
)

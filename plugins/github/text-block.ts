/** The longest text that one answer shows of one thing. */
export const MAX_BLOCK = 100_000

/**
 * Text of others as a Markdown code block: all of it readable, none of it rendered, whatever it holds. Characters that no reader
 * would see are left out. Longer text is cut, and the block says so.
 */
export function textBlock(text: string, { language = '', max = MAX_BLOCK }: { language?: string; max?: number } = {}): string {
  const whole = text.toWellFormed().replaceAll('\r\n', '\n').replace(INVISIBLE, '')
  const shown = whole.slice(0, max).toWellFormed()
  const longest = Math.max(2, ...(shown.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  const cut = whole.length > max ? `\n\nCut after ${max} of ${whole.length} characters.` : ''
  return `${fence}${language}\n${shown.replace(/\n$/, '')}\n${fence}${cut}`
}

/** Control characters, zero-width spaces, direction overrides and Unicode tags; the joiners that scripts and emoji need stay. */
const INVISIBLE = new RegExp(
  String.raw`[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]`,
  'gu',
)

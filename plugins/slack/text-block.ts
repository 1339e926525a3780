/** The longest text that one answer shows of one message: Slack itself cuts at 40,000 characters. */
const MAX_BLOCK = 40_000

/**
 * Text of others as a Markdown code block: all of it readable, none of it rendered, whatever it holds. Characters that no reader
 * would see are left out. Longer text is cut, and the block says so.
 */
export function textBlock(text: string): string {
  const whole = text.toWellFormed().replaceAll('\r\n', '\n').replace(INVISIBLE, '')
  const shown = whole.slice(0, MAX_BLOCK).toWellFormed()
  const longest = Math.max(2, ...(shown.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  const cut = whole.length > MAX_BLOCK ? `\n\nCut after ${MAX_BLOCK} of ${whole.length} characters.` : ''
  return `${fence}\n${shown.replace(/\n$/, '')}\n${fence}${cut}`
}

/** Control characters, zero-width spaces, direction overrides and Unicode tags; the joiners that scripts and emoji need stay. */
const INVISIBLE = new RegExp(
  String.raw`[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]`,
  'gu',
)

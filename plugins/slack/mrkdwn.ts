/**
 * Slack's message text as plain text: `<@U012AB3CD>` becomes a name of `names`, `<https://x|label>` a label with its URL, and what
 * Slack escaped becomes itself again. The result is text, not markup: code that shows it has to escape it for Markdown.
 */
export function plainText(mrkdwn: string, names: ReadonlyMap<string, string>): string {
  return mrkdwn.replace(TOKEN, (whole: string, inside: string | undefined) =>
    inside === undefined ? (ENTITIES.get(whole) ?? whole) : unescaped(tokenText(inside, names)),
  )
}

/** The users that a message mentions. */
export function mentionedUsers(mrkdwn: string): string[] {
  return [...mrkdwn.matchAll(/<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>/g)].flatMap(([, id]) => id ?? [])
}

/** Slack escapes these three, and only these, so that what a person typed cannot pass for a token. */
const TOKEN = /<([^<>]*)>|&(?:amp|lt|gt);/g
const ENTITIES = new Map([
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
])

function tokenText(inside: string, names: ReadonlyMap<string, string>): string {
  const [target = '', label] = inside.split(/\|(.*)/s, 2)
  const [sign, rest] = [target[0], target.slice(1)]
  if (sign === '@') return `@${names.get(rest) ?? label ?? rest}`
  if (sign === '#') return `#${label || rest}`
  // <!here>, <!subteam^S012|@team>, <!date^1392734382^{date}|February 18th, 2014>
  if (sign === '!') return label ? label : `@${rest.split('^', 1)[0]}`
  return label && label !== target ? `${label} (${target})` : target
}

function unescaped(text: string): string {
  return text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES.get(entity) ?? entity)
}

/**
 * The words of a text, as the search compares them: lower case, `snake_case` and `camelCase` taken apart, endings off. Words that say
 * nothing about a tool are left out.
 */
export function wordsOf(text: string): readonly string[] {
  return (
    text
      .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.filter((word) => !EMPTY_WORDS.has(word))
      .map(stem) ?? []
  )
}

/** Words that people use for one another when they ask for a tool. Those of a word, as {@link wordsOf} gives it, without itself. */
export function otherWordsFor(word: string): readonly string[] {
  return synonyms.get(word) ?? []
}

/** English endings off, roughly: `merges`, `merged`, `merging` and `merge` are one word. Wrong words do no harm that is not done to both sides. */
function stem(word: string): string {
  if (word.length < 4 || /[^a-z]/.test(word)) return word
  const single = word.endsWith('ies')
    ? `${word.slice(0, -3)}y`
    : /(?:ss|sh|ch|x|z)es$/.test(word)
      ? word.slice(0, -2)
      : /[^sui]s$/.test(word)
        ? word.slice(0, -1)
        : word
  const bare = single.length > 5 ? single.replace(/(?:ing|ed)$/, '') : single
  const undoubled = bare === single ? bare : bare.replace(/([bdgmnprt])\1$/, '$1')
  return undoubled.length > 3 ? undoubled.replace(/e$/, '') : undoubled
}

const EMPTY_WORDS: ReadonlySet<string> = new Set(
  (
    'a an and any are as at be by can could do does for from give has have how i if in into is it its let like may me my need no not of on ' +
    'one or our please some something that the their them then there these they this to us use using via want was we what when where which ' +
    'will with would you your'
  ).split(' '),
)

const groups = [
  'create add make new open start write publish',
  'delete remove drop erase destroy',
  'update change edit modify rename',
  'get show read view fetch retrieve see look',
  'list all find show',
  'search find look query',
  'send post publish write',
  'run execute',
  'cancel stop abort',
  'repository repo project',
  'pull pr',
  'organization org organisation company',
  'message chat',
  'user person people member account who',
  'issue bug ticket problem',
  'store save put set update',
  'left remaining limit quota rate',
  'page website site url web',
  'database db sql',
  'comment reply answer',
  'picture image',
  'directory folder',
  'job task',
  'disable off',
  'enable on',
  'close resolve',
  'permission access right',
  'teammate collaborator',
].map((group) => group.split(' ').map(stem))

const synonyms: ReadonlyMap<string, readonly string[]> = new Map(
  [...new Set(groups.flat())].map((word) => [
    word,
    [...new Set(groups.filter((group) => group.includes(word)).flat())].filter((other) => other !== word),
  ]),
)

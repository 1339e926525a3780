import { replaceSpans, SecretSearch, type Span, type Spelling } from './secret-search.ts'
import { spellingsOf } from './secret-spellings.ts'

/**
 * Takes every live secret out of a text: as it stands, escaped for JSON, HTML or a URL, and in Base64 at any offset, so that an echoed
 * `Basic` header is covered by the password alone. For logs and errors. Secrets of fewer than 4 characters stay: taking them out would
 * take words apart.
 */
export interface Redactor {
  (text: string): string
  /** The same for what plugins answer: secrets of fewer than 8 characters stay, which are words as a rule and no secrets any more. */
  readonly answer: (text: string) => string
  /** The same for an answer of a service; gives `bytes` itself where there is nothing to take out. */
  readonly bytes: (bytes: Buffer) => Buffer
  /** Takes `secret` out as well, until the returned function is called. A secret that was added twice stays until both were. */
  add(secret: string): () => void
}

/** One for the whole process: the logger, the network layer and the calls share it. */
export function createRedactor(secrets: Iterable<string> = []): Redactor {
  const known = new Map<string, Secret>()
  let groups: Group[] = []
  let searches = 0
  let idle = 0

  /** Groups at least double in size from the last to the first: what comes and goes is compiled with few others. */
  const compileFor = (secret: Secret) => {
    let members = [secret]
    let last = groups.at(-1)
    while (last && last.members.length <= members.length) {
      members = [...last.members, ...members]
      groups.pop()
      last = groups.at(-1)
    }
    groups.push(groupOf(members))
    searches = 0
  }
  /** Secrets that are no longer held are kept a while: a caller that calls again brings the same. */
  const dropIdle = () => {
    for (const [text, { holders }] of known) if (holders === 0) known.delete(text)
    idle = 0
    groups = known.size > 0 ? [groupOf([...known.values()])] : []
  }
  const add = (text: string) => {
    if (text.length < SHORTEST) return () => {}
    const before = known.get(text)
    const secret = before ?? secretOf(text)
    if (before?.holders === 0) idle--
    secret.holders++
    if (!before) {
      known.set(text, secret)
      compileFor(secret)
    }
    let held = true
    return () => {
      if (!held) return
      held = false
      if (--secret.holders > 0) return
      if (++idle > MOST_IDLE) dropIdle()
    }
  }
  /** When no secret came for a while, one group is searched and not several. */
  const searched = () => {
    if (groups.length > 1 && ++searches > SETTLED_AFTER && known.size <= MOST_SETTLED) groups = [groupOf([...known.values()])]
    return groups
  }
  const redactWith = (isWanted: (secret: Secret) => boolean, withWords: boolean) => (text: string) => {
    const found: Span[] = []
    for (const { long, short } of searched()) {
      long?.inText(text, isWanted, found)
      if (withWords) short?.inText(text, isWanted, found)
    }
    return found.length === 0 ? text : replaceSpans(text, found, MARK)
  }

  for (const secret of secrets) add(secret)
  return Object.assign(redactWith(isLive, true), {
    answer: redactWith(isLiveSecret, false),
    bytes(bytes: Buffer) {
      const found: Span[] = []
      for (const { long } of searched()) long?.inBytes(bytes, isLiveSecret, found)
      return found.length === 0 ? bytes : Buffer.from(replaceSpans(bytes.toString('latin1'), found, MARK), 'latin1')
    },
    add,
  })
}

const MARK = '[redacted]'
const SHORTEST = 4
const SHORTEST_IN_ANSWERS = 8
const MOST_IDLE = 256
const SETTLED_AFTER = 64
/** Thousands of tokens that were exchanged are compiled again only as their groups double. */
const MOST_SETTLED = 1_000

interface Secret {
  /** Too short to be taken out of answers. */
  readonly isWord: boolean
  readonly spellings: readonly Spelling<Secret>[]
  holders: number
}

function secretOf(text: string): Secret {
  const spellings: Spelling<Secret>[] = []
  const secret: Secret = { isWord: text.length < SHORTEST_IN_ANSWERS, spellings, holders: 0 }
  for (const spelling of spellingsOf(text)) spellings.push({ text: spelling, owner: secret })
  return secret
}

const isLive = ({ holders }: Secret) => holders > 0
const isLiveSecret = ({ holders, isWord }: Secret) => holders > 0 && !isWord

/** Secrets that are searched for together, long spellings apart from short ones: a short one would shorten every leap. */
interface Group {
  readonly members: readonly Secret[]
  readonly long: SecretSearch<Secret> | undefined
  readonly short: SecretSearch<Secret> | undefined
}

function groupOf(members: readonly Secret[]): Group {
  const spellings = members.flatMap((member) => member.spellings)
  const searchFor = (some: readonly Spelling<Secret>[]) => (some.length > 0 ? new SecretSearch(some) : undefined)
  return {
    members,
    long: searchFor(spellings.filter(({ text }) => text.length >= SHORTEST_IN_ANSWERS)),
    short: searchFor(spellings.filter(({ text }) => text.length < SHORTEST_IN_ANSWERS)),
  }
}

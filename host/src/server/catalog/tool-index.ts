import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type MiniSearch from 'minisearch'
import { isObject } from '../../data/json.ts'
import { otherWordsFor, wordsOf } from './search-words.ts'
import type { SnapshotTool, ToolFinder, WireTool } from './snapshot.ts'

/** One index for each class of callers, over what that class may see and nothing else: what it may not see shapes no rank and no count. */
export class ToolIndexes {
  readonly #byClass = new LRUCache<string, ToolIndex>({
    maxSize: MAX_INDEXED,
    sizeCalculation: ({ size }) => Math.min(size, MAX_INDEXED),
  })

  /** The index of a class, on its way to `tools`. It is built in small pieces between other work. */
  follow(classKey: string, tools: readonly SnapshotTool[]): ToolFinder {
    let index = this.#byClass.get(classKey)
    if (!index) this.#byClass.set(classKey, (index = new ToolIndex(tools.length)))
    index.follow(tools)
    return index
  }
}

/** How many tools all indexes hold together: 1,100 of GitHub's take 6 MB. The classes asked least recently are indexed again. */
const MAX_INDEXED = 30_000

/** Finds tools by what people call them. Follows a list of tools: what did not change is not indexed again. */
class ToolIndex implements ToolFinder {
  readonly size: number
  readonly #indexed = new Map<string, IndexedTool>()
  #engine: MiniSearch<ToolDocument> | undefined
  #target: readonly SnapshotTool[] = []
  #following: Promise<void> = Promise.resolve()

  constructor(size: number) {
    this.size = Math.max(1, size)
  }

  follow(tools: readonly SnapshotTool[]): void {
    if (tools === this.#target) return
    this.#target = tools
    this.#following = this.#following.catch(() => undefined).then(() => this.#reach(tools))
    // Worked out when asked: most callers never ask.
    this.#following.catch(() => undefined)
  }

  /** Names of the tools that fit best, the best first, of all that fit. Resolves when the index is up to date. */
  async find(query: string, tools: readonly SnapshotTool[]): Promise<readonly string[]> {
    this.follow(tools)
    await this.#following
    if (!this.#engine) return []
    const asked = new Set(wordsOf(query))
    const weights = new Map<string, number>()
    for (const word of asked) for (const other of otherWordsFor(word)) if (!asked.has(other)) weights.set(other, SYNONYM)
    const found = this.#engine.search([...asked, ...weights.keys()].join(' '), {
      tokenize: (text) => text.split(' '),
      boostTerm: (word) => weights.get(word) ?? 1,
      prefix: (word) => !weights.has(word) && word.length > 3,
      fuzzy: (word) => !weights.has(word) && word.length > 5 && 1,
    })
    // Equal ones in the order of the list, not in the order in which they came into the index.
    const places = new Map(tools.map(({ name }, place) => [name, place]))
    const placeOf = (id: unknown) => places.get(String(id)) ?? Infinity
    return found
      .filter(({ id }) => places.has(String(id)))
      .toSorted((a, b) => b.score - a.score || placeOf(a.id) - placeOf(b.id))
      .map(({ id }) => String(id))
  }

  async #reach(tools: readonly SnapshotTool[]): Promise<void> {
    if (tools !== this.#target) return
    this.#engine ??= await createEngine()
    const engine = this.#engine
    let done = 0
    const pause = async () => {
      if (++done % PIECE === 0) await setImmediate()
    }
    const wanted = new Map(tools.map((tool) => [tool.name, tool]))
    for (const [name, { document }] of this.#indexed)
      if (!wanted.has(name)) {
        engine.remove(document)
        this.#indexed.delete(name)
        await pause()
      }
    for (const tool of tools) {
      const known = this.#indexed.get(tool.name)
      if (known && known.wire === tool.wire) continue
      const document = documentOf(tool)
      if (known && isSame(known.document, document)) this.#indexed.set(tool.name, { wire: tool.wire, document: known.document })
      else {
        if (known) engine.remove(known.document)
        engine.add(document)
        this.#indexed.set(tool.name, { wire: tool.wire, document })
      }
      await pause()
    }
  }
}

/** How many tools are indexed at a time: some 2 ms of work. */
const PIECE = 10
/** What a word counts that was not said but means the same. */
const SYNONYM = 0.3

interface IndexedTool {
  readonly wire: WireTool
  readonly document: ToolDocument
}

interface ToolDocument {
  readonly id: string
  readonly name: string
  readonly title: string
  readonly description: string
  readonly parameters: string
  readonly tags: string
}

const FIELDS = ['name', 'title', 'description', 'parameters', 'tags'] as const

async function createEngine(): Promise<MiniSearch<ToolDocument>> {
  const { default: Engine } = await import('minisearch')
  return new Engine<ToolDocument>({
    fields: [...FIELDS],
    tokenize: (text) => [...wordsOf(text)],
    processTerm: (word) => word,
    searchOptions: { bm25: { k: 1.2, b: 0.9, d: 0 }, boost: { name: 4, title: 4, tags: 1, description: 1, parameters: 0.2 } },
    autoVacuum: false,
  })
}

function documentOf({ name, tags, wire }: SnapshotTool): ToolDocument {
  const { title } = wire
  return {
    id: name,
    name,
    title: typeof title === 'string' ? title : '',
    description: wire.description.slice(0, MAX_TEXT),
    parameters: parameterText(wire.inputSchema, 2).slice(0, MAX_TEXT),
    tags: tags.join(' '),
  }
}

/** So much of one text is indexed. */
const MAX_TEXT = 300

/** Names and descriptions of what a tool takes, and of what is in that. */
function parameterText(schema: unknown, depth: number): string {
  if (!isObject(schema) || depth === 0) return ''
  const { properties, items } = schema
  if (!isObject(properties)) return parameterText(items, depth)
  return Object.entries(properties)
    .map(([name, property]) => {
      const description = isObject(property) && typeof property['description'] === 'string' ? property['description'] : ''
      return `${name} ${description.slice(0, 200)} ${parameterText(property, depth - 1)}`
    })
    .join(' ')
}

function isSame(a: ToolDocument, b: ToolDocument): boolean {
  return FIELDS.every((field) => a[field] === b[field])
}

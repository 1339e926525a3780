import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import { NOTHING_WRITTEN, type WrittenConfig, type WrittenMember, type WrittenValue } from './written.ts'

/** A YAML text as a document that knows where its parts stand. What is wrong with it is in `errors` and `warnings`; never throws. */
export function parseYamlText(text: string): Yaml.Document.Parsed {
  return load().parseDocument(text, { merge: true, prettyErrors: false, keepSourceTokens: true })
}

/** What is written in a config that is YAML. Of a text that does not parse, nothing is known. */
export function writtenInYaml(text: string): WrittenConfig {
  const yaml = load()
  const { contents, errors } = parseYamlText(text)
  if (errors.length > 0) return NOTHING_WRITTEN
  const members: WrittenMember[] = []
  const valueOf = (node: unknown): WrittenValue | undefined => {
    if (!yaml.isNode(node) || !node.range) return undefined
    const [start, end] = node.range
    if (yaml.isMap(node)) {
      const own = node.items.flatMap(({ key, value }) => {
        if (!yaml.isScalar(key) || !key.range) return []
        return [{ name: String(key.value), start: key.range[0], value: valueOf(value) }]
      })
      members.push(...own)
      return { start, end, members: new Map(own.map((member) => [member.name, member])) }
    }
    if (!yaml.isSeq(node)) return { start, end }
    const dashes = dashesOf(node)
    return { start, end, items: node.items.map((item) => valueOf(item)), ...(dashes && { dashes }) }
  }
  return { root: contents ? valueOf(contents) : undefined, members }
}

/** Undefined for a list in brackets. */
function dashesOf({ srcToken }: Yaml.Node): readonly number[] | undefined {
  if (srcToken?.type !== 'block-seq') return undefined
  return srcToken.items.flatMap(({ start }) => start.filter(({ type }) => type === 'seq-item-ind').map(({ offset }) => offset))
}

/** Read when first needed: few configs are YAML. */
function load(): typeof Yaml {
  return createRequire(import.meta.url)('yaml') as typeof Yaml
}

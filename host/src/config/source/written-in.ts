import { extname } from 'node:path'
import { writtenInCode } from './written-code.ts'
import { writtenInYaml } from './written-yaml.ts'
import { NOTHING_WRITTEN, type WrittenConfig } from './written.ts'

/** The text of a config as it is written, by the extension of its name. */
export function writtenIn(file: string, text: string): WrittenConfig {
  const kind = KINDS[extname(file)]
  if (kind === undefined) return NOTHING_WRITTEN
  return kind === 'yaml' ? writtenInYaml(text) : writtenInCode(text, kind)
}

const KINDS: Readonly<Record<string, 'typescript' | 'javascript' | 'json' | 'yaml'>> = Object.freeze({
  '.ts': 'typescript',
  '.mts': 'typescript',
  '.js': 'javascript',
  '.mjs': 'javascript',
  '.json': 'json',
  '.yaml': 'yaml',
  '.yml': 'yaml',
})

import { relative, sep } from 'node:path'

/** What stands for something else in a client's config. */
export interface PlaceholderValues {
  readonly workspace: string
  readonly configDir: string
  readonly home: string
  readonly inputs: Readonly<Record<string, string>>
}

/** A text with what this machine knows put in. */
export interface FilledText {
  readonly text: string
  /** What only a person or the client's environment knows; the text still has it. */
  readonly open: readonly OpenPlaceholder[]
}

export interface OpenPlaceholder {
  readonly written: string
  /** For a person: what the client would have put there. */
  readonly means: string
  /** The variable of the environment that is meant. */
  readonly variable?: string
}

/**
 * Replaces placeholders for folders in a text: `${workspaceFolder}` relative to the config, `${userHome}`, `~/`. What the client asks for
 * or takes from its
 * environment stays open.
 */
export function fillPlaceholders(written: string, values: PlaceholderValues): FilledText {
  const { workspace, configDir, home, inputs } = values
  const open: OpenPlaceholder[] = []
  const folder = relative(configDir, workspace).split(sep).join('/') || '.'
  const text = written
    .replace(/^~(?=\/|$)/, () => home)
    .replace(/\$\{([^{}]+)\}|\$HOME\b/g, (whole: string, inner = 'userHome') => {
      const [kind, rest] = splitOnce(inner, ':')
      if (['workspaceFolder', 'workspaceRoot'].includes(kind)) return folder
      if (['userHome', 'HOME', 'env:HOME'].includes(inner)) return home
      if (['pathSeparator', '/'].includes(inner)) return '/'
      if (kind === 'input' && rest !== undefined) {
        const question = Object.hasOwn(inputs, rest) ? inputs[rest] : ''
        open.push({ written: whole, means: question ? `the answer to "${question}"` : `the answer to the input "${rest}"` })
        return whole
      }
      const [variable = '', fallback] = kind === 'env' ? [rest] : splitOnce(inner, ':-')
      if (fallback !== undefined) return fallback
      const isVariable = /^[A-Za-z_]\w*$/.test(variable)
      open.push({ written: whole, means: isVariable ? `the variable ${variable}` : whole, ...(isVariable && { variable }) })
      return whole
    })
  return { text, open }
}

function splitOnce(text: string, mark: string): readonly [string, string?] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + mark.length)]
}

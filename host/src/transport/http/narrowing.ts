import type { IncomingMessage } from 'node:http'
import { NO_NARROWING, type Narrowing } from '../../server/catalog/caller.ts'
import { refusal, type Refusal } from './respond.ts'

/** What a request gives up, by its headers. Malformed ones are refused: who asks for less must not get more. */
export function readNarrowing({ headers }: IncomingMessage): { readonly narrowing: Narrowing } | { readonly refused: Refusal } {
  const toolsets = headers['x-patchbay-toolsets']
  const readOnly = headers['x-patchbay-read-only']
  if (toolsets === undefined && readOnly === undefined) return { narrowing: NO_NARROWING }
  if (readOnly !== undefined && readOnly !== 'true' && readOnly !== 'false')
    return { refused: refusal(400, `X-Patchbay-Read-Only must be true or false, not ${JSON.stringify(readOnly)}`) }
  const names =
    toolsets === undefined
      ? undefined
      : String(toolsets)
          .split(',')
          .map((name) => name.trim())
  if (names && (names.length > MAX_TOOLSETS || !names.every((name) => TOOLSET.test(name))))
    return {
      refused: refusal(
        400,
        `X-Patchbay-Toolsets must be at most ${MAX_TOOLSETS} names separated by commas, not ${JSON.stringify(toolsets)}`,
      ),
    }
  return { narrowing: { toolsets: names && [...new Set(names)], readOnly: readOnly === 'true' } }
}

const MAX_TOOLSETS = 32
const TOOLSET = /^(?:tag:)?[A-Za-z0-9_.-]{1,64}$/

import type { IncomingMessage } from 'node:http'
import { parseAddress } from '../../data/address.ts'
import { NO_NARROWING, type Narrowing } from '../../server/catalog/caller.ts'
import { refusal, type Refusal } from './respond.ts'

type Read = { readonly narrowing: Narrowing } | { readonly refused: Refusal }

/**
 * What a request gives up, by its headers and by its address. What is malformed is refused: who asks for less must not get more. Where
 * both ask, both hold.
 */
export function readNarrowing(req: IncomingMessage, path: string): Read {
  const byHeaders = readHeaders(req)
  if (path === '/mcp' || 'refused' in byHeaders) return byHeaders
  const { toolsets, readOnly = false, view = '' } = parseAddress(path) ?? {}
  if (view === '') return byHeaders
  const names = toolsets === undefined ? undefined : namesIn(decoded(toolsets))
  if (toolsets !== undefined && !names)
    return {
      refused: refusal(
        400,
        `What follows /x/ must be at most ${MAX_TOOLSETS} names of toolsets separated by commas, not ${JSON.stringify(toolsets)}`,
      ),
    }
  return { narrowing: { ...byHeaders.narrowing, address: { path: view, toolsets: names, readOnly } } }
}

function readHeaders({ headers }: IncomingMessage): Read {
  const toolsets = headers['x-patchbay-toolsets']
  const readOnly = headers['x-patchbay-read-only']
  if (toolsets === undefined && readOnly === undefined) return { narrowing: NO_NARROWING }
  if (readOnly !== undefined && readOnly !== 'true' && readOnly !== 'false')
    return { refused: refusal(400, `X-Patchbay-Read-Only must be true or false, not ${JSON.stringify(readOnly)}`) }
  const names = toolsets === undefined ? undefined : namesIn(String(toolsets))
  if (toolsets !== undefined && !names)
    return {
      refused: refusal(
        400,
        `X-Patchbay-Toolsets must be at most ${MAX_TOOLSETS} names separated by commas, not ${JSON.stringify(toolsets)}`,
      ),
    }
  return { narrowing: { toolsets: names, readOnly: readOnly === 'true' } }
}

/** Undefined for a list that no toolsets have. */
function namesIn(list: string): readonly string[] | undefined {
  const names = list.split(',').map((name) => name.trim())
  return names.length > MAX_TOOLSETS || !names.every((name) => TOOLSET.test(name)) ? undefined : [...new Set(names)]
}

/** Clients may write a comma as `%2C`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** As Node names them. */
export const NARROWING_HEADERS: readonly string[] = ['x-patchbay-toolsets', 'x-patchbay-read-only']

const MAX_TOOLSETS = 32
const TOOLSET = /^(?:tag:)?[A-Za-z0-9_.-]{1,64}$/

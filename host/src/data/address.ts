/** One of the addresses that clients are served at, with the view that the rest of its path asks for. */
export interface Address {
  /** `/mcp`, `/sse` or `/messages`. */
  readonly base: string
  /** As it stands in the path: `/x/triage,sqlite/readonly`; empty for everything. */
  readonly view: string
  /** The names after `/x/`, as they stand there. */
  readonly toolsets: string | undefined
  readonly readOnly: boolean
}

/** Reads a path such as `/mcp`, `/mcp/readonly`, `/mcp/x/triage,sqlite` or `/sse/x/triage/readonly`; undefined for any other. */
export function parseAddress(path: string): Address | undefined {
  const [, base, view = '', toolsets, readOnly] = ADDRESS.exec(path) ?? []
  return base === undefined ? undefined : { base, view, toolsets, readOnly: readOnly !== undefined }
}

/** The view in a path; empty for everything. */
export function viewIn(path: string): string {
  return path === '/mcp' ? '' : (parseAddress(path)?.view ?? '')
}

const ADDRESS = /^(\/mcp|\/sse|\/messages)((?:\/x\/([^/]{0,4096}))?(\/readonly)?)$/

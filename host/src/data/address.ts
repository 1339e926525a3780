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

/** The path below which a proxy serves this host to the public, as `listen.http.publicUrl` says it with or without `/mcp`; often empty. */
export function publicPrefix(publicUrl: string | undefined): string {
  return publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '').replace(/\/mcp$/, '')
}

/** The path as the host knows it: a proxy may leave the public prefix in it, or take it out. */
export function withoutPrefix(path: string, prefix: string): string {
  return prefix !== '' && path.startsWith(`${prefix}/`) && !parseAddress(path) ? path.slice(prefix.length) : path
}

const ADDRESS = /^(\/mcp|\/sse|\/messages)((?:\/x\/([^/]{0,4096}))?(\/readonly)?)$/

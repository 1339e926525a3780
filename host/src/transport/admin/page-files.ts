import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NO_STORE } from './admin-answer.ts'

/** The files of the page, by their addresses. Nothing else of the disk can be asked for. */
export interface PageFiles {
  readonly has: (path: string) => boolean
  readonly send: (path: string, res: ServerResponse) => Promise<void>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Allows only the page's own scripts and styles, by URL: no text in a page can run as code, whatever a plugin's description says. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  'media-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const HEADERS = {
  ...NO_STORE,
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
}

/** Reads the list of files once, and each file when it is asked for. */
export function openPageFiles(): PageFiles {
  const folder = new URL('page/', import.meta.resolve('mcp-patchbay/package.json'))
  const names = readdirSync(folder).filter((name) => Object.hasOwn(TYPES, extname(name)))
  const paths = new Map(
    names.map((name) => [name === 'index.html' ? '/' : `/page/${name}`, fileURLToPath(new URL(name, folder))]),
  )
  return {
    has: (path) => paths.has(path),
    async send(path, res) {
      const file = paths.get(path) ?? ''
      const body = await readFile(file)
      if (res.destroyed) return
      res.writeHead(200, {
        ...HEADERS,
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'content-length': body.length,
      })
      res.end(body)
    },
  }
}

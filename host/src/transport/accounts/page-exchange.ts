import type { IncomingMessage, ServerResponse } from 'node:http'
import { isLoopbackHost } from '../../config/schema/secure-url.ts'
import { pathOf } from '../http/routing/routes.ts'
import { CONTENT_POLICY, documentOf, type Page } from './page-html.ts'

/** A parameter of the address that is there once. */
export function onlyValue({ url = '' }: IncomingMessage, name: string): string | undefined {
  const values = new URLSearchParams(url.slice(pathOf(url).length)).getAll(name)
  return values.length === 1 ? values[0] : undefined
}

/** The address that a person came back to, as the config has it and not as the request says. */
export function cameTo(redirectUri: string, { url = '' }: IncomingMessage): URL {
  const cameBackTo = new URL(redirectUri)
  cameBackTo.search = url.slice(pathOf(url).length)
  return cameBackTo
}

/** `localhost` where the pages are at `127.0.0.1`. Behind a proxy the Host header may be any. */
export function isOtherLoopbackName(host: string | undefined, own: URL): boolean {
  const url = host === undefined ? null : URL.parse(`http://${host}`)
  return url !== null && url.host !== own.host && isLoopbackHost(url.hostname) && isLoopbackHost(own.hostname)
}

/** An error of an OAuth library may hold the answer of a service, and so a token. */
export function messageWithoutAnswer(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
  return error instanceof Error ? error.message + code : String(error)
}

export function redirect(res: ServerResponse, to: string): void {
  res.writeHead(303, { ...HEADERS, location: to, 'content-length': 0 }).end()
}

export function send(res: ServerResponse, page: Page, headers: Readonly<Record<string, string>> = {}): void {
  const html = documentOf(page)
  res.writeHead(page.status, {
    ...HEADERS,
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(html),
    ...headers,
  })
  res.end(html)
}

/** An address of these pages holds a ticket: it stays within this origin, and in no cache. */
const HEADERS = Object.freeze({
  'cache-control': 'no-store',
  'content-security-policy': CONTENT_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
})

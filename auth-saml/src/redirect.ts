/** Whether a code may be sent there: no other machine reads it, and no browser takes it for a script. */
export function isSafeRedirect(uri: string): boolean {
  const url = URL.parse(uri)
  if (!url || uri.includes('#')) return false
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' ? isLoopback(url) : !NEVER.has(url.protocol)
}

export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

/** What a person can recognise of it: its host, or the scheme that names an application. */
export function redirectHost(uri: string): string {
  const { host, protocol } = new URL(uri)
  return host === '' ? protocol : host
}

const NEVER = new Set(['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:', 'ftp:', 'ws:', 'wss:'])

import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/**
 * Tells where a request comes from. Behind proxies that the config trusts it is the last address in `X-Forwarded-For` that is none of
 * theirs: any client can write what comes before it.
 */
export function createClientAddress(trustedProxies: readonly string[]): (req: IncomingMessage) => string {
  const own = (req: IncomingMessage) => plain(req.socket.remoteAddress ?? '')
  if (trustedProxies.length === 0) return own
  const trusted = new BlockList()
  for (const proxy of trustedProxies) {
    const [address = '', prefix] = proxy.split('/', 2)
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    trusted.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family)
  }
  const isTrusted = (address: string) => isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return (req) => {
    const hops = [String(req.headers['x-forwarded-for'] ?? '').split(','), own(req)].flat().map((hop) => plain(hop.trim()))
    let client = own(req)
    while (isTrusted(client)) {
      hops.pop()
      const before = hops.at(-1)
      if (before === undefined || isIP(before) === 0) break
      client = before
    }
    return client
  }
}

/** An IPv4 address that came over IPv6 is the same one. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}

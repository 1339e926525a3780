import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import type { buildConnector } from 'undici'
import { undici } from './undici.ts'

/** How names become addresses, and which of those may be dialled. Tests pass their own. */
export interface Dialing {
  readonly lookup: (hostname: string, callback: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void
  readonly isPublic: (address: string) => boolean
}

export const systemDialing: Dialing = Object.freeze({
  lookup: (hostname: string, callback: (error: Error | null, addresses: readonly LookupAddress[]) => void) =>
    systemLookup(hostname, { all: true }, callback),
  isPublic: isPublicAddress,
})

/** The code of the error that a guarded connector fails with. */
export const ADDRESS_REFUSED = 'ADDRESS_REFUSED'

/** Resolves names by `dialing`, and connects to whatever they resolve to. For the origin the operator configured, and no other. */
export function trustingConnector(dialing: Dialing, options: buildConnector.BuildOptions): buildConnector.connector {
  return undici().buildConnector({ ...options, lookup: resolver(dialing, (addresses) => addresses) })
}

/**
 * Connects to public addresses only. The name is resolved once, here, and the socket gets just the addresses that passed, so a name
 * that resolves to something else a moment later changes nothing. An address in the URL itself is never looked up and is checked too.
 */
export function guardedConnector(dialing: Dialing, options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = undici().buildConnector({
    ...options,
    lookup: resolver(dialing, (addresses) => addresses.filter(({ address }) => dialing.isPublic(address))),
  })
  return (target, callback) => {
    const literal = target.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) !== 0 && !dialing.isPublic(literal)) return callback(addressRefusal(literal), null)
    return connect(target, callback)
  }
}

/** False for anything but a unicast address of the public Internet, however it is spelt or wrapped. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !reserved.check(address, 'ipv4')
  // A zone such as %eth0 belongs to a link-local address, and the list would not recognise it.
  return family === 6 && !address.includes('%') && unicast.check(address, 'ipv6') && !reserved.check(address, 'ipv6')
}

type Lookup = NonNullable<Extract<buildConnector.BuildOptions, { lookup?: unknown }>['lookup']>

function resolver({ lookup }: Dialing, pick: (found: readonly LookupAddress[]) => readonly LookupAddress[]): Lookup {
  return (hostname, options, callback) => {
    lookup(hostname, (error, found) => {
      if (error) return callback(error, '', 0)
      const allowed = pick(found)
      const [first] = allowed
      if (!first) return callback(addressRefusal(hostname), '', 0)
      if (options.all) callback(null, [...allowed])
      else callback(null, first.address, first.family)
    })
  }
}

/** The error for a host that is not public. */
export function addressRefusal(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host} is not at a public address`), { code: ADDRESS_REFUSED })
}

/** IANA special-purpose registry, and what clouds use besides. */
const RESERVED_V4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8], // this network; 0.0.0.0 reaches the own machine
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carrier-grade NAT; 100.100.100.200 is Alibaba's metadata service
  ['127.0.0.0', 8],
  ['168.63.129.16', 32], // Azure's wire server
  ['169.254.0.0', 16], // link-local; 169.254.169.254 is the metadata service of most clouds
  ['172.16.0.0', 12],
  ['192.0.0.0', 24], // protocol assignments; 192.0.0.192 is Oracle's metadata service
  ['192.0.2.0', 24], // documentation, as the two below
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16],
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // future use, and broadcast
]

/** Within what {@link unicast} lets through. */
const RESERVED_V6: readonly (readonly [network: string, prefix: number])[] = [
  ['2001::', 23], // protocol assignments: Teredo and ORCHID among them
  ['2001:db8::', 32], // documentation, as the next
  ['3fff::', 20],
  ['2002::', 16], // 6to4, which wraps any IPv4 address
]

/** NAT64 wraps an IPv4 address in its last 32 bits. IPv6-only networks reach the public IPv4 Internet by it. */
const NAT64 = '64:ff9b::'

/** Leaves out loopback, unspecified, mapped IPv4, unique local, link-local, site-local and multicast. */
const unicast = new BlockList()
unicast.addSubnet('2000::', 3, 'ipv6')
unicast.addSubnet(NAT64, 96, 'ipv6')

const reserved = new BlockList()
for (const [network, prefix] of RESERVED_V4) {
  reserved.addSubnet(network, prefix, 'ipv4')
  reserved.addSubnet(`${NAT64}${network}`, 96 + prefix, 'ipv6')
}
for (const [network, prefix] of RESERVED_V6) reserved.addSubnet(network, prefix, 'ipv6')

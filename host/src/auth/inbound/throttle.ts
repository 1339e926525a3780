import { createHash, randomBytes } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { RateLimiterMemory } from 'rate-limiter-flexible'

export interface ThrottleOptions {
  /** How many credentials of one address may be bad within `seconds`. */
  readonly bad: number
  readonly seconds: number
}

/** Counts bad credentials by the address they came from, so that guessing costs the one who guesses and not the host. */
export interface Throttle {
  /** How many seconds nothing of this address is looked at; 0 when it is. */
  waitOf(address: string): Promise<number>
  /** Notes a bad one. */
  count(address: string): Promise<void>
}

export function createThrottle({ bad, seconds }: ThrottleOptions): Throttle {
  const limiter = new RateLimiterMemory({ points: bad, duration: seconds })
  const seed = randomBytes(16)
  /** One of 65,536 drawers: what is remembered stays bounded however many addresses there are, and no client can choose its drawer. */
  const drawerOf = (address: string) => createHash('sha256').update(seed).update(networkOf(address)).digest().readUInt16BE()
  return {
    async waitOf(address) {
      const found = await limiter.get(drawerOf(address))
      return found && found.consumedPoints >= bad ? Math.max(1, Math.ceil(found.msBeforeNext / 1000)) : 0
    },
    async count(address) {
      await limiter.penalty(drawerOf(address))
    },
  }
}

/** Whoever has one IPv6 address has the 2^64 of its network. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.toLowerCase().startsWith('::ffff:')) return address
  const [head = '', tail] = address.split('::', 2)
  const before = head === '' ? [] : head.split(':')
  const after = tail ? tail.split(':') : []
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16))
    .join(':')
}

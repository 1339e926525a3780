import { openSync, readdirSync, readFileSync } from 'node:fs'

type Stdio = 'ignore' | 'pipe' | number

/**
 * What a child gets as its first descriptors, and /dev/null in the place of every other one that would pass on to it: those that this
 * process itself got from its parent, such as a socket of a service manager. What Node opens never passes on. Where there is no
 * /proc the system closes them by itself.
 */
export function onlyThese(first: readonly Stdio[]): Stdio[] {
  const inherited = (passedOn ??= findPassedOn()).filter((descriptor) => descriptor >= first.length)
  const stdio = [...first]
  for (const descriptor of inherited) {
    while (stdio.length < descriptor) stdio.push('ignore')
    stdio.push((nothing ??= openSync('/dev/null', 'r+')))
  }
  return stdio
}

/** They are there from the start: whatever is opened later is not passed on. */
let passedOn: readonly number[] | undefined
let nothing: number | undefined

function findPassedOn(): readonly number[] {
  try {
    const descriptors = readdirSync('/proc/self/fd').map(Number)
    // Beyond the limit, which was lowered after it was opened, nothing can be put in its place.
    const limit = openFilesLimit()
    return descriptors.filter((one) => one > 2 && one < limit && isPassedOn(one)).toSorted((a, b) => a - b)
  } catch {
    return []
  }
}

function openFilesLimit(): number {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return soft === undefined ? Infinity : Number(soft)
}

function isPassedOn(descriptor: number): boolean {
  try {
    const [, flags = '0'] = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')) ?? []
    return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch {
    return false // that of the look itself
  }
}

/** Node does not name it. The same on every architecture of Linux that Node runs on. */
const O_CLOEXEC = 0o2000000

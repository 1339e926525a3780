import { realpath } from 'node:fs/promises'
import { relative, resolve, sep } from 'node:path'
import type { EntryConfig } from '../../config/schema/schema.ts'
import { HostError } from '../../errors.ts'
import { checkCapabilities } from '../../pin/check-capabilities.ts'

/** What a confined server is granted so that it does what it did, with what a person should know of it. */
export interface DerivedRights {
  readonly capabilities: EntryConfig['capabilities']
  readonly notes: readonly string[]
}

/**
 * The rights that the entry itself shows a server from npm to need: it reads the folders and files that its arguments and variables name,
 * and uses the network where it has a secret to send or an address to call. It may write nothing.
 */
export async function deriveRights(
  { as, args = [], env = {} }: EntryConfig & { readonly as: string },
  { configDir, home }: { readonly configDir: string; readonly home: string },
): Promise<DerivedRights> {
  const plain = Object.values(env).filter((value) => typeof value === 'string')
  const notes: string[] = []
  const read: string[] = []
  for (const text of [...args, ...plain].map((value) => value.replace(/^--?[\w-]+=/, ''))) {
    const path = await existingPath(text, configDir)
    if (path === undefined || read.includes(path)) continue
    const fault = await faultOf({ fs: { read: [path] } }, { plugin: as, base: configDir, home })
    if (fault === undefined) read.push(path)
    else notes.push(`it may not read ${text}, which ${fault}`)
  }
  if (read.length > 0) notes.push(`it may read ${read.join(', ')} and write nowhere: capabilities.fs.write lets it`)
  const origins = plain.flatMap((value) => (/^https?:\/\//.test(value) ? (URL.parse(value)?.origin ?? []) : []))
  const hasSecret = Object.values(env).some((value) => typeof value === 'object')
  const hosts = origins.length > 0 ? [...new Set(origins)] : hasSecret ? ['public'] : []
  notes.push(
    hosts.length > 0
      ? `it may use the network (${hosts.join(', ')}), all of it: Node confines a server to all or nothing`
      : "it may not use the network: capabilities: { hosts: ['public'] } lets it",
  )
  const capabilities = { ...(hosts.length > 0 && { hosts }), ...(read.length > 0 && { fs: { read } }) }
  return { capabilities: Object.keys(capabilities).length > 0 ? capabilities : undefined, notes }
}

/** As a config names it: relative where it is below the config. */
async function existingPath(text: string, configDir: string): Promise<string | undefined> {
  if (!/^(?:\.{1,2}(?:\/|$)|\/)/.test(text)) return undefined
  const real = await realpath(resolve(configDir, text)).catch(() => undefined)
  if (real === undefined) return undefined
  const below = relative(await realpath(configDir), real)
  return below === '..' || below.startsWith(`..${sep}`) ? real : `./${below.split(sep).join('/')}`
}

async function faultOf(manifest: object, origin: Parameters<typeof checkCapabilities>[1]): Promise<string | undefined> {
  try {
    await checkCapabilities(manifest, origin)
    return undefined
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return /"[^"]*" (.*)$/s.exec(error.message.split(': ').slice(1).join(': '))?.[1] ?? error.message
  }
}

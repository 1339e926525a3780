import type { Static } from 'typebox'
import { Type } from '../data/type.ts'

const names = () => Type.Array(Type.String())

/** What a plugin may reach: the form of `capabilities` in mcp.lock.json. A file without `native` means false. */
export const capabilitiesSchema = Type.Object(
  {
    hosts: names(),
    env: names(),
    fs: Type.Object({ read: names(), write: names() }, { additionalProperties: false }),
    credentials: Type.Enum(['brokered', 'raw']),
    native: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)

/** Capabilities as a file may write them. */
export type CapabilitiesInFile = Static<typeof capabilitiesSchema>

/**
 * What a plugin may reach. `hosts` are origins (`https://api.example.com`) or the one word `public`, any public address; `env` names
 * of variables; `fs` folders and files, relative to the folder of the config or absolute.
 */
export interface Capabilities {
  readonly hosts: readonly string[]
  readonly env: readonly string[]
  readonly fs: { readonly read: readonly string[]; readonly write: readonly string[] }
  /** `raw`: the plugin itself sees its credentials; `brokered`: only the host's network layer does. */
  readonly credentials: 'brokered' | 'raw'
  /** May load compiled addons. */
  readonly native: boolean
}

/** What a plugin has that asks for nothing. */
export const noCapabilities: Capabilities = Object.freeze({
  hosts: Object.freeze([]),
  env: Object.freeze([]),
  fs: Object.freeze({ read: Object.freeze([]), write: Object.freeze([]) }),
  credentials: 'brokered',
  native: false,
})

/** The capabilities a file holds, sorted and without repetition, so that equal grants are equal texts. */
export function normalCapabilities({
  hosts,
  env,
  fs,
  credentials,
  native = false,
}: CapabilitiesInFile | Capabilities): Capabilities {
  return { hosts: set(hosts), env: set(env), fs: { read: set(fs.read), write: set(fs.write) }, credentials, native }
}

/** One thing that a plugin gains (`broadened`) or gives up (`narrowed`), with the value that a person should see. */
export interface CapabilityChange {
  readonly change: 'broadened' | 'narrowed'
  readonly capability: 'hosts' | 'env' | 'fs.read' | 'fs.write' | 'credentials' | 'native'
  readonly value: string
}

/**
 * What changes when `granted` becomes `asked`. A path below a granted path is no gain. A named origin next to a granted `public` is
 * one: naming it also allows private addresses.
 */
export function compareCapabilities(granted: Capabilities, asked: Capabilities): CapabilityChange[] {
  return [
    ...compareSets('hosts', granted.hosts, asked.hosts),
    ...compareSets('env', granted.env, asked.env),
    ...compareSets('fs.read', granted.fs.read, asked.fs.read, covers),
    ...compareSets('fs.write', granted.fs.write, asked.fs.write, covers),
    ...compareFlag('credentials', 'raw', granted.credentials === 'raw', asked.credentials === 'raw'),
    ...compareFlag('native', 'true', granted.native, asked.native),
  ]
}

function compareSets(
  capability: CapabilityChange['capability'],
  granted: readonly string[],
  asked: readonly string[],
  includes: (outer: string, inner: string) => boolean = Object.is,
): CapabilityChange[] {
  const gained = asked.filter((value) => !granted.some((outer) => includes(outer, value)))
  const given = granted.filter((value) => !asked.some((outer) => includes(outer, value)))
  return [
    ...gained.map((value) => ({ change: 'broadened', capability, value }) as const),
    ...given.map((value) => ({ change: 'narrowed', capability, value }) as const),
  ]
}

function compareFlag(
  capability: CapabilityChange['capability'],
  value: string,
  granted: boolean,
  asked: boolean,
): CapabilityChange[] {
  return granted === asked ? [] : [{ change: asked ? 'broadened' : 'narrowed', capability, value }]
}

/** Paths here are normal (see check-capabilities.ts), so a prefix that ends at a slash is a folder above. */
function covers(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`)
}

function set(values: readonly string[]): readonly string[] {
  return [...new Set(values)].toSorted()
}

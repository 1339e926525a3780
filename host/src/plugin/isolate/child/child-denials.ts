import { subscribe } from 'node:diagnostics_channel'
import { basename, dirname, sep } from 'node:path'
import { isObject } from '../../../data/json.ts'
import { isError, valueOf } from '../../../observability/thrown.ts'

/** What was asked for and refused, in Node's words: `FileSystemRead` and a path, `Net` and a host. */
export interface Denial {
  readonly permission: string
  readonly resource: string
}

/** Calls `onDenied` whenever the permission model refuses something, whether the plugin looks at the error or not. Not on Node 24. */
export function watchDenials(onDenied: (denial: Denial) => void): void {
  for (const kind of KINDS)
    subscribe(`node:permission-model:${kind}`, (message) => {
      const denial = readDenial(message)
      if (denial) onDenied(denial)
    })
}

/** The refusal behind an error; undefined when it is another kind of error. */
export function denialOf(thrown: unknown, depth = 0): Denial | undefined {
  if (!isError(thrown) || depth > 5) return undefined
  if (valueOf(thrown, 'code') === 'ERR_ACCESS_DENIED')
    return readDenial({ permission: valueOf(thrown, 'permission'), resource: valueOf(thrown, 'resource') })
  return denialOf(valueOf(thrown, 'cause'), depth + 1)
}

/**
 * Whether Node looked there on its own on its way to what may be read, and no plugin has asked for it: at the package.json of a folder above;
 * for `require` while the plugin loads, at the folder itself; and for a package that may be read, in the folders of packages below its own.
 */
export function isWayToGranted({ permission, resource }: Denial, isInCall: boolean): boolean {
  if (permission !== 'FileSystemRead') return false
  if (isNearerPlaceOfGranted(resource)) return true
  const isManifest = basename(resource) === 'package.json'
  if (isInCall && !isManifest) return false
  const folder = isManifest ? dirname(resource) : resource
  const within = READ_FLAG + (folder.endsWith(sep) ? folder : folder + sep)
  return process.execArgv.some((flag) => flag.startsWith(within))
}

/** `/project/node_modules/@acme/node_modules/yaml`, where `/project/node_modules/yaml` may be read: Node begins with the nearest. */
function isNearerPlaceOfGranted(resource: string): boolean {
  const at = resource.lastIndexOf(PACKAGES)
  if (at < 0) return false
  const name = resource.slice(at)
  return process.execArgv.some((flag) => {
    if (!flag.startsWith(READ_FLAG)) return false
    const granted = flag.slice(READ_FLAG.length).replace(/[/\\]$/, '')
    return granted.endsWith(name) && resource.startsWith(granted.slice(0, -name.length) + sep)
  })
}

const PACKAGES = `${sep}node_modules${sep}`

const READ_FLAG = '--allow-fs-read='

const KINDS = ['addon', 'child', 'ffi', 'fs', 'inspector', 'net', 'wasi', 'worker']

function readDenial(message: unknown): Denial | undefined {
  const { permission, resource } = isObject(message) ? message : {}
  return typeof permission === 'string' && typeof resource === 'string' ? { permission, resource } : undefined
}

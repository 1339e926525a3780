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
 * Whether Node looked there on its own on its way to what may be read, and no plugin has asked for it: at the package.json of a folder above,
 * and, for `require` while the plugin loads, at the folder itself.
 */
export function isWayToGranted({ permission, resource }: Denial, isInCall: boolean): boolean {
  if (permission !== 'FileSystemRead') return false
  const isManifest = basename(resource) === 'package.json'
  if (isInCall && !isManifest) return false
  const folder = isManifest ? dirname(resource) : resource
  const within = READ_FLAG + (folder.endsWith(sep) ? folder : folder + sep)
  return process.execArgv.some((flag) => flag.startsWith(within))
}

const READ_FLAG = '--allow-fs-read='

const KINDS = ['addon', 'child', 'ffi', 'fs', 'inspector', 'net', 'wasi', 'worker']

function readDenial(message: unknown): Denial | undefined {
  const { permission, resource } = isObject(message) ? message : {}
  return typeof permission === 'string' && typeof resource === 'string' ? { permission, resource } : undefined
}

import type { AuthInfo } from '@modelcontextprotocol/server'
import type { Caller } from '../catalog/caller.ts'

/**
 * The caller of one request, as something the SDK hands through untouched. It holds no token: that stayed at the edge. Fields the SDK
 * requires are filled with what is public of the principal.
 */
export function authInfoOf(caller: Caller): AuthInfo {
  const known = infos.get(caller)
  if (known) return known
  const info: AuthInfo = { token: '', clientId: caller.principal.id, scopes: [...caller.principal.permissions] }
  identify(info, caller)
  infos.set(caller, info)
  return info
}

/** Lets {@link callerOf} know `info` as well. */
export function identify(info: AuthInfo, caller: Caller): void {
  callers.set(info, caller)
}

/** The caller behind it. Throws for one that {@link authInfoOf} did not make: every request is served for a known caller. */
export function callerOf(info: AuthInfo | undefined): Caller {
  const caller = info && callers.get(info)
  if (!caller) throw new Error('A request reached the MCP server without a caller')
  return caller
}

const infos = new WeakMap<Caller, AuthInfo>()
const callers = new WeakMap<AuthInfo, Caller>()

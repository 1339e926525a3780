import type { Target } from '../connect/target.ts'

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Method = (typeof METHODS)[number]

/** What a call may send. */
export interface Rights {
  readonly access: 'read' | 'write'
  readonly safePaths: readonly string[]
}

/** A read call may GET and HEAD, and POST to its safe paths, which are paths of the service and of nothing else. */
export function maySend(method: Method, target: Target, { access, safePaths }: Rights): boolean {
  if (access === 'write' || method === 'GET' || method === 'HEAD') return true
  return method === 'POST' && target.zone === 'service' && safePaths.some((pattern) => matchesPath(pattern, target.path))
}

/** Whether a request may have changed something when its answer says nothing of it. Without a call it is the plugin's own work. */
export function mayChange(method: Method = 'GET', call: Pick<Rights, 'access'> | undefined): boolean {
  return call?.access === 'write' && method !== 'GET' && method !== 'HEAD'
}

/** `*` stands for one segment, not empty and without an encoded separator: what a service decodes must not become two. */
function matchesPath(pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const found = path.split('/')
  return (
    wanted.length === found.length &&
    wanted.every((part, index) => {
      const segment = found[index] ?? ''
      return part === '*' ? segment !== '' && !/%(?:25)*(?:2f|5c)/i.test(segment) : part === segment
    })
  )
}

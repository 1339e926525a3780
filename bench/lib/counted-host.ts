import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { childrenOf, rssMb } from './server.ts'
import { requestOf } from './wire.ts'

const program = join(import.meta.dirname, '../../host/bin/patchbay.mjs')

export interface CountedHost {
  readonly child: ChildProcess
  readonly pid: number
  readonly url: string
  /** From the spawn until all tools are listed, in milliseconds. */
  readonly startMs: number
}

/** Starts a host over HTTP and waits until it lists so many tools. */
export async function startCounted(config: string, tools: number): Promise<CountedHost> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [program, 'start', '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  let url = ''
  const seen = Promise.withResolvers<void>()
  createInterface({ input: child.stderr }).on('line', (line) => {
    const said = JSON.parse(line) as { event?: string; url?: string }
    if (said.event === 'listening' && said.url !== undefined) {
      url = said.url
      seen.resolve()
    }
  })
  await seen.promise
  while ((await toolsAt(url)) < tools) await new Promise((resolve) => setTimeout(resolve, 10))
  return { child, pid: child.pid ?? 0, url, startMs: performance.now() - startedAt }
}

/** Processes besides the host, and the memory of all. Shared pages are counted once for each: what is not shared is not known quickly. */
export function useOf(pid: number): { readonly processes: number; readonly mb: number } {
  const pids = [pid, ...childrenOf(pid)]
  return { processes: pids.length - 1, mb: pids.reduce((sum, one) => sum + rssMb(one), 0) }
}

async function toolsAt(url: string): Promise<number> {
  const { headers, body } = requestOf({ method: 'tools/list', params: {} })
  return (await (await fetch(url, { method: 'POST', headers, body })).text()).split('"inputSchema"').length - 1
}

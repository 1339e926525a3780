import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { LOAD_CORE, pinned, type Command } from './server.ts'
import type { Rpc } from './wire.ts'

export interface Load {
  /** Where the server is, or how to start it on stdio. */
  readonly to: { readonly port: number; readonly pid: number } | Command
  readonly rpc: Rpc
  /** An API key that every request brings, over HTTP. */
  readonly key?: string
  /** What a right answer has: an echo of so many bytes, or so many tools. */
  readonly expect: { readonly echo: number } | { readonly tools: number }
  /** Requests in flight: over HTTP each has a connection. */
  readonly concurrency: number
  readonly warmupMs: number
  readonly measureMs: number
  /** Ends earlier, after so many. */
  readonly requests?: number
}

export interface Measured {
  readonly requests: number
  readonly perSecond: number
  /** CPU of the server per request, microseconds. */
  readonly cpuUs: number
  /** Of that, without the processes that it started. */
  readonly ownCpuUs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Puts one load on a server. Throws when an answer was wrong. */
export async function measure(load: Load): Promise<Measured> {
  return (await runLoad('load-process.ts', load)) as Measured
}

/** Runs a program of this folder on a core that no server has. Gives what it measured; throws when it failed. */
export async function runLoad(program: string, load: object): Promise<unknown> {
  const [command, ...args] = [...pinned(LOAD_CORE), process.execPath, join(import.meta.dirname, program)]
  const child = spawn(command, [...args, JSON.stringify(load)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>])
  if (code !== 0) throw new Error(`The load ended with ${code}`)
  return JSON.parse(output)
}

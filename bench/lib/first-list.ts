import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { cpuMs, type Command } from './server.ts'
import { requestOf } from './wire.ts'

const LIST = requestOf({ method: 'tools/list', params: {} })

/**
 * Starts a server, over HTTP at a port or on stdio, and ends it after its first `tools/list`: the time since the spawn, and the CPU of
 * the server up to then, in ms.
 */
export async function firstList({ argv, env }: Command, port?: number): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const startedAt = performance.now()
  const [command = '', ...args] = argv
  const child = spawn(command, args, { env, stdio: port === undefined ? ['pipe', 'pipe', 'ignore'] : 'ignore' })
  const list = await (port === undefined ? listOnStdio(child) : listAt(port, child))
  const ms = performance.now() - startedAt
  const used = cpuMs(child.pid ?? 0)
  if (!list.includes('"tools":[{')) throw new Error(`Not a list: ${list.slice(0, 300)}`)
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  return { ms, cpuMs: used }
}

async function listOnStdio({ stdin, stdout }: ChildProcess): Promise<string> {
  if (!stdin || !stdout) throw new Error('No pipes')
  stdin.write(`${LIST.body}\n`)
  for await (const line of createInterface({ input: stdout })) return line
  throw new Error('The server ended before it listed its tools')
}

async function listAt(port: number, child: ChildProcess): Promise<string> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}`)
    const answer = await fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', ...LIST }).catch(() => undefined)
    const text = answer?.ok ? await answer.text() : ''
    if (text.includes('"tools":[{')) return text
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
}

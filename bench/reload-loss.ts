/**
 * What does a reload break? Ten clients call a tool that takes 50 ms, fifty times a second together, while a file is saved again and
 * again. Counted: calls that failed, those of them that were in flight and never answered, sessions that were gone afterwards, and the
 * longest time without an answer. Against xmcp, mcp-use, mcp-hub and restarting a server of the official SDK. Prints Markdown.
 *
 *   node --conditions=@mcp-patchbay/source bench/reload-loss.ts [RELOADS] [CONTENDER…]
 */
import { writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { record } from './lib/results.ts'
import { contenders, installPeers, type Contender } from './reload/contenders.ts'
import { start, type McpClient, type Running } from './reload/running.ts'

const [reloads = '20', ...only] = process.argv.slice(2)
const CLIENTS = 10
const CALLS_PER_SECOND = 50
const CALL_MS = 50

interface Losses {
  calls: number
  failed: number
  /** Had been sent when its connection ended. */
  lost: number
  sessions: number
  longestGapMs: number
  lastAnswerAt: number
  /** Whether a client that connects afterwards sees the last edit. */
  shown: boolean
}

const isOurs = (name: string) => name === 'patchbay dev'
if (only.length === 0 || only.some((name) => !isOurs(name))) installPeers()
console.log(
  `Node ${process.version}, ${reloads} reloads, ${CALLS_PER_SECOND} calls of ${CALL_MS} ms a second by ${CLIENTS} clients\n`,
)
console.log(
  '| | edits seen | calls | failed | lost in flight | sessions lost | longest gap, ms |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |',
)
for (const contender of contenders) {
  if (only.length > 0 && !only.includes(contender.name)) continue
  try {
    const { calls, failed, lost, sessions, longestGapMs, shown } = await measure(contender)
    if (isOurs(contender.name)) record({ lost: failed + sessions, 'lost-of': calls })
    console.log(
      `| ${contender.name} | ${shown ? 'yes' : 'no'} | ${calls} | ${failed} | ${lost} | ${sessions} | ${longestGapMs.toFixed(0)} |`,
    )
  } catch (error) {
    console.error(String(error))
  }
}

async function measure(contender: Contender): Promise<Losses> {
  await using running = await start(contender)
  const losses: Losses = {
    calls: 0,
    failed: 0,
    lost: 0,
    sessions: 0,
    longestGapMs: 0,
    lastAnswerAt: performance.now(),
    shown: false,
  }
  const tool = `${contender.prefix ?? ''}slow`
  const crowd = await Promise.all(Array.from({ length: CLIENTS }, () => caller(running, tool, losses)))
  let next = 0
  const timer = setInterval(() => void crowd[next++ % CLIENTS]?.call(), 1000 / CALLS_PER_SECOND)
  await setTimeout(1_000)
  Object.assign(losses, { calls: 0, failed: 0, lost: 0, sessions: 0, longestGapMs: 0 })
  let mark = ''
  for (let reload = 0; reload < Number(reloads); reload++) {
    mark = `Edition ${reload} of ${Date.now()}.`
    writeFileSync(running.edited.file, running.edited.content(mark))
    if (contender.blindMs) await setTimeout(contender.blindMs)
    else await shown(mark, running)
    await setTimeout(400)
  }
  clearInterval(timer)
  const last = await running.connect()
  losses.shown = await seen(mark, last)
  await last.close()
  await Promise.all(crowd.map((one) => one.close()))
  return losses
}

/** One client that calls when it is told to, unless it is still at it, and connects again when it was cut off. */
async function caller(running: Running, tool: string, losses: Losses) {
  let client: McpClient | undefined = await running.connect()
  let isBusy = false
  const state = { isClosed: false }
  const connectAgain = async (): Promise<void> => {
    while (!client && !state.isClosed) {
      client = await running.connect().catch(() => undefined)
      if (!client) await setTimeout(20)
    }
  }
  return {
    async call(): Promise<void> {
      if (isBusy || state.isClosed) return
      isBusy = true
      losses.calls++
      const text = `text ${losses.calls}`
      try {
        if (!client) throw new Error('not connected')
        const answer = await client.sdk.callTool({ name: tool, arguments: { text, ms: CALL_MS } }, undefined, { timeout: 5_000 })
        const [first] = answer.content as { text?: string }[]
        if (first?.text !== text) throw new Error(`another answer: ${JSON.stringify(answer).slice(0, 200)}`)
        const now = performance.now()
        losses.longestGapMs = Math.max(losses.longestGapMs, now - losses.lastAnswerAt)
        losses.lastAnswerAt = now
      } catch (error) {
        if (state.isClosed) return
        losses.failed++
        if (!isRefused(error)) losses.lost++
        // A session is gone when the same client cannot go on; without one there is nothing to lose.
        const had = client?.sessionId ?? client?.sdk.transport
        const alive = await client?.sdk.ping({ timeout: 2_000 }).then(
          () => true,
          () => false,
        )
        if (!alive) {
          if (had !== undefined) losses.sessions++
          await client?.close()
          client = undefined
          await connectAgain()
        }
      } finally {
        isBusy = false
      }
    },
    async close() {
      state.isClosed = true
      await client?.close()
    },
  }
}

/** Whether nothing was sent: no server listened, or it refused at once. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return /ECONNREFUSED|HTTP 4\d\d|404|400|not connected|Session not found/i.test(`${String(error)} ${String(cause)} ${code}`)
}

/** Lists by a client of its own until the mark is there. */
async function shown(mark: string, running: Running): Promise<void> {
  const deadline = performance.now() + 30_000
  while (performance.now() < deadline) {
    const client = await running.connect().catch(() => undefined)
    const isShown = await seen(mark, client)
    await client?.close()
    if (isShown) return
    await setTimeout(20)
  }
  throw new Error('a save did not show within 30 s')
}

async function seen(mark: string, client: McpClient | undefined): Promise<boolean> {
  try {
    const { tools } = (await client?.sdk.listTools({}, { timeout: 2_000 })) ?? { tools: [] }
    return tools.some(({ description }) => description?.includes(mark))
  } catch {
    return false
  }
}

import { createServer } from 'node:net'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import type { Finding } from './finding.ts'
import type { RunningHost } from './running-host.ts'

/** Ports that the config wants and another program has: not the project's own host, `running`. One of 0 is free by its nature. */
export async function portFindings({ listen }: ResolvedConfig, running?: RunningHost): Promise<readonly Finding[]> {
  const wanted = [
    ...(listen.http ? [['listen.http', listen.http] as const] : []),
    ...(listen.management ? [['listen.management', listen.management] as const] : []),
  ]
  const found = await Promise.all(
    wanted.map(async ([setting, { host, port }]): Promise<readonly Finding[]> => {
      if (running && portsOf(running).has(port)) return []
      const code = await bindingProblem(host, port)
      if (code === undefined) return []
      return [
        {
          about: 'port',
          problem: `${setting} cannot use ${host}:${port}`,
          cause: code === 'EADDRINUSE' ? 'another program has the port: perhaps a host that was started already' : code,
          fix: [`Stop the other program, or set ${setting}.port to another one`],
        },
      ]
    }),
  )
  return found.flat()
}

function portsOf({ management, url }: RunningHost): ReadonlySet<number> {
  return new Set([management, url].filter((at) => at !== undefined).map((at) => Number(new URL(at).port || 80)))
}

function bindingProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port }, () => server.close(() => resolve(undefined)))
  })
}

/** What this Node cannot do for the plugins that the config has. */
export function nodeFindings(
  { plugins }: ResolvedConfig,
  limitsNetwork = process.allowedNodeEnvironmentFlags.has('--allow-net'),
): readonly Finding[] {
  const isolated = plugins.filter(({ isolation }) => isolation === 'process')
  if (limitsNetwork || isolated.length === 0) return []
  return [
    {
      about: 'node',
      problem: `Node ${process.versions.node} cannot keep the network from a plugin in a process of its own`,
      cause: 'that came with Node 25',
      fix: ['Run the host on Node 26'],
    },
  ]
}

/** How far the clock of an issuer may be from ours before its tokens are refused as too new or too old. */
const MAX_SKEW_MS = 30_000

/** Issuers of access tokens that cannot be reached, or whose clock is not ours. */
export async function issuerFindings({ auth }: ResolvedConfig, now: () => number = Date.now): Promise<readonly Finding[]> {
  const issuers = auth.inbound.oauth?.issuers ?? []
  const found = await Promise.all(
    issuers.map(async ({ issuer }): Promise<readonly Finding[]> => {
      try {
        const answer = await fetch(issuer, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(3_000) })
        const skewMs = Date.parse(answer.headers.get('date') ?? '') - now()
        if (!(Math.abs(skewMs) > MAX_SKEW_MS)) return []
        return [
          {
            about: 'issuer',
            problem: `The clock of ${issuer} is ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'} this machine's`,
            cause: 'tokens are refused as issued in the future, or as expired',
            fix: ['Set the clock of this machine, by NTP for example'],
          },
        ]
      } catch (error) {
        return [
          {
            about: 'issuer',
            problem: `${issuer} does not answer`,
            cause: error instanceof Error ? error.message : String(error),
            fix: ['Correct auth.inbound.oauth.issuers, or the way from this machine to it'],
          },
        ]
      }
    }),
  )
  return found.flat()
}

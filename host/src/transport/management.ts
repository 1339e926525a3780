import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { HostError } from '../errors.ts'
import type { OwnBuild } from '../modules/own-modules.ts'
import type { Registry } from '../server/catalog/registry.ts'
import type { AdminPages } from './admin/open-admin.ts'
import { createAdmission } from './http/admission.ts'
import { bind, type Timeouts } from './http/bind.ts'
import { readiness } from './readiness.ts'
import { refusal, refuse, sendJson } from './http/respond.ts'

export interface ManagementOptions {
  readonly host: string
  readonly port: number
  readonly allowedHosts?: readonly string[]
  /** The admin API. */
  readonly admin?: AdminPages | undefined
  /** What runs here, for `/healthz`. */
  readonly about?: () => AboutHost
  readonly registry: Registry
  readonly isDraining: () => boolean
  /** Whether what the first requests need is still being read. */
  readonly isPreparing?: () => boolean
  /** What the config asks for and this installation cannot do. */
  readonly missing?: HostError | undefined
  /** The text of /metrics; without it there is none. */
  readonly metrics?: () => Promise<string>
  readonly log: Logger
  readonly timeouts?: Partial<Timeouts>
}

/** Which host it is, to compare replicas and what was reviewed with what runs. */
export interface AboutHost extends OwnBuild {
  /** What `sha256sum mcp.lock.json` prints, of the lock that it runs by; absent without one. */
  readonly lock?: string | undefined
  /** Which config file it runs from, as `projectId` names it; absent for a host without one. */
  readonly project?: string | undefined
  /** Where clients reach it over HTTP. */
  readonly url?: string | undefined
}

export interface Management {
  readonly origin: string
  readonly port: number
  readonly close: () => Promise<void>
}

/**
 * Listens for who operates the host, never for who calls its tools: `/livez` and `/healthz` say that the event loop turns, `/readyz`
 * whether traffic should come, `/metrics` what happened; with `admin` it serves that too. Throws `LISTEN_FAILED`.
 */
export async function createManagement(options: ManagementOptions): Promise<Management> {
  const { registry, isDraining, isPreparing = () => false, missing, metrics, admin, log, about = () => undefined } = options
  // Balancers ask in HTTP/1.0, without a Host. A browser, whose requests the check is for, always sends one.
  const admission = createAdmission({ ...options, withoutHost: true })

  const pages: Readonly<Record<string, (res: ServerResponse) => void | Promise<void>>> = {
    '/livez': (res) => sendJson(res, 200, '{"status":"ok"}'),
    '/healthz': (res) => sendJson(res, 200, JSON.stringify({ status: 'ok', ...about() })),
    '/readyz': (res) => {
      const report = { ...readiness(registry.current, isDraining(), missing), preparing: isPreparing() }
      sendJson(res, report.ready ? 200 : 503, JSON.stringify(report))
    },
    ...(metrics && {
      '/metrics': async (res) => {
        const text = await metrics()
        res.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text)
      },
    }),
  }

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const refused = admission.check(req)
    const path = req.url?.split('?', 1)[0] ?? ''
    const methods = refused ? undefined : admin?.allow(path)
    if (methods?.split(', ').includes(req.method ?? '') && admin) return admin.handle(req, res, path)
    req.resume()
    if (refused) return refuse(res, refused)
    if (methods) return refuse(res, refusal(405, `${path} takes ${methods}`, { headers: { allow: methods } }))
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined
    if (!page) return refuse(res, refusal(404, `There is nothing at ${path}`))
    if (req.method !== 'GET' && req.method !== 'HEAD')
      return refuse(res, refusal(405, `${path} is only read`, { headers: { allow: READ } }))
    await page(res)
  }

  const { server, origin, port } = await bind({
    what: 'management',
    host: options.host,
    port: options.port,
    timeouts: options.timeouts,
    log,
    allow: (path) => (Object.hasOwn(pages, path) ? READ : admin?.allow(path)),
    handle(req, res) {
      handle(req, res).catch((error: unknown) => {
        log.error('management_failed', { error })
        refuse(res, refusal(500, 'Something failed inside the host'))
      })
    },
  })

  return {
    origin,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const READ = 'GET, HEAD'

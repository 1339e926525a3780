import { docsPage } from './docs-page.ts'
import { entry, type Entry } from './error-definition.ts'

/** Listening, and the host itself. */
export const hostErrors = {
  LISTEN_UNAUTHENTICATED: entry<{ host: string }>(
    ({ host }) => `Refused to listen on ${host} without authentication: anyone who can reach it could call every tool`,
    () => [
      'Listen on 127.0.0.1 (listen.http.host, or --host), behind a proxy that authenticates',
      'Or turn authentication on: auth.inbound.mode "apiKey", "oauth" or "any"',
      'Or, if everyone who can connect may call everything: --dangerously-allow-unauthenticated',
    ],
  ),
  LISTEN_FAILED: entry<{ what: string; address: string; problem: string }>(
    ({ what, address, problem }) => `The ${what} listener cannot use ${address}: ${problem}`,
    ({ what }) => [`Stop what uses the address, or choose another: listen.${what}.host and listen.${what}.port`],
  ),
  LISTEN_ADMIN: entry<{ host: string }>(
    ({ host }) => `Refused to serve /admin on ${host}: it calls every tool as any caller, and is for this machine alone`,
    () => [
      'Listen on 127.0.0.1: listen.management.host',
      'Or turn it off: remove listen.management.admin, and keep /metrics and the probes on this address',
    ],
  ),
  ADMIN_REQUEST: entry<{ problem: string }>(
    ({ problem }) => `The request to the admin API cannot be used: ${problem}`,
    () => [`Send what ${docsPage('advanced/dev-page.md')} says of this address`],
  ),
  ADMIN_NO_PROJECT: entry<object>(
    () => 'This host was made without a config file: there is no lock to compare, and nothing to read again',
    () => ['Start the host with npx mcp-patchbay start or dev', 'Or, in a program of yours, call host.apply'],
  ),
  MIDDLEWARE_INVALID: entry<{ place: string; use: string; problem: string }>(
    ({ place, use, problem }) => `${place} (${JSON.stringify(use)}) cannot be used: ${problem}`,
    () => [
      'Give a path beginning with ./ inside the folder of the config, or the name of an installed package',
      `Its default export is { name, http?, tool?, resource?, prompt? }; ${docsPage('advanced/middleware.md')} has an example`,
    ],
  ),
  MIDDLEWARE_NEXT: entry<{ name: string }>(
    ({ name }) => `The middleware "${name}" called next() a second time for one request; the second call was refused`,
    () => ['Call next() once and keep what it answers: const answer = await next()', 'Retry in the client, or in the plugin'],
  ),
  HOST_CLOSING: entry<object>(
    () => 'The host is shutting down and the call did not finish in time',
    () => ['Call again in a moment; another process takes over'],
  ),
  HOST_CLOSED: entry<object>(
    () => 'The host is closed',
    () => ['Create a new host with createHost'],
  ),
  FAULTS_INVALID: entry<{ step: string }>(
    ({ step }) => `PATCHBAY_FAULTS holds ${JSON.stringify(step)}, which is not a failpoint with an action`,
    () => ['Unset PATCHBAY_FAULTS: it is only for tests', 'Or write it like lock.rename:kill or lock.rename:throw'],
  ),
  PLUGIN_THREW: entry<{ plugin: string; requestId: string }>(
    ({ plugin, requestId }) => `The plugin "${plugin}" failed with an error of its own (request ${requestId})`,
    ({ plugin, requestId }) => [
      `Search the log of the host for "${requestId}": it has the full error`,
      `Tell the author of the plugin "${plugin}": it is a fault in its code, not in the request`,
    ],
  ),
  INTERNAL: entry<{ requestId: string }>(
    ({ requestId }) => `Something failed inside the host (request ${requestId})`,
    ({ requestId }) => [`Search the log of the host for "${requestId}": it has the full error`],
  ),
} satisfies Record<string, Entry<never>>

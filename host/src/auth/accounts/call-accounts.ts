import type { Logger, Principal } from '@mcp-patchbay/plugin-api'
import { HostError } from '../../errors.ts'
import type { CallAccount } from '../../network/http-call-scope.ts'
import type { LinkWait } from './accounts.ts'
import type { OpenAccounts } from './open-accounts.ts'

/** Where the pages of this host are reached, and for whom. */
export interface PagesAddress {
  /** Without a slash at its end. */
  readonly base: string
  /** Whose browser the pages can tell from another's. */
  readonly serves: (principal: Pick<Principal, 'kind'>) => boolean
}

/** Linked accounts as calls see them. */
export interface LinkedAccounts {
  load(principal: Principal, instance: string): Promise<CallAccount | undefined>
  waysToLink(principal: Principal, instance: string): Promise<{ address?: string; command?: string }>
  whenLinked(principal: Principal, instance: string, wait: LinkWait): Promise<boolean>
  /** The pages are served from now on, until the returned function is called. */
  serve(pages: PagesAddress): () => void
}

export function createLinkedAccounts({ accounts, tickets }: OpenAccounts, log: Logger): LinkedAccounts {
  let served: PagesAddress | undefined
  return {
    async load(principal, instance) {
      try {
        const used = await accounts.use({ principal, instance })
        return used
      } catch (error) {
        if (!(error instanceof Error)) throw error
        const code = error instanceof HostError ? error.code : undefined
        log.info('account_not_used', { plugin: instance, principal: principal.id, code, reason: error.message })
        return { problem: error, mustLinkAgain: code === 'ACCOUNT_BROKEN' }
      }
    },
    async waysToLink(principal, instance) {
      const command = principal.kind === 'local' ? { command: `npx mcp-patchbay login ${instance}` } : {}
      if (!served?.serves(principal)) return command
      // Where the store is away the call fails all the same; it says so with what else there is.
      const ticket = await tickets.issue({ principal, instance }).catch((error: unknown) => {
        log.warn('account_ticket_failed', { plugin: instance, error })
      })
      if (ticket === undefined) return command
      return { address: `${served.base}/accounts/link?ticket=${ticket}`, ...command }
    },
    whenLinked: (principal, instance, wait) => accounts.whenLinked({ principal, instance }, wait),
    serve(pages) {
      served = pages
      return () => {
        if (served === pages) served = undefined
      }
    },
  }
}

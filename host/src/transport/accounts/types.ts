import type { IncomingMessage } from 'node:http'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { OpenAccounts } from '../../auth/accounts/open-accounts.ts'
import type { PersonLogin } from '../../auth/accounts/person-login.ts'
import type { TypedKeys } from '../../auth/inbound/keys/typed-keys.ts'

/** What the pages on which people link accounts are made with. */
export interface AccountPagesOptions {
  readonly open: OpenAccounts
  /** Where the pages are reached, without a slash at its end. */
  readonly base: string
  /** Authorization servers elsewhere can read what the host says of itself as their client. */
  readonly hasDocuments: boolean
  /** Where callers come with OAuth. Without it and without `keys` every client that can reach this listener is the operator. */
  readonly login: PersonLogin | undefined
  /** Where callers come with API keys. */
  readonly keys: TypedKeys | undefined
  readonly addressOf: (req: IncomingMessage) => string
  /** What accounts can be linked for now. */
  readonly services: () => ReadonlySet<string>
  /** What people know this host by. */
  readonly title: () => string
  readonly log: Logger
}

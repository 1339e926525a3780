import { accounts } from './accounts.ts'
import { admin } from './admin.ts'
import { cacheKeys } from './cache-keys.ts'
import { calls } from './calls.ts'
import { channel } from './channel.ts'
import { confined } from './confined.ts'
import { credentials } from './credentials.ts'
import { inbound } from './inbound.ts'
import { longTexts } from './long-texts.ts'
import type { Mutant } from './mutant.ts'
import { network } from './network.ts'
import { persons } from './persons.ts'
import { plugins } from './plugins.ts'
import { postgres } from './postgres.ts'
import { processesAsk } from './processes-ask.ts'
import { processes } from './processes.ts'
import { projects } from './projects.ts'
import { reload } from './reload.ts'
import { requests } from './requests.ts'
import { saml } from './saml.ts'
import { search } from './search.ts'
import { servers } from './servers.ts'
import { sessions } from './sessions.ts'
import { visibility } from './visibility.ts'

/** Every mutant there is. */
export const areas: readonly Mutant[] = [
  ...visibility,
  ...calls,
  ...cacheKeys,
  ...credentials,
  ...accounts,
  ...reload,
  ...inbound,
  ...plugins,
  ...network,
  ...search,
  ...channel,
  ...longTexts,
  ...admin,
  ...processes,
  ...processesAsk,
  ...servers,
  ...sessions,
  ...saml,
  ...projects,
  ...postgres,
  ...persons,
  ...confined,
  ...requests,
]

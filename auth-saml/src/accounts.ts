import type { Account } from './account.ts'
import type { LoginStore } from './store.ts'

/** What the last login of each person said of them, for as long as it counts. */
export interface Accounts {
  find(subject: string): Promise<Account | undefined>
  keep(account: Account): Promise<void>
}

export function createAccounts(store: LoginStore, lifetimeMs: number): Accounts {
  return {
    find: async (subject) => (await store.get(`account:${subject}`)) as Account | undefined,
    async keep(account) {
      await store.set(`account:${account.subject}`, account, lifetimeMs)
    },
  }
}

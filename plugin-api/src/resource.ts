import type { Complete } from './completion.ts'
import type { CallContext } from './context.ts'
import type { ResourceContents } from './content.ts'

/** Something a client can read by URI. Returns its argument, for inference. */
export function defineResource<Client = unknown>(resource: Resource<Client>): Resource<Client> {
  return resource
}

export interface Resource<Client> {
  /** `snake_case`; filters and permissions see `<instance>_<name>`. */
  readonly name: string
  readonly title?: string
  readonly description?: string
  /** A fixed URI, or an RFC 6570 template of simple expressions: `notes://{folder}/{id}`. Not prefixed: choose a scheme of your own. */
  readonly uri: string
  readonly mimeType?: string
  readonly permissions?: readonly string[]
  /**
   * Of a template: the resources that there are now for this caller, a page at a time. Clients get them in `resources/list` behind the fixed
   * ones. `cursor` is the `next` of the page before, undefined for the first. Each URI must fit the template.
   */
  readonly list?: (cursor: string | undefined, ctx: CallContext<Client>) => Awaitable<ResourcePage>
  /** Values for a variable of the template while it is typed. */
  readonly complete?: Complete<Client>
  /** `params` holds the template's values, decoded. A string is text of `mimeType`. Throw `ServiceError('NOT_FOUND', …)` where there is nothing. */
  readonly read: (
    uri: string,
    params: Readonly<Record<string, string>>,
    ctx: CallContext<Client>,
  ) => Awaitable<string | Uint8Array | readonly ResourceContents[]>
}

/** Some of the resources of a template. */
export interface ResourcePage {
  /** At most a thousand. */
  readonly resources: readonly ListedResource[]
  /** Where the next page begins; undefined for the last page. At most 1,000 characters. */
  readonly next?: string | undefined
}

export interface ListedResource {
  readonly uri: string
  /** Default: the URI. */
  readonly name?: string
  readonly title?: string
  readonly description?: string
  /** Default: that of the template. */
  readonly mimeType?: string
}

type Awaitable<Value> = Value | Promise<Value>

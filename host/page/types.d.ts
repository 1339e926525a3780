/** What the admin API answers, as far as the page reads it. docs/advanced/dev-page.md has the whole. */

export interface Reason {
  readonly code: string
  readonly message: string
  readonly fix: readonly string[]
  readonly at?: string
  readonly frame?: string
}

export interface Status {
  readonly version: string
  readonly generation: number
  readonly deployment: string
  readonly frozen: boolean
  readonly readOnly: boolean
  readonly url: string | null
  readonly config: string | null
  readonly watching: boolean
}

export interface NamedCaller {
  readonly id?: string
  readonly tenant?: string
  readonly permissions?: readonly string[]
  readonly toolsets?: readonly string[]
  readonly readOnly?: boolean
}

export interface KnownCaller {
  readonly label: string
  readonly as: NamedCaller | null
}

export interface ToolBrief {
  readonly name: string
  readonly title: string | null
  readonly description: string
  readonly plugin: string | null
  readonly access: 'read' | 'write'
  readonly approval: boolean
  readonly tags: readonly string[]
  readonly visible: boolean
  readonly hiddenBy: string | null
  readonly listed: boolean
}

export interface ToolDetail {
  readonly definition: {
    readonly name: string
    readonly title?: string
    readonly description: string
    readonly inputSchema: Schema
    readonly outputSchema?: Schema
    readonly annotations?: Readonly<Record<string, unknown>>
  } | null
  readonly plugin: { readonly name: string; readonly use: string; readonly version: string | null } | null
  readonly explanation: {
    readonly visible: boolean
    readonly decidedBy: string | null
    readonly listed: boolean
    readonly found: boolean
    readonly chain: readonly { readonly rule: string; readonly verdict: 'pass' | 'refuse'; readonly source: string }[]
  }
}

export interface PluginListing {
  readonly name: string
  readonly use: string
  readonly version: string | null
  readonly isolation: string
  readonly rights: readonly string[]
  readonly state: string
  readonly pinned: string
  readonly reason: Reason | null
  readonly reloadError: Reason | null
  readonly tools: readonly { readonly name: string; readonly visible: boolean; readonly tokens: number }[]
  readonly warnings: readonly { readonly name: string; readonly problem: string; readonly fix: string }[]
}

export interface HostListing {
  readonly generation: number
  readonly plugins: readonly PluginListing[]
  readonly warnings: readonly string[]
  readonly ignored: readonly Reason[]
  readonly lockProblem: Reason | null
}

export interface JsonChange {
  readonly field: string
  readonly before?: unknown
  readonly after?: unknown
}

export type Difference =
  | {
      readonly kind: 'use' | 'version' | 'integrity' | 'apiVersion'
      readonly locked?: string | number
      readonly observed?: string | number
    }
  | {
      readonly kind: 'tree'
      readonly locked: string
      readonly observed: string
      readonly files?: readonly { readonly change: string; readonly package: string; readonly path: string }[]
    }
  | { readonly kind: 'capability'; readonly change: string; readonly capability: string; readonly value: string }
  | { readonly kind: 'tool'; readonly tool: string; readonly change: string; readonly fields?: readonly JsonChange[] }
  | { readonly kind: 'access'; readonly tool: string; readonly locked: string; readonly observed: string }
  | { readonly kind: 'others' }

export interface LockChange {
  readonly name: string
  readonly change: 'added' | 'changed' | 'removed'
  readonly differences: readonly Difference[]
  readonly digest?: string
  readonly plugin?: {
    readonly use: string
    readonly version?: string
    readonly tree: string
    readonly capabilities: {
      readonly hosts: readonly string[]
      readonly env: readonly string[]
      readonly fs: { readonly read: readonly string[]; readonly write: readonly string[] }
      readonly credentials: string
      readonly native: boolean
    }
    readonly tools: readonly { readonly name: string; readonly access: string; readonly description: string }[]
  }
}

export interface LockState {
  readonly deployment: string
  readonly changes: readonly LockChange[]
  readonly failed: readonly { readonly plugin: string; readonly problem: string }[]
}

export type Schema = boolean | object

/** A tool, a prompt or a resource, and arguments. */
export interface CallRequest {
  readonly as: NamedCaller | null
}

/** A prompt, a resource or a template, as clients are listed it. */
export interface Offer {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly arguments?: readonly {
    readonly name: string
    readonly title?: string
    readonly description?: string
    readonly required?: boolean
  }[]
  readonly uri?: string
  readonly uriTemplate?: string
  readonly mimeType?: string
}

export interface Offers {
  readonly generation: number
  readonly prompts: readonly Offer[]
  readonly resources: readonly Offer[]
  readonly templates: readonly Offer[]
}

export interface PromptMessage {
  readonly role: string
  readonly content: Content
}

export interface ResourceContents {
  readonly uri: string
  readonly mimeType?: string
  readonly text?: string
  readonly blob?: string
}

export type Content =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string }
  | { readonly type: 'resource_link'; readonly uri: string; readonly name: string; readonly description?: string }
  | { readonly type: 'resource'; readonly resource: { readonly uri: string; readonly text?: string; readonly mimeType?: string } }

export interface ToolResult {
  readonly content: readonly Content[]
  readonly structuredContent?: unknown
  readonly isError?: boolean
  readonly _meta?: unknown
}

export interface InputRequest {
  readonly method: string
  readonly params?: Readonly<Record<string, unknown>>
}

type Result = ToolResult | { readonly messages: readonly PromptMessage[] } | { readonly contents: readonly ResourceContents[] }

export type CallEnd =
  | { readonly type: 'result'; readonly call: string; readonly ms: number; readonly result: Result }
  | {
      readonly type: 'question'
      readonly call: string
      readonly ms: number
      readonly requests: Readonly<Record<string, InputRequest>>
    }
  | {
      readonly type: 'error'
      readonly call: string
      readonly ms: number
      readonly hiddenBy?: string | null
      readonly error: { readonly code: string; readonly message: string; readonly fix: readonly string[] }
    }

interface FeedBase {
  readonly id: number
  readonly at: number
}

export type FeedEvent =
  | (FeedBase & {
      readonly type: 'generation'
      readonly generation: number
      readonly more: number
      readonly changes: readonly {
        readonly kind: string
        readonly name: string
        readonly change: 'added' | 'removed' | 'changed'
        readonly fields?: readonly JsonChange[]
      }[]
    })
  | (FeedBase & {
      readonly type: 'reload'
      readonly plugin: string
      readonly generation: number
      readonly previous: number
      readonly outcome: 'added' | 'replaced' | 'removed' | 'kept'
      readonly ms: number
      readonly state: string | null
      readonly reason: Reason | null
      readonly recovered: boolean
      readonly callsFinishing: number
      readonly changes: { readonly added: number; readonly changed: number; readonly removed: number }
    })
  | (FeedBase & {
      readonly type: 'drained'
      readonly plugin: string
      readonly generation: number
      readonly finished: number
      readonly cancelled: number
    })
  | (FeedBase & {
      readonly type: 'call'
      readonly kind: string
      readonly name: string
      readonly plugin?: string
      readonly caller: { readonly id: string; readonly kind: string; readonly tenant?: string }
      readonly outcome: string
      readonly reason?: string
      readonly ms: number
    })
  | (FeedBase & {
      readonly type: 'config'
      readonly taken: boolean
      readonly message: string
      readonly restartNeeded: readonly string[]
    })
  | (FeedBase & {
      readonly type: 'types'
      readonly errors: readonly {
        readonly file: string
        readonly line: number
        readonly column: number
        readonly code: string
        readonly message: string
      }[]
      readonly elsewhere: number
      readonly ms: number
    })

/** One item of what a tool, prompt or resource shows. The shapes are those of MCP's `ContentBlock`. */
export type Content = TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource

export interface TextContent {
  readonly type: 'text'
  readonly text: string
  readonly annotations?: ContentAnnotations
}

/** `data` is base64. */
export interface ImageContent {
  readonly type: 'image'
  readonly data: string
  readonly mimeType: string
  readonly annotations?: ContentAnnotations
}

/** `data` is base64. */
export interface AudioContent {
  readonly type: 'audio'
  readonly data: string
  readonly mimeType: string
  readonly annotations?: ContentAnnotations
}

export interface ResourceLink {
  readonly type: 'resource_link'
  readonly uri: string
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly mimeType?: string
  readonly annotations?: ContentAnnotations
}

export interface EmbeddedResource {
  readonly type: 'resource'
  readonly resource: ResourceContents
  readonly annotations?: ContentAnnotations
}

/** What reading a resource gives: text, or bytes as base64 in `blob`. */
export type ResourceContents = { readonly uri: string; readonly mimeType?: string } & (
  | { readonly text: string }
  | { readonly blob: string }
)

export interface ContentAnnotations {
  readonly audience?: readonly ('user' | 'assistant')[]
  /** 1 most important, 0 least. */
  readonly priority?: number
  /** ISO 8601. */
  readonly lastModified?: string
}

/** One message of a prompt. */
export interface PromptMessage {
  readonly role: 'user' | 'assistant'
  readonly content: Content
}

/** The public surface of the contract, by name. A plugin needs nothing else. */
export { Type, type Static, type TObject, type TSchema } from 'typebox'
export { hasCredential, Secret } from './config.ts'
export type { Complete, CompletionInput } from './completion.ts'
export type {
  AudioContent,
  Content,
  ContentAnnotations,
  EmbeddedResource,
  ImageContent,
  PromptMessage,
  ResourceContents,
  ResourceLink,
  TextContent,
} from './content.ts'
export type {
  Cache,
  CallContext,
  ClientContext,
  HttpClient,
  HttpRequest,
  HttpResponse,
  Keep,
  PluginContext,
  Principal,
  QueryValue,
} from './context.ts'
export { contractFaults, type ContractFault } from './contract.ts'
export { CREDENTIAL_KEYS } from './credential-keys.ts'
export type { Discovered } from './discovered.ts'
export { ServiceError, serviceErrorCode, type ServiceErrorCode, type ServiceErrorOptions } from './errors.ts'
export { markdown, type Columns, type ResponseFormatter } from './format.ts'
export {
  elicit,
  inputRequired,
  isInputRequired,
  listRoots,
  sample,
  type InputRequest,
  type InputRequired,
  type InputResponse,
  type InputResponses,
} from './interactive.ts'
export {
  API_VERSION,
  definePlugin,
  type AnyPlugin,
  type Capabilities,
  type CredentialPlacement,
  type Placement,
  type PluginDefinition,
  type ServicePlugin,
  type Started,
} from './plugin.ts'
export { definePrompt, type AnyPrompt, type Prompt } from './prompt.ts'
export { defineResource, type ListedResource, type Resource, type ResourcePage } from './resource.ts'
export { SecretValue } from './secret-value.ts'
export type { LogFields, Logger, MetricLabels, Metrics } from './telemetry.ts'
export { isToolResult, toolResult, type ToolResult, type WholeResult } from './tool-result.ts'
export { defineTool, type AnyTool, type Tool, type ToolAnnotations, type ToolIcon, type ToolReturn } from './tool.ts'

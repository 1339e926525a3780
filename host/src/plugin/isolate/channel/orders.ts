import type { InlineOptions } from '../../run/inline.ts'
import type { CallRequest } from '../../run/running.ts'
import { writeConfig } from './config-codec.ts'
import type { CallerFacts, StartOrder, WireRequest } from './messages.ts'

/** What a tool may do, as the host knows it. */
export interface Rights {
  readonly access: 'read' | 'write'
  readonly safePaths: readonly string[]
}

export const READING: Rights = Object.freeze({ access: 'read', safePaths: [] })

export function startOrder({ instance, surface, config, tenants = new Map(), hasBackground = true }: InlineOptions): StartOrder {
  return {
    instance,
    surface,
    config: writeConfig(config),
    tenants: [...tenants].map(([tenant, own]) => [tenant, writeConfig(own)]),
    hasBackground,
  }
}

export function wireRequest({ inputResponses, requestState }: CallRequest, facts: CallerFacts): WireRequest {
  return {
    ...facts,
    ...(inputResponses === undefined ? {} : { inputResponses }),
    ...(requestState === undefined ? {} : { requestState }),
  }
}

/** Whether everything that its plugin is told of it are facts of its caller. */
export function isOrdinary({ inputResponses, requestState }: CallRequest): boolean {
  return inputResponses === undefined && requestState === undefined
}

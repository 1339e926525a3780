import { TOOLS_CALL, TOOLS_SEARCH } from './search-tools.ts'
import type { View } from './view.ts'

/** What a client tells its model about this server: the services this caller sees something of. Undefined when there are none. */
export function instructionsFor(view: View): string | undefined {
  if (!known.has(view)) known.set(view, describe(view))
  return known.get(view)
}

/** One text for all requests of a caller class and generation. */
const known = new WeakMap<View, string | undefined>()

function describe({ instructions, services, search, callable }: View): string | undefined {
  if (services.length === 0) return instructions
  const lines = services.map(({ instance, description }) => (description ? `- ${instance}: ${description}` : `- ${instance}`))
  return [
    ...(instructions === undefined ? [] : [`${instructions}\n`]),
    'This server offers several services. The name of a tool or prompt begins with the service it belongs to:',
    ...lines,
    ...(search
      ? [
          `It has ${callable.length} tools, of which few are listed: find them with ${TOOLS_SEARCH}, and call them with ${TOOLS_CALL}.`,
        ]
      : []),
    'The list can change while you are connected.',
  ].join('\n')
}

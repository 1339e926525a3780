import { entry, type Entry } from './error-definition.ts'

/** A file of a plugin's code that cannot be run. */
export const moduleErrors = {
  MODULE_SYNTAX: entry<{ at: string; reason: string }>(
    ({ at, reason }) => `${at} does not parse: ${reason}`,
    () => ['Correct that line and save; until then the version before keeps serving'],
  ),
  MODULE_EXPORT_MISSING: entry<{ at: string; reason: string }>(
    ({ at, reason }) => `${at} imports what is not there: ${reason}`,
    () => ['Correct the name, or export it there', 'If it is a TypeScript type, import it with `import type`'],
  ),
  MODULE_TYPESCRIPT_SYNTAX: entry<{ at: string; reason: string }>(
    ({ at, reason }) => `${at} uses TypeScript that needs a compiler: ${reason}`,
    () => [
      'Write what it stands for: a const object for an enum, a module for a namespace, a field for a parameter property, a call for a decorator',
      'Set "erasableSyntaxOnly": true in tsconfig.json, and the editor marks all such places',
      'Or compile the plugin and load its JavaScript',
    ],
  ),
  MODULE_TYPESCRIPT_IN_PACKAGE: entry<{ file: string }>(
    ({ file }) => `${file} is TypeScript inside node_modules; an installed package must ship JavaScript`,
    () => [
      'Use a release of the package that ships JavaScript, or compile it before publishing',
      'While developing it, link its folder (npm link, or a path in mcp.config.ts): outside node_modules TypeScript runs as it stands',
    ],
  ),
  MODULE_LOAD_TIMEOUT: entry<{ entry: string; timeoutMs: number }>(
    ({ entry: file, timeoutMs }) => `${file} was not imported within ${timeoutMs} ms`,
    () => [
      'Look for a top-level await that waits for something that never comes',
      'Raise limits.loadTimeoutMs if it needs longer',
    ],
  ),
  MODULE_RESTART_REQUIRED: entry<{ file: string; changed: string }>(
    ({ file, changed }) => `${file} changed in ${changed}, which Node reads only once: a restart is required to load from it`,
    () => ['Restart the host', 'Or run the plugin with isolation: "process"; its process is new at every reload'],
  ),
  MODULE_RELEASED: entry<{ module: string }>(
    ({ module }) => `${module} belongs to a version that was released; it can import nothing more`,
    () => ['Stop timers and listeners when the plugin is disposed: something of the old version was still running'],
  ),
} satisfies Record<string, Entry<never>>

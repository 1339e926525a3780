import { entry, type Entry } from './error-definition.ts'

/** A file of a plugin's code that cannot be run. */
export const moduleErrors = {
  MODULE_SYNTAX: entry<{ at: string; reason: string }>(
    ({ at, reason }) => `${at} has a syntax error: ${reason}`,
    () => ['Fix that line and save. Until then the previous version keeps serving'],
  ),
  MODULE_EXPORT_MISSING: entry<{ at: string; reason: string }>(
    ({ at, reason }) => `${at} imports a name that does not exist: ${reason}`,
    () => ['Fix the name, or export it there', 'If it is a TypeScript type, import it with `import type`'],
  ),
  MODULE_TYPESCRIPT_SYNTAX: entry<{ at: string; reason: string }>(
    ({ at, reason }) => `${at} uses TypeScript that needs a compiler: ${reason}`,
    () => [
      'Use JavaScript in its place: a const object for an enum, a module for a namespace, a field for a parameter property, a call for a decorator',
      'Set "erasableSyntaxOnly": true in tsconfig.json, and the editor marks all such places',
      'Or compile the plugin and load its JavaScript',
    ],
  ),
  MODULE_TYPESCRIPT_IN_PACKAGE: entry<{ file: string }>(
    ({ file }) => `${file} is TypeScript inside node_modules; an installed package must ship JavaScript`,
    () => [
      'Use a release of the package that ships JavaScript, or compile it before publishing',
      'While developing it, link its folder (npm link, or a path in the config file): outside node_modules TypeScript runs without a build',
    ],
  ),
  MODULE_LOAD_TIMEOUT: entry<{ entry: string; timeoutMs: number }>(
    ({ entry: file, timeoutMs }) => `${file} was not imported within ${timeoutMs} ms`,
    () => ['Find a top-level await that never resolves', 'Raise limits.loadTimeoutMs if it needs longer'],
  ),
  MODULE_RESTART_REQUIRED: entry<{ file: string; changed: string }>(
    ({ file, changed }) => `${file} changed in ${changed}, which Node reads only once, so the host must restart to load the file`,
    () => ['Restart the host', 'Or run the plugin with isolation: "process"; its process is new at every reload'],
  ),
  MODULE_RELEASED: entry<{ module: string }>(
    ({ module }) => `${module} belongs to a version that was disposed and cannot import anything any more`,
    () => ['Stop timers and listeners when the plugin is disposed: code of the old version was still running'],
  ),
} satisfies Record<string, Entry<never>>

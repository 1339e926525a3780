import { entry, type Entry } from './error-definition.ts'

/** Who calls, and what proves it. */
export const callerErrors = {
  CALLER_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `${file} does not describe a caller: ${problem}`,
    () => ['Write JSON such as { "tenant": "acme", "permissions": ["issues:read"], "toolsets": ["triage"], "readOnly": true }'],
  ),
  AUTH_KEYS_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `The API keys of ${file} cannot be used: ${problem}`,
    ({ file }) => [
      `Make ${file} readable by the user of the host, and writable by the user of npx mcp-patchbay keys`,
      'Or name another file in auth.inbound.keysFile, and make keys with npx mcp-patchbay keys create',
    ],
  ),
  AUTH_KEYS_BUSY: entry<{ file: string; lock: string }>(
    ({ file }) => `Another command is changing ${file}`,
    ({ lock }) => [`Run the command again; if no other one is running, it was interrupted: remove ${lock}`],
  ),
  AUTH_KEY_TAKEN: entry<{ id: string }>(
    ({ id }) => `An API key "${id}" exists or existed`,
    () => ['Choose another name with --id: a name in the log must mean one key'],
  ),
  AUTH_KEY_UNKNOWN: entry<{ id: string; file: string }>(
    ({ id, file }) => `${file} has no API key "${id}" to revoke`,
    () => ['List the keys: npx mcp-patchbay keys list', 'A key of auth.inbound.keys is revoked by removing it from the config'],
  ),
  AUTH_ISSUER: entry<{ issuer: string; problem: string }>(
    ({ issuer, problem }) => `The authorization server ${issuer} cannot be used: ${problem}`,
    () => [
      'Write issuer in auth.inbound.oauth.issuers exactly as in its metadata, including a slash at the end',
      'Or, if it has no metadata, set jwksUri to its keys',
    ],
  ),
  AUTH_SECRET: entry<{ what: string; variable: string; problem: string }>(
    ({ what, variable, problem }) => `${what} cannot be used: ${variable} ${problem}`,
    ({ variable }) => {
      const name = variable.replace(/_FILE$/, '')
      return [`Set ${name} in the environment or in .env`, `Or point ${name}_FILE at a file that holds it`]
    },
  ),
} satisfies Record<string, Entry<never>>

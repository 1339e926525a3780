import { entry, type Entry } from './error-definition.ts'

/** Who calls, and what proves it. */
export const callerErrors = {
  CALLER_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `${file} does not say who calls: ${problem}`,
    () => ['Write JSON such as { "tenant": "acme", "permissions": ["issues:read"], "toolsets": ["triage"], "readOnly": true }'],
  ),
  AUTH_KEYS_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `The API keys of ${file} cannot be used: ${problem}`,
    ({ file }) => [
      `Let the host's user read ${file}, and write it where patchbay keys runs`,
      'Or name another file in auth.inbound.keysFile, and make keys with patchbay keys create',
    ],
  ),
  AUTH_KEYS_BUSY: entry<{ file: string; lock: string }>(
    ({ file }) => `Another command is changing ${file}`,
    ({ lock }) => [`Run the command again; if no other one is running, it was interrupted: remove ${lock}`],
  ),
  AUTH_KEY_TAKEN: entry<{ id: string }>(
    ({ id }) => `There is an API key "${id}" already, or there was one`,
    () => ['Give another name with --id: what the log says of a key must not be two keys'],
  ),
  AUTH_KEY_UNKNOWN: entry<{ id: string; file: string }>(
    ({ id, file }) => `${file} has no API key "${id}" that could be revoked`,
    () => ['See what there is: patchbay keys list', 'A key of auth.inbound.keys is revoked by removing it from the config'],
  ),
  AUTH_ISSUER: entry<{ issuer: string; problem: string }>(
    ({ issuer, problem }) => `The authorization server ${issuer} cannot be used: ${problem}`,
    () => [
      'Write issuer in auth.inbound.oauth.issuers exactly as its metadata does, slash at its end included',
      'Or, where it has no metadata, give its keys: jwksUri',
    ],
  ),
  AUTH_SECRET: entry<{ what: string; variable: string; problem: string }>(
    ({ what, variable, problem }) => `${what} cannot be used: ${variable} ${problem}`,
    ({ variable }) => [
      `Set ${variable.replace(/_FILE$/, '')} in the environment or in .env, or point the same with _FILE at a file`,
    ],
  ),
} satisfies Record<string, Entry<never>>

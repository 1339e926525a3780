import { entry, type Entry } from './error-definition.ts'

/** The way to a service, and the credentials for it. */
export const serviceErrors = {
  SERVICE_URL_INVALID: entry<{ plugin: string; setting: string; problem: string }>(
    ({ plugin, setting, problem }) => `Plugin "${plugin}" does not have a usable address: ${setting} ${problem}`,
    ({ setting }) => [
      `Set ${setting} to an address like https://api.example.com, without user name, query or fragment`,
      'Put the user name and password into their own variables',
    ],
  ),
  SERVICE_HEADER_INVALID: entry<{ plugin: string; header: string; problem: string }>(
    ({ plugin, header, problem }) => `Plugin "${plugin}" cannot send the header ${JSON.stringify(header)}: it ${problem}`,
    () => ['Remove it from headers of the plugin, or from credentials where the plugin says how a credential is sent'],
  ),
  CREDENTIAL_INVALID: entry<{ plugin: string; setting: string; problem: string }>(
    ({ plugin, setting, problem }) => `The credential of plugin "${plugin}" cannot be used: ${setting} ${problem}`,
    ({ setting }) => [`Copy the value of ${setting} again, without line breaks or quotes around it`],
  ),
  CREDENTIAL_REQUIRED: entry<{ plugin: string; header: string; why: 'deny' | 'readOnly' | 'none' | 'notAccepted' | 'noToken' }>(
    ({ plugin, why }) =>
      `${plugin} needs a credential of yours for this call: ` +
      {
        deny: "the server's own is not for callers",
        readOnly: "the server's own is for reading only",
        none: 'the server has none',
        notAccepted: 'the one that was sent is not accepted here',
        noToken: 'this call came without an access token that could be exchanged for one',
      }[why],
    ({ plugin, header, why }) => [
      why === 'notAccepted'
        ? `Leave ${header} out, or the operator sets allowRequestCredentials on the entry "${plugin}" in the config file`
        : `Link your account or send ${header} with a credential of yours`,
      why === 'none'
        ? `Or the operator sets a credential of "${plugin}" in the environment`
        : `Or the operator sets serverCredentials: 'allow' on the entry "${plugin}" in the config file`,
    ],
  ),
  CREDENTIAL_REFUSED: entry<{ plugin: string; remedy: string }>(
    ({ plugin }) => `${plugin} did not accept the credential`,
    ({ remedy }) => [remedy],
  ),
  ACCOUNT_KEY: entry<{ variable: string; isSet: boolean }>(
    ({ variable, isSet }) =>
      `The store of account tokens needs ${variable}, which ${isSet ? 'is not 32 bytes in Base64' : 'is not set'}`,
    ({ variable }) => [
      `Create a key once and keep it: ${variable}=$(openssl rand -base64 32)`,
      'Or remove auth.accounts from the config file',
    ],
  ),
  ACCOUNT_STORE: entry<object>(
    () => 'The store of account tokens did not answer',
    () => [
      'Call again in a few seconds',
      'As the operator: check the Redis of cache.store, or that the folder of auth.accounts.store can be read and written',
    ],
  ),
  ACCOUNT_REQUIRED: entry<{
    plugin: string
    why: 'none' | 'again' | 'scopes'
    /** For `scopes`: what the account lacks. */
    scopes?: readonly string[]
    header: string
    address?: string
    command?: string
  }>(
    ({ plugin, why, scopes = [] }) =>
      why === 'none'
        ? `${plugin} needs an account of yours for this call, and none is linked`
        : why === 'again'
          ? `${plugin} no longer accepts the account that you linked`
          : `${plugin} needs more access for this call than your account is linked with: ${scopes.join(' ')}`,
    ({ header, address, command }) => [
      ...(address === undefined ? [] : [`Open ${address} in a browser, link your account, then call again`]),
      ...(command === undefined ? [] : [`${address === undefined ? 'Run' : 'Or run'}: ${command}`]),
      ...(address === undefined && command === undefined ? ['Ask the operator how to link an account'] : []),
      `Or send ${header} with a credential of yours`,
    ],
  ),
  ACCOUNT_SCOPES: entry<{ plugin: string; why: 'had' | 'many'; scopes: readonly string[] }>(
    ({ plugin, why, scopes }) =>
      why === 'had'
        ? `${plugin} refuses this call for want of access that your account was linked with already: ${scopes.join(' ')}`
        : `${plugin} asks for more and more access than your account is linked with, now: ${scopes.join(' ')}`,
    ({ plugin }) => [
      `Unlink your account at "${plugin}", link it again, and allow all that is asked for there`,
      'If that changes nothing, ask the owner of the service to give your account these rights',
    ],
  ),
  ACCOUNT_BROKEN: entry<{ plugin: string; why: 'refused' | 'unlinked' }>(
    ({ plugin, why }) =>
      why === 'refused'
        ? `${plugin} no longer accepts the account that you linked`
        : `Your account at "${plugin}" was unlinked while the call ran`,
    () => ['Link your account again, then call again'],
  ),
  ACCOUNT_OAUTH: entry<{ plugin: string; problem: string }>(
    ({ plugin, problem }) => `No account can be linked for "${plugin}": ${problem}`,
    ({ plugin }) => [`Check oauth of the entry "${plugin}" in the config file, and auth.accounts`],
  ),
  ACCOUNT_UNREADABLE: entry<{ plugin: string }>(
    ({ plugin }) => `The token that is stored for your account at "${plugin}" cannot be used`,
    () => ['Link your account again', 'As the operator: check that the key of auth.accounts is the one it was stored with'],
  ),
} satisfies Record<string, Entry<never>>

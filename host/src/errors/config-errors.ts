import { docsPage } from './docs-page.ts'
import { entry, type Entry } from './error-definition.ts'

/** What is wrong with a config or its environment; a host that starts with it exits with 78. */
export const configErrors = {
  CONFIG_MISSING: entry<{ plugin: string; variable: string }>(
    ({ plugin, variable }) => `Plugin "${plugin}" needs ${variable}, which is not set`,
    ({ variable }) => [`Set ${variable} in the environment or in .env`, `Or point ${variable}_FILE at a file that holds it`],
  ),
  CONFIG_NOT_FOUND: entry<{ looked: readonly string[]; names: readonly string[] }>(
    ({ looked, names }) => `No config found. Looked for ${names.join(', ')} in ${looked.join(', ')}`,
    () => [
      'Run the command in the folder of the config, or name the file: --config FILE',
      'Or make a new project: npx mcp-patchbay init',
    ],
  ),
  CONFIG_FAILED: entry<{ file: string; problem: string; frame?: string | undefined; fix?: readonly string[] | undefined }>(
    ({ file, problem, frame }) => `${file} could not be read as a config: ${problem}${frame ? `\n\n${frame}\n` : ''}`,
    ({ fix }) => fix ?? ['Fix the file. A running host keeps its current config until then'],
  ),
  CONFIG_INVALID: entry<{ file: string; faults: readonly string[] }>(
    ({ file, faults }) =>
      `${file} has ${faults.length === 1 ? 'an error' : `${faults.length} errors`}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    ({ file }) => [
      /\.(?:json|ya?ml)$/.test(file)
        ? `Fix the file. Every key is described in ${docsPage('config.md')}; npx mcp-patchbay schema prints its JSON Schema, with which an editor completes them`
        : `Fix the file. Every key is described in ${docsPage('config.md')}; an editor with TypeScript support completes them`,
    ],
  ),
  CONFIG_DEPLOYMENT: entry<{ deployment: string; problem: string; file?: string | undefined }>(
    ({ deployment, problem }) => `The deployment "${deployment}" ${problem}`,
    ({ file = 'the config file' }) => ['Fix --deployment or MCP_DEPLOYMENT', `Or correct deployments in ${file}`],
  ),
  CONFIG_ENV_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `The environment file ${file} cannot be read: ${problem}`,
    ({ file }) => [
      `Make ${file} a text file with one NAME=value per line, readable by the user of the host`,
      'Or leave --dotenv out',
    ],
  ),
  CONFIG_CA_FILE: entry<{ file: string; setting: string; problem: string }>(
    ({ file, problem }) => `The certificates in ${file} cannot be read: ${problem}`,
    ({ setting }) => [`Set ${setting} to a PEM file that the host's user may read; the path is relative to the config`],
  ),
  CONFIG_UNUSED: entry<{ file: string; rules: readonly string[] }>(
    ({ file, rules }) =>
      `${file} has rules without effect, and the deployment is frozen:\n${rules.map((rule) => `  ${rule}`).join('\n')}`,
    () => [
      'Correct each of them, or take it out',
      'See the tools there are, with their names: npx mcp-patchbay list --tools, and npx mcp-patchbay explain TOOL for the tags of one',
    ],
  ),
  NETWORK_VARIABLE: entry<{ variable: string; problem: string }>(
    ({ variable, problem }) => `${variable} cannot be used: it ${problem}`,
    ({ variable }) => [
      `Set ${variable} in the environment or in .env to a valid value, or remove it`,
      'TIMEOUT is a number of seconds, SSL_VERIFY is true or false, CA_FILE a PEM file, PROXY_URL an http:// or https:// URL',
    ],
  ),
  TLS_UNVERIFIED: entry<{ variable: string; plugin: string }>(
    ({ variable, plugin }) =>
      `${variable} turns off the check of the certificates of "${plugin}", and a frozen deployment does not take that from a variable`,
    ({ variable, plugin }) => [
      `Take ${variable} out, and name the authority of the service: ${variable.replace(/SSL_VERIFY$/, 'CA_FILE')}=/path/to/ca.pem`,
      `Or say it in the config file as well: http: { sslVerify: false } on the entry "${plugin}"`,
    ],
  ),
  CONFIG_COLLISION: entry<{ collisions: readonly { variable: string; readers: readonly string[] }[] }>(
    ({ collisions }) =>
      collisions.map(({ variable, readers }) => `${variable} would be read for ${readers.join(' and for ')}`).join('; '),
    () => ['Give one of the plugins another name with as: its variables are named after it'],
  ),
} satisfies Record<string, Entry<never>>

import { entry, type Entry } from './error-definition.ts'

/** Adding, updating and removing plugins of a project. */
export const projectErrors = {
  INSTALL_SPEC: entry<{ spec: string; why: string }>(
    ({ spec, why }) => `${JSON.stringify(spec)} cannot be installed: ${why}`,
    () => [
      'Give a package of the registry, such as @acme/mcp-jira or @acme/mcp-jira@2.3.1, the path of a folder or tarball, or openapi: and the file or address of an OpenAPI description',
    ],
  ),
  INSTALL_NPM: entry<{ command: string; problem: string }>(
    ({ command, problem }) => `${command} failed: ${problem}`,
    () => ['Read the message of npm, fix the cause and run the command again. Config, lock and node_modules are unchanged'],
  ),
  INSTALL_YOUNG: entry<{ name: string; version: string; hours: number }>(
    ({ name, version, hours }) =>
      `${name}@${version} was released ${hours} hours ago; most malicious releases are found within three days`,
    ({ name }) => [`Choose an older release: ${name}@VERSION`, 'Or, if you know that you need this one today, add --now'],
  ),
  INSTALL_NATIVE: entry<{ name: string; found: readonly string[] }>(
    ({ name, found }) => `${name} contains code that is not JavaScript: ${found.join(', ')}`,
    () => ['If you trust it with the whole machine, add --allow-native. Install scripts do not run even then'],
  ),
  INSTALL_UNCONFIRMED: entry<object>(
    () => 'This command asks before it changes anything, and there is no terminal to ask on. Nothing was changed',
    () => ['Run the command in a terminal, or read what it shows and add --yes'],
  ),
  INSTALL_TAKEN: entry<{ name: string; use: string }>(
    ({ name, use }) => `The config already uses the name "${name}" for ${use}`,
    () => ['Give the plugin another name: --as NAME'],
  ),
  INSTALL_UNKNOWN: entry<{ name: string; known: readonly string[] }>(
    ({ name, known }) => `The config has no plugin "${name}"; known plugins: ${known.join(', ') || 'none'}`,
    () => ['Fix the name', 'To remove a plugin of pluginDirs, remove its folder'],
  ),
  INSTALL_CONFIG: entry<{ file: string; line: string }>(
    ({ file, line }) => `${file} is a program whose plugins cannot be edited safely. ${line}`,
    () => [
      'Edit the file by hand, install the package with npm install --save-exact --ignore-scripts, and run npx mcp-patchbay lock',
    ],
  ),
  IMPORT_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `No MCP servers can be imported from ${file}: ${problem}`,
    () => ['Name the file of an MCP client: .mcp.json, .vscode/mcp.json, .cursor/mcp.json or claude_desktop_config.json'],
  ),
  CLIENT_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `The MCP client's file ${file} was not changed: ${problem}`,
    () => ['Print the entry and put it into the file yourself: npx mcp-patchbay install CLIENT --print'],
  ),
  CLIENT_TAKEN: entry<{ file: string; name: string }>(
    ({ file, name }) => `The MCP client's file ${file} uses the name "${name}" for another server. Nothing was changed`,
    () => ['Give this one another name: --as NAME', 'Or take the place of the other server: --replace'],
  ),
  CLIENT_HTTP: entry<{ problem: string }>(
    ({ problem }) => `The entry of an MCP client needs the address of the host: ${problem}`,
    () => [
      'Name the address: --http=http://127.0.0.1:3000/mcp',
      'Or leave --http out: the client then starts the host over stdio',
    ],
  ),
  SERVER_NOT_INSTALLED: entry<{ name: string; version: string; folder: string; problem: string }>(
    ({ name, version, folder, problem }) => `The MCP server ${name}@${version} is not installed in ${folder}: ${problem}`,
    () => ['Install the MCP servers of the config: npx mcp-patchbay install'],
  ),
  SERVER_COMMAND: entry<{ name: string; version: string; problem: string }>(
    ({ name, version, problem }) => `${name}@${version} cannot be started as an MCP server: ${problem}`,
    ({ name, version }) => [
      'Find the name of the server in its README: many projects publish several packages',
      `Or run it unconfined and without a pin: { use: 'mcp:exec', command: ['npx', '-y', '${name}@${version}'] }`,
    ],
  ),
  PROJECT_EXISTS: entry<{ folder: string; taken: readonly string[] }>(
    ({ folder, taken }) =>
      `Nothing was written into ${folder}: ${taken.join(', ')} ${taken.length === 1 ? 'exists' : 'exist'} already`,
    () => [
      'Name another folder, or move what is there away',
      'For one more plugin in a project: npx mcp-patchbay create-plugin NAME',
    ],
  ),
  PROJECT_NAME: entry<{ name: string; proposal?: string | undefined }>(
    ({ name }) =>
      `${JSON.stringify(name)} is not the name of a plugin: a to z, 0 to 9 and _, a letter first, at most 32 characters`,
    ({ proposal }) => [proposal ? `npx mcp-patchbay create-plugin ${proposal}` : 'Choose a name such as jira or wiki_pages'],
  ),
  INSTALL_BUSY: entry<{ folder: string; pid: number }>(
    ({ folder, pid }) => `Another command is changing this project${pid === 0 ? '' : ` (process ${pid})`}: see ${folder}`,
    () => ['Wait until it ends, and run the command again'],
  ),
  COMMAND_FAILED: entry<{ command: string; problem: string }>(
    ({ command, problem }) => `patchbay ${command} failed: ${problem}`,
    ({ command }) => [`Run npx mcp-patchbay ${command} in the folder of the config, and fix what it says`],
  ),
} satisfies Record<string, Entry<never>>

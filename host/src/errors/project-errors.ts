import { entry, type Entry } from './error-definition.ts'

/** Adding, updating and removing plugins of a project. */
export const projectErrors = {
  INSTALL_SPEC: entry<{ spec: string; why: string }>(
    ({ spec, why }) => `${JSON.stringify(spec)} cannot be installed: ${why}`,
    () => ['Give a package of the registry, such as @acme/mcp-jira or @acme/mcp-jira@2.3.1, or the path of a folder or tarball'],
  ),
  INSTALL_NPM: entry<{ command: string; problem: string }>(
    ({ command, problem }) => `${command} failed: ${problem}`,
    () => ['Read what npm says, mend it and run the command again; config, lock and node_modules are as before'],
  ),
  INSTALL_YOUNG: entry<{ name: string; version: string; hours: number }>(
    ({ name, version, hours }) =>
      `${name}@${version} was released ${hours} hours ago; most poisoned releases are found within three days`,
    ({ name }) => [`Name an older release: ${name}@VERSION`, 'Or, if you know that you need this one today, add --now'],
  ),
  INSTALL_NATIVE: entry<{ name: string; found: readonly string[] }>(
    ({ name, found }) => `${name} brings code that runs outside of JavaScript: ${found.join(', ')}`,
    () => ['If you trust it with the whole machine, add --allow-native; install scripts are not run even then'],
  ),
  INSTALL_UNCONFIRMED: entry<object>(
    () => 'Nobody can be asked, because this is no terminal; nothing was changed',
    () => ['Run the command in a terminal, or add --yes once you have read what it shows'],
  ),
  INSTALL_TAKEN: entry<{ name: string; use: string }>(
    ({ name, use }) => `The name "${name}" is that of ${use} in the config already`,
    () => ['Give the plugin another name: --as NAME'],
  ),
  INSTALL_UNKNOWN: entry<{ name: string; known: readonly string[] }>(
    ({ name, known }) => `plugins in the config has no "${name}": known are ${known.join(', ') || 'none'}`,
    () => ['Correct the name', 'A plugin of a folder in pluginDirs goes when you remove its folder'],
  ),
  INSTALL_CONFIG: entry<{ file: string; line: string }>(
    ({ file, line }) => `${file} is a program whose plugins cannot be edited safely. ${line}`,
    () => ['Edit the file by hand, install the package with npm install --save-exact --ignore-scripts, and run patchbay lock'],
  ),
  INSTALL_BUSY: entry<{ folder: string; pid: number }>(
    ({ folder, pid }) => `Another command changes this project${pid === 0 ? '' : ` (process ${pid})`}: see ${folder}`,
    () => ['Wait for it to end, and run the command again'],
  ),
} satisfies Record<string, Entry<never>>

import { Command } from 'commander'
import { addPlugin } from '../project/add.ts'
import { openProject } from '../project/open-project.ts'
import { removePlugin } from '../project/remove.ts'
import { isServerSpecifier } from '../config/schema/server/server-specifier.ts'
import { parseSpec } from '../project/spec.ts'
import { findEntry, updatePlugin } from '../project/update.ts'
import {
  addDescriptionEntry,
  refuseDescriptionOptions,
  withDescriptionOptions,
  type DescriptionFlags,
} from './descriptions/description-entries.ts'
import {
  addServerEntry,
  refuseServerOptions,
  updateServerEntry,
  withServerOptions,
  type ServerOptions,
} from './servers/server-entries.ts'
import { confirm } from './terminal/confirm.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import {
  consentOf,
  indented,
  riskLines,
  show,
  unchanged,
  warningLines,
  withInstallOptions,
  type InstallOptions,
} from './terminal/install-lines.ts'
import { changeJson, changeLines, pluginJson, pluginLines, uncoveredLines } from './terminal/pin-lines.ts'
import { printJson, printLines } from './terminal/print.ts'

const OPENAPI = 'openapi:'

interface AddOptions extends InstallOptions, ServerOptions, DescriptionFlags {}

/** `patchbay add SPEC`: installs a plugin, shows what it is, and writes it into config and lock. */
export function addCommand(run: Run): Command {
  return withDescriptionOptions(withServerOptions(withInstallOptions(new Command('add'))))
    .description('installs a plugin exactly and without scripts, shows it, and writes it into config and lock')
    .argument(
      '<spec>',
      'a package of the registry, name or name@version, or the path of a folder or tarball; or an MCP server: mcp:npm:NAME, mcp:exec, mcp:https://…; or an OpenAPI description: openapi:FILE or openapi:https://…',
    )
    .argument('[words...]', 'of an MCP server, behind --: the arguments of mcp:npm:NAME, the command of mcp:exec')
    .option('--as <name>', "its instance name; default: the plugin's own")
    .action((text: string, words: readonly string[], options: AddOptions) =>
      run(async () => {
        const project = await openProject(options)
        if (!text.startsWith(OPENAPI)) refuseDescriptionOptions(options)
        if (text.startsWith('mcp:')) return addServerEntry(project, text, words, options)
        refuseServerOptions(words, options)
        if (text.startsWith(OPENAPI)) return addDescriptionEntry(project, text.slice(OPENAPI.length), options)
        const added = await addPlugin(project, {
          spec: parseSpec(text, process.cwd()),
          as: options.as,
          consent: consentOf(options),
          now: Date.now(),
          confirm(addition) {
            const { chosen, plugin, risks } = addition
            if (!options.json)
              show([
                ...warningLines(chosen.warnings),
                plugin.name,
                ...indented(pluginLines(plugin)),
                ...riskLines(risks),
                ...uncoveredLines([plugin]),
              ])
            return confirm(`Add it as "${plugin.name}"?`, options.yes ?? false)
          },
        })
        if (!added) return unchanged()
        const { plugin, entry, risks, chosen } = added
        if (options.json)
          printJson({ deployment: project.deployment, entry, plugin: pluginJson(plugin), risks, warnings: chosen.warnings })
        else
          printLines([
            `Added ${plugin.name} (${chosen.name} ${chosen.version}) to ${project.settings.file} and ${project.lockFile}`,
          ])
        return EXIT.done
      }),
    )
}

/** `patchbay update NAME [SPEC]`: another release of a plugin, after showing what is different. */
export function updateCommand(run: Run): Command {
  return withInstallOptions(new Command('update'))
    .description('installs the newest release of a plugin, or the one named, and pins it')
    .argument('<name>', 'the instance name')
    .argument('[spec]', 'name@version, or the path of a folder or tarball; default: the newest release')
    .action((name: string, text: string | undefined, options: InstallOptions) =>
      run(async () => {
        const project = await openProject(options)
        const found = await findEntry(project, name)
        if (isServerSpecifier(found.entry.use)) return updateServerEntry(project, { ...found, name, spec: text }, options)
        const update = await updatePlugin(project, {
          name,
          spec: text === undefined ? undefined : parseSpec(text, process.cwd()),
          consent: consentOf(options),
          now: Date.now(),
          confirm({ chosen, change, risks }) {
            if (!options.json)
              show([...warningLines(chosen.warnings), ...changeLines(change ? [change] : []), ...riskLines(risks)])
            return confirm(`Update "${name}" to ${chosen.version}?`, options.yes ?? false)
          },
        })
        if (!update) return unchanged()
        const { chosen, change, risks } = update
        if (options.json)
          printJson({
            deployment: project.deployment,
            name,
            version: chosen.version,
            change: change ? changeJson(change) : null,
            risks,
            warnings: chosen.warnings,
          })
        else printLines([change ? `Updated ${name} to ${chosen.version}` : `${name} is at ${chosen.version} already`])
        return EXIT.done
      }),
    )
}

/** `patchbay remove NAME`: out of config, lock and node_modules. */
export function removeCommand(run: Run): Command {
  return new Command('remove')
    .description('takes a plugin out of config and lock and uninstalls its package')
    .argument('<name>', 'the instance name')
    .option('--json', 'as JSON')
    .action((name: string, options: CommonOptions & { json?: boolean }) =>
      run(async () => {
        const removal = await removePlugin(await openProject(options), name)
        if (!removal) return unchanged()
        if (options.json) printJson(removal)
        else printLines([`Removed ${name}${removal.uninstalled ? `, and uninstalled ${removal.use}` : ''}`])
        return EXIT.done
      }),
    )
}

import { copyFile, mkdir, rmdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import packageJson from '../../../package.json' with { type: 'json' }
import { packageOf, withDescription } from '../../config/plugin/openapi-entry.ts'
import { normalizeEntry, type EntryConfig } from '../../config/schema/schema.ts'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import { pin, refuseTaken } from '../add.ts'
import { changeProject, reopen } from '../change.ts'
import { editPlugins } from '../edit-config.ts'
import { inspectPlugin, type InspectedPlugin } from '../inspect.ts'
import { projectNpm } from '../npm-install.ts'
import type { Project } from '../open-project.ts'
import { specifierFor, type DescriptionSource } from './description-source.ts'

export interface DescriptionOptions {
  readonly source: DescriptionSource
  /** The instance name. Default: what the description is called. */
  readonly as: string | undefined
  /** Where the API is. Default: the first server that the description names. */
  readonly apiUrl: string | undefined
  readonly operations?: NonNullable<EntryConfig['operations']>
  /** The file is copied into the project first. */
  readonly isCopied?: boolean
  /** Asks a person. No means that nothing happens. */
  readonly confirm: (addition: DescriptionAddition) => Promise<boolean>
}

export interface DescriptionAddition {
  readonly entry: EntryConfig
  readonly plugin: InspectedPlugin
  /** The copy of the description. */
  readonly copy: string | undefined
  /** The operations that are not served, with why. */
  readonly leftOut: readonly LeftOutOperation[]
}

export interface LeftOutOperation {
  readonly operation: string
  readonly reason: string
}

/**
 * Makes a plugin of an OpenAPI description: installs the package that serves it where the project has none, and writes entry and pin; or
 * leaves everything as it was. Throws `PROJECT_…`, `INSTALL_…`, and what reading the description throws.
 */
export async function addDescription(project: Project, options: DescriptionOptions): Promise<DescriptionAddition | undefined> {
  const { source, operations, isCopied = false, confirm } = options
  const { configDir } = project
  const refuse = (why: string) => hostError('INSTALL_SPEC', { spec: source.place, why })
  const name = options.as ?? source.name
  if (name === undefined) throw refuse('it needs a name: --as NAME')
  refuseTaken(project, name)
  const apiUrl = options.apiUrl ?? source.server
  if (apiUrl === undefined) throw refuse('it does not say where the API is. Add --api-url https://…')
  if (source.isAddress && !source.place.startsWith(`${apiUrl.replace(/\/+$/, '')}/`))
    throw refuse(
      `the API is at ${apiUrl}, and the host reads nothing that is not there. Save it in a file and add that, or give --api-url`,
    )
  const copy = isCopied ? join(configDir, 'openapi', `${name}${extname(source.place).toLowerCase() || '.yaml'}`) : undefined
  if (copy !== undefined && existsSync(copy)) throw hostError('PROJECT_EXISTS', { folder: dirname(copy), taken: [copy] })
  const entry: EntryConfig = {
    use: specifierFor(copy === undefined ? source : { place: copy, isAddress: false }, configDir),
    as: name,
    ...(operations && { operations }),
    config: { apiUrl },
  }
  try {
    return await changeProject(
      project,
      async (transaction) => {
        const npm = projectNpm(project, (pid) => transaction.child(pid))
        const needed = packageOf(entry.use) ?? ''
        // Of our own release: it is as old as the host that runs here.
        if (!isInstalled(needed, configDir)) await npm.change(['install', '--save-exact', `${needed}@${packageJson.version}`])
        if (copy !== undefined) {
          await mkdir(dirname(copy), { recursive: true })
          await copyFile(source.place, copy)
        }
        const leftOut = new Map<string, LeftOutOperation>()
        const log = listening(project.log, leftOut)
        const plugin = await inspectPlugin(normalizeEntry(withDescription(entry, configDir)), { ...project, log })
        const addition = { entry, plugin, copy, leftOut: [...leftOut.values()] }
        if (!(await confirm(addition))) return undefined
        await editPlugins(project, { kind: 'add', entry })
        await reopen(project)
        await pin(project, plugin.name)
        return addition
      },
      copy === undefined ? [] : [copy],
    )
  } finally {
    // Only where it is empty: nothing was added.
    if (copy !== undefined) await rmdir(dirname(copy)).catch(() => undefined)
  }
}

/** The log, with an ear for what the plugin says of operations that it does not serve: it says it at every reading. */
function listening(log: Logger, leftOut: Map<string, LeftOutOperation>): Logger {
  return {
    ...log,
    child: (fields) => listening(log.child(fields), leftOut),
    warn(event, fields) {
      const said = isObject(fields?.['fields']) ? fields['fields'] : {}
      const { operation, reason } = said
      if (event === 'plugin.operation_left_out' && typeof operation === 'string' && typeof reason === 'string')
        leftOut.set(`${operation} ${reason}`, { operation, reason })
      log.warn(event, fields)
    },
  }
}

function isInstalled(name: string, configDir: string): boolean {
  try {
    createRequire(join(configDir, 'package.json')).resolve(`${name}/package.json`)
    return true
  } catch {
    return false
  }
}

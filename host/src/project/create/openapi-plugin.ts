import { copyFile, mkdir, readFile, rmdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import packageJson from '../../../package.json' with { type: 'json' }
import { packageOf, withDescription } from '../../config/plugin/openapi-entry.ts'
import { normalizeEntry, type EntryConfig } from '../../config/schema/schema.ts'
import { parseYamlText } from '../../config/source/written-yaml.ts'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import { pin, refuseTaken } from '../add.ts'
import { changeProject, reopen } from '../change.ts'
import { editPlugins } from '../edit-config.ts'
import { inspectPlugin, type InspectedPlugin } from '../inspect.ts'
import { projectNpm } from '../npm-install.ts'
import type { Project } from '../open-project.ts'

export interface OpenapiOptions {
  /** The instance name. */
  readonly name: string
  /** The description, which is copied into the project. */
  readonly file: string
  /** Where the API is. Default: the first server that the description names. */
  readonly apiUrl: string | undefined
  /** Asks a person. No means that nothing happens. */
  readonly confirm: (addition: OpenapiAddition) => Promise<boolean>
}

export interface OpenapiAddition {
  readonly entry: EntryConfig
  readonly plugin: InspectedPlugin
  /** The copy of the description. */
  readonly copy: string
}

/**
 * Makes a plugin of an OpenAPI description: copies it into the project, installs the package that serves it where the project has none, and
 * writes entry and pin; or leaves everything as it was. Throws `PROJECT_…`, `INSTALL_…`, and what reading the description throws.
 */
export async function createOpenapiPlugin(project: Project, options: OpenapiOptions): Promise<OpenapiAddition | undefined> {
  const { name, file, confirm } = options
  refuseTaken(project, name)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw hostError('INSTALL_SPEC', { spec: file, why: error instanceof Error ? error.message : String(error) }, error)
  })
  const apiUrl = options.apiUrl ?? firstServer(text)
  if (apiUrl === undefined)
    throw hostError('INSTALL_SPEC', { spec: file, why: 'it does not say where the API is. Add --api-url https://…' })
  const copy = join(project.configDir, 'openapi', `${name}${extname(file).toLowerCase() || '.yaml'}`)
  if (existsSync(copy)) throw hostError('PROJECT_EXISTS', { folder: dirname(copy), taken: [copy] })
  const entry: EntryConfig = { use: `openapi:./openapi/${name}${extname(copy)}`, as: name, config: { apiUrl } }
  try {
    return await changeProject(
      project,
      async (transaction) => {
        const npm = projectNpm(project, (pid) => transaction.child(pid))
        const needed = packageOf(entry.use) ?? ''
        // Of our own release: it is as old as the host that runs here.
        if (!isInstalled(needed, project.configDir))
          await npm.change(['install', '--save-exact', `${needed}@${packageJson.version}`])
        await mkdir(dirname(copy), { recursive: true })
        await copyFile(file, copy)
        const plugin = await inspectPlugin(normalizeEntry(withDescription(entry, project.configDir)), project)
        const addition = { entry, plugin, copy }
        if (!(await confirm(addition))) return undefined
        await editPlugins(project, { kind: 'add', entry })
        await reopen(project)
        await pin(project, plugin.name)
        return addition
      },
      [copy],
    )
  } finally {
    // Only where it is empty: nothing was added.
    await rmdir(dirname(copy)).catch(() => undefined)
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

/** The first server of a description that has a whole address: `servers` of OpenAPI 3, `host` and `basePath` of Swagger 2. */
function firstServer(text: string): string | undefined {
  const document = documentIn(text)
  if (!isObject(document)) return undefined
  const { servers, host, basePath, schemes } = document
  if (typeof host === 'string') {
    const scheme = Array.isArray(schemes) && !schemes.includes('https') ? String(schemes[0]) : 'https'
    return httpAddress(`${scheme}://${host}${typeof basePath === 'string' ? basePath : ''}`)
  }
  const [server] = Array.isArray(servers) ? (servers as readonly unknown[]) : []
  return isObject(server) && typeof server['url'] === 'string' ? httpAddress(server['url']) : undefined
}

function documentIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // YAML; what is wrong with it, the plugin says
  }
  try {
    return parseYamlText(text).toJS()
  } catch {
    return undefined
  }
}

/** One with variables is none yet. */
function httpAddress(text: string): string | undefined {
  if (text.includes('{') || !URL.canParse(text)) return undefined
  return /^https?:$/.test(new URL(text).protocol) ? text.replace(/\/$/, '') : undefined
}

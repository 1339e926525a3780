import { join } from 'node:path'

/** How an MCP client is given its servers. */
export interface McpClient {
  readonly title: string
  readonly syntax: 'json' | 'toml'
  /** The key of the file below which its servers are, by name. */
  readonly key: 'mcpServers' | 'servers' | 'mcp_servers'
  /** The file of a person, in force in every folder. */
  readonly personal: (places: Places) => string
  /** The file of a project, below its folder; undefined for a client that has none. */
  readonly project: string | undefined
  /** The entry of a server that the client starts. */
  readonly stdio: (started: Started) => Entry
  /** The entry of a server that runs already; undefined for a client whose file takes none. */
  readonly http: ((url: string) => Entry) | undefined
  /** What the person does next. */
  readonly next: string
}

export type Entry = Readonly<Record<string, unknown>>

export interface Started {
  readonly command: string
  readonly args: readonly string[]
}

/** What the place of a person's files depends on. */
export interface Places {
  readonly platform: NodeJS.Platform
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The clients that `patchbay install` knows, by the names it takes. Checked against the clients' own documentation in November 2026. */
export const MCP_CLIENTS: Readonly<Record<string, McpClient>> = Object.freeze({
  'claude-code': {
    title: 'Claude Code',
    syntax: 'json',
    key: 'mcpServers',
    personal: ({ home, env }) => join(env['CLAUDE_CONFIG_DIR'] || home, '.claude.json'),
    project: '.mcp.json',
    stdio: ({ command, args }) => ({ type: 'stdio', command, args }),
    http: (url) => ({ type: 'http', url }),
    next: 'Start a new session of Claude Code; /mcp lists its servers',
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    syntax: 'json',
    key: 'mcpServers',
    personal: (places) => join(applicationData(places), 'Claude', 'claude_desktop_config.json'),
    project: undefined,
    stdio: ({ command, args }) => ({ command, args }),
    http: undefined,
    next: 'Quit Claude Desktop and start it again',
  },
  cursor: {
    title: 'Cursor',
    syntax: 'json',
    key: 'mcpServers',
    personal: ({ home }) => join(home, '.cursor', 'mcp.json'),
    project: join('.cursor', 'mcp.json'),
    stdio: ({ command, args }) => ({ command, args }),
    http: (url) => ({ url }),
    next: 'Enable the server in the settings of Cursor, under MCP',
  },
  vscode: {
    title: 'VS Code',
    syntax: 'json',
    key: 'servers',
    personal: (places) => join(applicationData(places), 'Code', 'User', 'mcp.json'),
    project: join('.vscode', 'mcp.json'),
    stdio: ({ command, args }) => ({ type: 'stdio', command, args }),
    http: (url) => ({ type: 'http', url }),
    next: 'Start the server in VS Code: MCP: List Servers in the command palette',
  },
  gemini: {
    title: 'Gemini CLI',
    syntax: 'json',
    key: 'mcpServers',
    personal: ({ home }) => join(home, '.gemini', 'settings.json'),
    project: join('.gemini', 'settings.json'),
    stdio: ({ command, args }) => ({ command, args }),
    http: (url) => ({ httpUrl: url }),
    next: 'Start a new session of Gemini CLI; /mcp lists its servers',
  },
  codex: {
    title: 'Codex',
    syntax: 'toml',
    key: 'mcp_servers',
    personal: ({ home, env }) => join(env['CODEX_HOME'] || join(home, '.codex'), 'config.toml'),
    project: join('.codex', 'config.toml'),
    stdio: ({ command, args }) => ({ command, args }),
    http: (url) => ({ url }),
    next: 'Start a new session of Codex; /mcp lists its servers',
  },
})

function applicationData({ platform, home, env }: Places): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support')
  if (platform === 'win32') return env['APPDATA'] || join(home, 'AppData', 'Roaming')
  return env['XDG_CONFIG_HOME'] || join(home, '.config')
}

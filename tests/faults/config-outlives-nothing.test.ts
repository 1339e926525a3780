// A config runs in a process of its own, which must not stay when the process that wanted it was killed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { isRunning, until } from '../fixtures/plugins/plugin-processes.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const linux = { skip: process.platform !== 'linux' && 'there is no /proc' }
const configs = { loops: 'for (;;);', 'waits forever': 'setInterval(() => {}, 1000); await new Promise(() => {})' }

for (const [what, rest] of Object.entries(configs))
  test(`a config that ${what} ends when the host that reads it is killed`, linux, async () => {
    using tree = sourceTree({ 'mcp.config.ts': `console.log(process.pid)\n${rest}\nexport default {}` })
    const evaluate = new URL('../../host/src/config/file/evaluate.ts', import.meta.url).href
    const script = `import { evaluateConfig } from ${JSON.stringify(evaluate)}
      const log = { debug: (_event, { text }) => console.log(text) }
      const options = { env: {}, timeoutMs: 500, log, onFile() {}, mask: (text) => text }
      const evaluating = evaluateConfig({ file: ${JSON.stringify(tree.path('mcp.config.ts'))}, text: '' }, options)`
    const flags = ['--conditions=@mcp-patchbay/source', '--input-type=module', '--eval', script]
    const host = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(createInterface({ input: host.stdout }), 'line')
    host.kill('SIGKILL')
    await once(host, 'exit')
    await until(() => !isRunning(Number(line)))
  })

/**
 * "From nothing to three replicas" of docs/advanced/replicas.md, command by command as printed, with our packages from npm and a copy of
 * deploy/. All of it runs in namespaces of its own for processes and network, so that the ports are those of the page. Mapped: a small
 * receiver stands for the collector and for Alertmanager; in the copy Prometheus asks each second in place of every fifteen, and
 * PatchbayDown waits for two seconds in place of a minute.
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { blocksIn } from '../../tests/fixtures/markdown-blocks.ts'
import { packedRegistry } from '../../tests/fixtures/projects/packed-registry.ts'
import { cannotRunImages, missing } from './tools.ts'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const skip = cannotRunImages() || missing('redis-server', 'haproxy', 'prometheus', 'curl', 'openssl', 'pkill')

test('an operator gets from nothing to three replicas with traces and alerts by the page alone', { skip }, async (t) => {
  const blocks = blocksIn(join(root, 'docs/advanced/replicas.md'), '## From nothing to three replicas')
  assert.equal(blocks.length, 4)
  const [project = '', hosts = '', around = '', call = ''] = blocks.map(({ text }) => text)
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-operator-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const registry = await packedRegistry()
  t.after(() => registry.close())
  const ofSystem = (process.env['PATH'] ?? '').split(':').filter((part) => !part.includes('node_modules'))
  const env = {
    PATH: [dirname(process.execPath), ...ofSystem, '/usr/sbin'].join(':'),
    HOME: process.env['HOME'] ?? folder,
    npm_config_registry: registry.origin,
    npm_config_prefer_offline: 'true',
    npm_config_update_notifier: 'false',
    ...(process.env['NODE_EXTRA_CA_CERTS'] && { NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'] }),
  }
  mkdirSync(join(folder, 'copy'))
  cpSync(join(root, 'deploy'), join(folder, 'copy/deploy'), { recursive: true })
  sooner(join(folder, 'copy/deploy/prometheus/prometheus.yaml'), /15s/g, '1s')
  sooner(join(folder, 'copy/deploy/prometheus/rules.yaml'), /(?<=== 0\n\s+for: )1m/, '2s')
  const { stdout } = await run('sh', ['-ec', `${project}\nprintf '\\n%s' "$PATCHBAY_KEY"`], { cwd: join(folder, 'copy'), env })
  const key = stdout.split('\n').at(-1) ?? ''

  const place = { cwd: join(folder, 'my-mcp'), env: { ...env, PATCHBAY_KEY: key } }
  const receiver = `'${process.execPath}' '${join(import.meta.dirname, 'receiver.ts')}' 4318 9093`
  const script = `ip link set lo up\n${receiver} &\nread started\n${hosts}\n${around}\nwait`
  const namespaces = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc']
  const child = spawn('unshare', [...namespaces, 'sh', '-ec', script], { ...place, stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const received = linesOf(child.stdout)
  const said = linesOf(child.stderr)
  for (const port of [4318, 9093]) await received.until((line) => line.includes(`"port":${port},"body":"listening"`))
  child.stdin.end('\n')

  for (const port of [3010, 3020, 3030])
    await said.until((line) => line.includes('"event":"listening"') && line.includes(`:${port}/mcp`))
  const first = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()
  const inside = async (line: string): Promise<string> =>
    (
      await run(
        'nsenter',
        ['--target', first, '--net', '--pid', '--mount', '--', 'sh', '-ec', `cd '${place.cwd}'\n${line}`],
        place,
      )
    ).stdout
  const answered = async (): Promise<void> => {
    // haproxy listens a moment after the hosts do, and knows of each what its first checks said.
    for (;;) {
      const answer = await inside(call).catch(() => '')
      if (answer.includes('**Hello, Ada!**')) return
    }
  }
  await answered()
  await received.until((line) => line.includes('"tools/call hello_people_greet"') && line.includes('"POST /mcp"'))
  for (;;) {
    const up = await inside(`curl -s -G 127.0.0.1:9090/api/v1/query --data-urlencode 'query=sum(up{job="patchbay"})'`).catch(
      () => '',
    )
    if (/"3"\]/.test(up)) break
  }
  const rules = await inside('curl -s 127.0.0.1:9090/api/v1/rules')
  assert.equal(
    [...rules.matchAll(/"name":"Patchbay\w+"/g)].length,
    [...readFileSync(join(root, 'deploy/prometheus/rules.yaml'), 'utf8').matchAll(/- alert: /g)].length,
  )

  await inside("pkill -9 -f -- '--port 3020'").catch(() => undefined)
  const alert = await received.until((line) => line.includes('"port":9093') && line.includes('"PatchbayDown"'))
  assert.match(alert, /"instance":"127\.0\.0\.1:3021"/)
  assert.match(alert, /"severity":"critical"/)
  await answered()
})

function sooner(file: string, what: RegExp, by: string): void {
  const text = readFileSync(file, 'utf8')
  const changed = text.replace(what, by)
  assert.notEqual(changed, text, file)
  writeFileSync(file, changed)
}

/** Lines of a stream, past and to come. */
function linesOf(stream: NodeJS.ReadableStream) {
  const seen: string[] = []
  const heard = new EventTarget()
  const lines = createInterface(stream)
  lines.on('line', (line) => {
    seen.push(line)
    heard.dispatchEvent(new Event('line'))
  })
  let isOver = false
  lines.on('close', () => {
    isOver = true
    heard.dispatchEvent(new Event('line'))
  })
  return {
    async until(matches: (line: string) => boolean): Promise<string> {
      for (;;) {
        const found = seen.find(matches)
        if (found !== undefined) return found
        if (isOver) throw new Error(`It ended before that line:\n${seen.join('\n')}`)
        await once(heard, 'line')
      }
    },
  }
}

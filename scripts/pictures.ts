// Makes the pictures of README.md from a real host: docs/pictures/dev-page.png, and docs/pictures/reload.svg, which moves. Needs Chromium.
//   npm run pictures
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { openChromium } from '../tests/browser/chromium.ts'
import { devProject } from '../tests/browser/dev-project.ts'
import { movingTerminal, type Frame } from './moving-terminal.ts'

const folder = join(import.meta.dirname, '../docs/pictures')

/** What the example says of one ticket, and which tools it has. */
function helpdesk({ labels = false, broken = false, close = false } = {}): string {
  return `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'

const get = defineTool({
  name: 'tickets_get',
  description: 'Reads one ticket of the help desk. Returns its title, its state and who works on it.',
  access: 'read',
  input: Type.Object({
    number: Type.Integer({ minimum: 1, description: 'As in its address' }),
${labels ? '    labels: Type.Optional(Type.Boolean({ description: "With its labels" })),' : ''}
    since: Type.Optional(Type.Object({ day: Type.String({ format: 'date' }), author: Type.Optional(Type.String()) }, { description: 'Only what was said since then' })),
  }),
  output: Type.Object({ title: Type.String(), state: Type.String(), owner: Type.String() }),
  run: async ({ number }) => {
    await new Promise((resolve) => setTimeout(resolve, 30))
    return { title: 'Ticket ' + ${broken ? 'numbr' : 'number'}, state: 'open', owner: 'ada' }
  },
})
const list = defineTool({
  name: 'tickets_search',
  description: 'Finds tickets by words.',
  access: 'read',
  input: Type.Object({ query: Type.String() }),
  run: ({ query }) => 'Nothing about ' + query,
})
const close = defineTool({
  name: 'tickets_close',
  description: 'Closes a ticket.',
  access: 'write',
  input: Type.Object({ number: Type.Integer() }),
  run: ({ number }) => 'Closed ' + number,
})
${broken ? 'tickets.sort()\n' : ''}
export default definePlugin({ name: 'helpdesk', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}), tools: [get, list${close ? ', close' : ''}] })
`
}

const wiki = `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
export default definePlugin({ name: 'wiki', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}), tools: [
  defineTool({ name: 'pages_search', description: 'Finds pages.', access: 'read', input: Type.Object({ query: Type.String() }), run: () => 'none' }),
  defineTool({ name: 'pages_delete', description: 'Deletes a page.', access: 'write', input: Type.Object({ id: Type.String() }), run: () => 'gone' }),
] })
`

await using project = await devProject(
  { 'plugins/helpdesk/index.ts': helpdesk(), 'plugins/wiki/index.ts': wiki },
  { tools: { deny: ['wiki_pages_delete'] } },
  { FORCE_COLOR: '1' },
)
const printed = (text: string) => project.lines.next((line) => stripVTControlCharacters(line).includes(text))
await printed('Watching')
const save = (text: string) => project.write('plugins/helpdesk/index.ts', text)
const call = async (name: string, args: object) => {
  const response = await fetch(`${project.page.split('#')[0]}admin/calls`, {
    method: 'POST',
    headers: { authorization: `Bearer ${project.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tool: name, arguments: args }),
  })
  await response.text()
}

/** Without what is of this machine. */
const anywhere = (line: string) =>
  line
    .replaceAll(project.root, '~/my-server')
    .replaceAll(basename(project.root), 'my-server')
    .replace(/127\.0\.0\.1:\d+/, '127.0.0.1:3000')

// The first calls read what later ones have.
await call('helpdesk_tickets_get', { number: 1 })
await call('helpdesk_tickets_get', { number: 1 })
await printed('tickets_get')
await setTimeout(200)
const started = project.lines.all.findLastIndex((line) => line.includes('Watching'))

// The console, as it printed.
const frames: Frame[] = []
let from = 0
/** What was printed since the last look. */
const look = (typed: string, holdMs: number) => {
  const lines = project.lines.all.slice(from).flatMap((line) => (line.includes('admin_call') ? [] : [anywhere(line)]))
  from = project.lines.all.length
  frames.push({ typed, lines, holdMs })
}
from = project.lines.all.findIndex((line) => line.includes('helpdesk'))
frames.push({ typed: 'npx mcp-patchbay dev', lines: project.lines.all.slice(from, started + 1).map(anywhere), holdMs: 1_800 })
from = project.lines.all.length
await call('helpdesk_tickets_get', { number: 7 })
await printed('tickets_get')
look('', 1_200)
save(helpdesk({ labels: true, close: true }))
await printed('~ helpdesk')
look('// a tool more, an argument more: saved', 2_400)
await call('helpdesk_tickets_get', { number: 7, labels: true })
await printed('tickets_get')
look('', 1_200)
save(helpdesk({ labels: true, close: true, broken: true }))
await printed('Fix ')
await setTimeout(50)
look('// a slip: saved', 2_600)
await call('helpdesk_tickets_get', { number: 8 })
await printed('tickets_get')
look('', 1_600)
save(helpdesk({ labels: true, close: true }))
await printed('recovered')
look('// right again: saved', 3_000)
writeFileSync(
  join(folder, 'reload.svg'),
  movingTerminal(frames, { title: 'patchbay dev: a reload, a broken save that changes nothing, and calls that go on' }),
)

// The page, with what just happened.
await using browser = await openChromium()
const page = await browser.newPage({ viewport: { width: 1200, height: 800 } })
await page.goto(project.page)
await page.getByRole('link', { name: 'helpdesk_tickets_get' }).click()
await page.getByRole('spinbutton', { name: 'number' }).fill('7')
await page.getByRole('button', { name: 'Call', exact: true }).click()
await page.getByText('in the host ·').waitFor()
await page.locator('#feed summary').first().click()
await page.evaluate(() => scrollTo(0, 0))
writeFileSync(join(folder, 'dev-page.png'), await page.screenshot())

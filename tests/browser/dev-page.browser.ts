import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { revisionPlugin } from '../fixtures/plugins/reloading.ts'
import { assertAccessible } from './accessible.ts'
import { openChromium } from './chromium.ts'
import { devProject, type DevProject } from './dev-project.ts'
import { teaPlugin } from './tea-plugin.ts'

let browser: Browser
let project: DevProject
let page: Page
/** What the page's console said, and errors that nothing caught. */
let complaints: string[] = []

before(async () => {
  browser = await openChromium()
  project = await devProject(
    { 'plugins/tea/index.ts': teaPlugin(), 'plugins/notes/index.ts': revisionPlugin('notes', 1) },
    {
      tenants: { acme: { tools: { deny: ['tea_cup_*', 'tea_invite_*', 'tea_card', 'tea_leaf'] } } },
      tools: { deny: ['notes_secret'] },
    },
  )
})
after(async () => {
  await browser?.close()
  await project?.[Symbol.asyncDispose]()
})
beforeEach(async () => {
  await page?.close()
  page = await open()
})

async function open(address = project.page, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const opened = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 900 } })
  opened.setDefaultTimeout(15_000)
  complaints = []
  opened.on('console', (message) => complaints.push(message.text()))
  opened.on('pageerror', (error) => complaints.push(String(error)))
  await opened.goto(address)
  return opened
}

const chooseTool = (name: string) => page.getByRole('link', { name, exact: false }).first().click()
const call = () => page.getByRole('button', { name: 'Call', exact: true }).click()
const field = (name: string) => page.getByRole('textbox', { name, exact: true })

test('shows every tool, and filters them from the keyboard', async () => {
  await page.getByText('6 tools').waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('tea cup')
  await page.getByText('2 of 6 tools').waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'tea_cup_pour' }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'tea_cup_pour' }).getAttribute('aria-current'), 'page')
  assert.deepEqual(complaints, [])
})

test('makes a form of an input schema, and sends what was filled in', async () => {
  await chooseTool('tea_order_echo')
  await field('table').fill('window')
  await page.getByRole('combobox', { name: 'iced' }).selectOption('false')
  await page.getByRole('combobox', { name: 'size' }).selectOption('large')
  await field('name').first().fill('Ada')
  await page.getByRole('checkbox', { name: 'vip' }).check()
  await page.getByRole('combobox', { name: 'kind', exact: true }).selectOption('green')
  await page.getByRole('button', { name: 'Add an item to kinds' }).click()
  await page.getByRole('combobox', { name: 'kind', exact: true }).nth(1).selectOption('black')
  await page.getByRole('spinbutton', { name: 'grams' }).nth(1).fill('2.5')
  await page.getByRole('button', { name: 'Add payment' }).click()
  await page.getByRole('combobox', { name: 'Kind', exact: true }).last().selectOption('Cash')
  await page.getByRole('button', { name: 'Add days' }).click()
  await page.getByRole('checkbox', { name: 'tue' }).check()
  await field('note').fill('soon')
  await field('extra').fill('[1, {"a": null}]')
  await page.getByRole('button', { name: 'Add tree' }).click()
  await page.getByRole('button', { name: 'Add below' }).click()
  await page.getByRole('button', { name: 'Add an item to below' }).click()
  await field('name').last().fill('leaf')
  await call()
  const answer = page.getByRole('group', { name: 'JSON of the text' })
  await answer.waitFor()
  assert.deepEqual(JSON.parse((await answer.textContent()) ?? ''), {
    table: 'window',
    cups: 2,
    iced: false,
    size: 'large',
    guest: { name: 'Ada', vip: true },
    kinds: [{ kind: 'green' }, { kind: 'black', grams: 2.5 }],
    payment: { by: 'cash' },
    days: ['tue'],
    note: 'soon',
    extra: [1, { a: null }],
    tree: { below: [{ name: 'leaf' }] },
  })
  await page.getByText('On the command line', { exact: true }).last().click()
  assert.match(
    (await page.locator('.command code').textContent()) ?? '',
    /^npx mcp-patchbay call tea_order_echo --input '\{"table":"window",/,
  )
  // What was filled in stays while another tool is looked at.
  await chooseTool('tea_menu_get')
  await page.getByRole('heading', { name: 'tea_menu_get' }).waitFor()
  await chooseTool('tea_order_echo')
  assert.equal(await field('table').inputValue(), 'window')
})

test('holds back a form that is not whole, and takes JSON in its place', async () => {
  await chooseTool('tea_order_echo')
  await field('table').fill('')
  await call()
  assert.equal(await field('table').evaluate((input: HTMLInputElement) => input.validity.valid), false)
  await page.getByRole('button', { name: 'As JSON' }).click()
  await field('Arguments').fill('{"table":')
  await call()
  await page.getByRole('alert').getByText('Arguments is not JSON').waitFor()
  await field('Arguments').fill('{"cups":0}')
  await page.keyboard.press('Control+Enter')
  await page.getByText('the tool says: error').waitFor()
  await page.getByText('Invalid arguments for tea_order_echo').waitFor()
})

test('shows progress, asks what the tool asks, and shows the answer and what it took', async () => {
  await chooseTool('tea_cup_brew')
  await call()
  const question = page.getByRole('form', { name: 'Question of the tool' })
  await question.getByText('Which tea?').waitFor()
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'SELECT', 'the first field has the focus')
  await assertAccessible(page, 'a question')
  await question.getByRole('combobox', { name: 'tea' }).selectOption('green')
  await question.getByRole('button', { name: 'Answer' }).click()
  const progress = page.getByRole('progressbar', { name: /boiling · 1 of 3/ })
  await progress.waitFor()
  assert.equal(await progress.evaluate((bar: HTMLProgressElement) => bar.value), 1)
  const other = await open()
  await other.getByRole('link', { name: 'tea_cup_pour' }).click()
  await other.getByRole('button', { name: 'Call', exact: true }).click()
  await page.getByText('A cup of green').waitFor()
  await page.getByText(/\d+(?:\.\d+)? m?s in the host · \d+(?:\.\d+)? m?s here/).waitFor()
  await other.close()
  await call()
  await question.getByRole('button', { name: 'Decline' }).click()
  await page.getByText('No tea then.').waitFor()
})

test('cancels a call', async () => {
  await chooseTool('tea_cup_brew')
  await call()
  const question = page.getByRole('form', { name: 'Question of the tool' })
  await question.getByRole('combobox', { name: 'tea' }).selectOption('green')
  await question.getByRole('button', { name: 'Answer' }).click()
  await page.getByRole('progressbar').waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('Cancelled. The tool was told to stop.').waitFor()
  await page.locator('#feed').getByText('cancelled').first().waitFor()
})

test('shows structured content and pictures', async () => {
  await chooseTool('tea_menu_get')
  await call()
  await page.getByText('Structured content').waitFor()
  await chooseTool('tea_menu_picture')
  await call()
  const image = page.getByRole('img', { name: 'Image of the answer, image/png' })
  await image.waitFor()
  assert.equal(await image.evaluate(async (drawn: HTMLImageElement) => (await drawn.decode(), drawn.naturalWidth)), 5)
  assert.deepEqual(complaints, [])
})

test('gets a prompt and reads resources, by forms made of their arguments', async () => {
  await page.getByRole('link', { name: 'Prompts and resources' }).click()
  await page.getByText('1 prompt, 2 resources').waitFor()
  await chooseTool('tea_invite_write')
  await page.getByText('Writes an invitation.').first().waitFor()
  const get = () => page.getByRole('button', { name: 'Get', exact: true }).click()
  await get()
  assert.equal(await field('guest').evaluate((input: HTMLInputElement) => input.validity.valid), false, 'it is required')
  await field('guest').fill('Ada')
  await get()
  await page.getByRole('region', { name: 'Message of the user' }).getByText('Invite Ada to tea').waitFor()
  await page.getByRole('region', { name: 'Message of the assistant' }).getByText('With pleasure.').waitFor()
  await assertAccessible(page, 'a prompt')
  await chooseTool('tea_leaf')
  await field('kind').fill('first flush')
  await page.getByRole('button', { name: 'Read', exact: true }).click()
  const answer = page.getByRole('group', { name: 'JSON of the text' })
  await answer.waitFor()
  assert.deepEqual(JSON.parse((await answer.textContent()) ?? ''), { kind: 'first flush' })
  await page.getByText('On the command line', { exact: true }).last().click()
  assert.equal(await page.locator('.command code').textContent(), "npx mcp-patchbay read 'tea://leaves/first%20flush'")
  await chooseTool('tea_card')
  await page.getByRole('button', { name: 'Read', exact: true }).click()
  await page.getByText('green\\u{200b}, black').waitFor()
  await assertAccessible(page, 'a resource')
  await page.getByRole('combobox', { name: 'See as' }).selectOption({ label: 'Tenant acme, every permission' })
  await page.getByText('0 prompts, 0 resources').waitFor()
  await page.getByText('This caller is not listed it now.').waitFor()
  assert.deepEqual(complaints, [])
})

test('shows what another caller sees, and why it does not see the rest', async () => {
  await chooseTool('tea_cup_brew')
  await page.getByText('Why it is shown').waitFor()
  await page.getByRole('combobox', { name: 'See as' }).selectOption({ label: 'Tenant acme, every permission' })
  await page.getByText('hidden: tenant').waitFor()
  assert.match((await page.getByRole('row', { name: /tenant refuse/ }).textContent()) ?? '', /mcp\.config\.json: tenants\.acme/)
  await call()
  await page.getByText('This caller does not see it: tenant').waitFor()
  await page.getByRole('combobox', { name: 'See as' }).selectOption('other')
  await field('A caller, as explain --as takes it. Leave out what it does not have.').fill(
    '{"tenant":"acme","permissions":["*"],"readOnly":true}',
  )
  await page.getByRole('button', { name: 'See as this caller' }).click()
  await chooseTool('tea_order_echo')
  await page.getByText('hidden: read_only').or(page.getByText('hidden: request_narrowed')).waitFor()
})

test('sees a save at once: what changed for clients, and the new text', async () => {
  await chooseTool('tea_menu_get')
  await page.getByText('Reads the menu.').waitFor()
  await field('season').fill('spring')
  project.write('plugins/tea/index.ts', teaPlugin({ menu: 'Reads the menu of today.' }))
  await page.getByText('Reads the menu of today.').first().waitFor()
  assert.equal(await field('season').inputValue(), 'spring', 'what was filled in stays')
  const change = page.locator('#feed .entry').first()
  await change.getByText('reloaded').waitFor()
  await change.getByText('tea_menu_get').click()
  await change.getByText('Reads the menu of today.').waitFor()
  project.write('plugins/tea/index.ts', teaPlugin())
  await page.locator('.detail').getByText('Reads the menu.', { exact: true }).waitFor()
})

test('frames a save that does not load, and says when it is right again', async () => {
  await page.getByText('6 tools').waitFor()
  project.write('plugins/notes/index.ts', `const tools = undefined\nexport default { tools: tools.map((tool) => tool) }\n`)
  const notice = page.getByRole('region', { name: 'Fault of notes' })
  await notice.getByText('the last save does not load; the version before it serves').waitFor()
  const frame = notice.getByRole('group', { name: 'Code around the fault' })
  assert.match((await frame.textContent()) ?? '', /> 2 \| export default \{ tools: tools\.map/)
  await page.getByText('1 problem').waitFor()
  await assertAccessible(page, 'a broken save')
  await chooseTool('notes_rev')
  await call()
  await page.getByText('ok', { exact: true }).first().waitFor()
  project.write('plugins/notes/index.ts', revisionPlugin('notes', 2))
  await notice.waitFor({ state: 'detached' })
  await page.locator('#feed').getByText('recovered').waitFor()
})

test('shows what differs from the lock, and approves it', async () => {
  assert.equal((await project.patchbay('lock')).code, 0)
  project.write('plugins/notes/index.ts', revisionPlugin('notes', 2, { description: 'Says\u200b its number.' }))
  await page.getByRole('link', { name: 'Lock' }).click()
  await page.locator('#main').getByText('Says\\u{200b} its number.').waitFor()
  await assertAccessible(page, 'a difference')
  // Changed after it was read: it is not approved.
  project.write('plugins/notes/index.ts', revisionPlugin('notes', 2, { description: 'Sends its number.' }))
  await page.getByRole('button', { name: 'Approve notes' }).click()
  await page.getByRole('button', { name: 'Yes, pin it as shown' }).click()
  await page.getByRole('alert').getByText('it changed after the difference was shown').waitFor()
  assert.equal((await project.patchbay('lock', '--check')).code, 1)
  await page.getByRole('button', { name: 'Compare again' }).click()
  await page.locator('#main').getByText('Sends its number.').waitFor()
  await page.getByRole('button', { name: 'Approve notes' }).click()
  await page.getByRole('button', { name: 'Yes, pin it as shown' }).click()
  await page.getByText('Everything is what mcp.lock.json says.').waitFor()
  assert.equal((await project.patchbay('lock', '--check')).code, 0)
})

test('shows plugins, builds one again, and reads the config again', async () => {
  await page.getByRole('link', { name: /^Plugins/ }).click()
  await page.getByRole('button', { name: 'Build again: notes' }).click()
  await page.locator('#feed').getByText('notes').first().waitFor()
  await page.getByRole('button', { name: 'Read the config again' }).click()
  await page.getByText('The config was read again').waitFor()
  await assertAccessible(page, 'plugins')
})

test('runs nothing that a plugin writes, and shows what cannot be seen', async () => {
  await chooseTool('tea_order_echo')
  await page.getByText('<img src=x onerror="window.evil=1">\\u{200b}').waitFor()
  assert.equal(await page.evaluate(() => Reflect.get(window, 'evil')), undefined)
  const blocked = await page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        addEventListener('securitypolicyviolation', ({ effectiveDirective }) => resolve(effectiveDirective), { once: true })
        const script = document.createElement('script')
        try {
          script.text = 'window.evil = 1'
          document.body.append(script)
        } catch {
          // The text of a script has to be trusted, and none is.
        }
      }),
  )
  assert.match(blocked, /^(?:require-trusted-types-for|script-src-elem)$/)
  assert.equal(await page.evaluate(() => Reflect.get(window, 'evil')), undefined)
})

test('keeps the token out of its address, and asks for it where there is none', async () => {
  await page.getByText('6 tools').waitFor()
  assert.doesNotMatch(page.url(), new RegExp(project.token))
  await page.reload()
  await page.getByText('6 tools').waitFor()
  const [address = ''] = project.page.split('#')
  const locked = await open(address)
  await locked.getByText('This page needs its token').waitFor()
  await assertAccessible(locked, 'locked')
  await locked.getByLabel('Token').fill('not-the-token')
  await locked.getByRole('button', { name: 'Open' }).click()
  await locked.getByText('The host does not take this token').waitFor()
  await locked.getByLabel('Token').fill(project.token)
  await locked.getByRole('button', { name: 'Open' }).click()
  await locked.getByText('6 tools').waitFor()
  await locked.close()
})

for (const scheme of ['light', 'dark'] as const)
  test(`is accessible, in ${scheme} and on a narrow screen`, async () => {
    await page.close()
    page = await open(project.page, scheme)
    await page.getByText('6 tools').waitFor()
    await page.getByText('live', { exact: true }).waitFor()
    await assertAccessible(page, 'tools')
    await chooseTool('tea_order_echo')
    await page.getByRole('button', { name: 'Add tree' }).click()
    await assertAccessible(page, 'a form')
    await chooseTool('tea_menu_get')
    await call()
    await page.getByText('in the host ·').waitFor()
    await assertAccessible(page, 'a result')
    await page.setViewportSize({ width: 400, height: 800 })
    await assertAccessible(page, 'narrow')
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 400, 'it does not scroll sideways')
  })

test('says so when the host is gone', async () => {
  const [address = ''] = project.page.split('#')
  await page.getByText('live', { exact: true }).waitFor()
  await project.stop()
  await page.getByText('the host does not answer; trying again').waitFor()
  assert.ok(page.url().startsWith(address))
})

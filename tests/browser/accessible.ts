import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'

const source = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/** Holds what the page shows now to WCAG 2.2 A and AA, as far as axe can tell: names, roles, contrast, structure. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  // As the browser's own tools do: the page's policy lets no script of its text run, and must not for this.
  const session = await page.context().newCDPSession(page)
  await session.send('Runtime.evaluate', { expression: `${source};0` })
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) => JSON.stringify(violations))`,
    awaitPromise: true,
  })
  await session.detach()
  assert.equal(exceptionDetails, undefined)
  const found = (JSON.parse(String(result.value)) as readonly Violation[]).flatMap(({ id, help, nodes }) =>
    nodes.map(
      ({ html, failureSummary = '' }) => `${id}: ${help}\n  ${html.slice(0, 200)}\n  ${failureSummary.replaceAll('\n', ' ')}`,
    ),
  )
  assert.deepEqual(found, [], what)
}

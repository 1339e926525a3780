import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'

/** Text in HTML; `page` takes nothing else, so escaping cannot be forgotten. */
export interface Html {
  readonly html: string
}

/** Escapes what is put in, unless it is HTML itself. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  const text = (value: string | Html | readonly Html[] | undefined): string => {
    if (typeof value === 'string') return value.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
    return [value ?? []]
      .flat()
      .map((piece) => piece.html)
      .join('')
  }
  return { html: parts.map((part, index) => part + text(values[index])).join('') }
}

/** A whole page. */
export function page(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <style>
          ${{ html: STYLE }}
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `.html
}

/**
 * What goes with every page: nothing is loaded, no page may frame it, no cache keeps it. `formTargets` are the origins that a form may end
 * up at: browsers hold the rule against redirects too. The referrer policy lets the browser say where a form came from.
 */
export function pageHeaders(formTargets: readonly string[] = []): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  }
}

export function sendPage(res: ServerResponse, status: number, text: string, formTargets?: readonly string[]): void {
  res.writeHead(status, pageHeaders(formTargets)).end(text)
}

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;margin:10vh auto;max-width:32rem;padding:0 1rem}button{font:inherit;margin-right:.5rem;padding:.4rem 1rem}code{overflow-wrap:anywhere}'

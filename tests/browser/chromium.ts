import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The browser of this machine, without a window. `CHROMIUM` names another one. Throws where there is none. */
export function openChromium(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? PLACES.find((path) => existsSync(path))
  if (executablePath === undefined) throw new Error('There is no Chromium: apt-get install chromium, or set CHROMIUM')
  // Root, who runs CI, cannot have its sandbox. What the tests open is their own.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}

import { spawn } from 'node:child_process'

/** Opens `url` in the browser of the user. False where this machine has no way to do so. */
export function openBrowser(url: string, platform: NodeJS.Platform = process.platform): Promise<boolean> {
  const [program = '', ...args] = COMMANDS[platform] ?? COMMANDS['linux'] ?? []
  return new Promise((resolve) => {
    const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true })
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
    child.unref()
  })
}

const COMMANDS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  // `start` is of the shell; the first text in quotes would be the title of a window.
  win32: ['cmd', '/c', 'start', ''],
  linux: ['xdg-open'],
}

import type { Logger } from '@mcp-patchbay/plugin-api'

/**
 * Waits until the process is told to stop: `SIGTERM` or `SIGINT`, or `over` resolves. A second signal exits at once. `SIGHUP` reads
 * the config again meanwhile.
 */
export async function untilSignal({
  log,
  reread,
  over,
}: {
  log: Logger
  reread: () => Promise<void>
  over: Promise<void>
}): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let stopping = false
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(signal === 'SIGINT' ? 130 : 143)
    stopping = true
    resolve(signal)
  }
  const hangUp = () => void reread()
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', hangUp)
  // Node would open its inspector: a plugin in its own process may signal its host, and would read everything of it then.
  process.on('SIGUSR1', () => log.warn('signal_ignored', { signal: 'SIGUSR1' }))
  const reason = await Promise.race([promise, over.then(() => 'end of input')])
  stopping = true
  process.off('SIGHUP', hangUp)
  log.info('stopping', { reason })
}

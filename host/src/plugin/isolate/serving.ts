import { hostError } from '../../errors.ts'
import type { InlineOptions } from '../run/inline.ts'
import { createBroker, type Broker } from './broker.ts'
import { createNumberedCallers, type NumberedCallers } from './calls/numbered-callers.ts'
import type { OpaqueCallers } from './calls/opaque-callers.ts'
import { startOrder } from './channel/orders.ts'
import type { PluginProcess } from './spawn.ts'
import type { IsolatedOptions, LoadedProcess } from './types.ts'

/** A process in service, and how to tell it from one that is gone. */
export interface Serving {
  readonly process: PluginProcess
  readonly broker: Broker
  readonly callers: NumberedCallers
  isSuspected: boolean
}

export interface ServeOptions extends Pick<IsolatedOptions, 'now' | 'timeoutMs'> {
  readonly onRead: (file: string, digest: string) => void
  readonly onListed: (folder: string) => void
}

/** Starts the plugin in a process that has loaded it. Rejects when it does not start in time, or dies. */
export async function serve(
  { process }: LoadedProcess,
  services: InlineOptions,
  options: ServeOptions & { readonly hidden: OpaqueCallers },
): Promise<Serving> {
  const { now, onRead, onListed, timeoutMs, hidden } = options
  const broker = createBroker({ ...services, now, onRead, onListed })
  process.attach(broker)
  // The exit says why the process died; the rejected request does not.
  const died = process.exited.then((problem) => {
    throw hostError('PLUGIN_PROCESS', { plugin: services.instance, problem, output: process.tail() })
  })
  died.catch(() => {})
  const timer = setTimeout(() => process.kill(`it did not start within ${timeoutMs} ms`), timeoutMs)
  try {
    await Promise.race([process.peer.request('start', { data: startOrder(services) }).answer, died])
  } finally {
    clearTimeout(timer)
  }
  const callers = createNumberedCallers(hidden, (facts) => process.peer.notify('facts', facts))
  return { process, broker, callers, isSuspected: false }
}

/** A call that ran out of time, or was cancelled, may be an endless loop, in which the process hears nothing: then it is replaced. */
export async function doubt(at: Serving): Promise<void> {
  if (at.isSuspected) return
  at.isSuspected = true
  const timer = setTimeout(
    () => at.process.kill(`it was stuck: it heard nothing for ${PATIENCE_MS} ms after a call had to end`),
    PATIENCE_MS,
  )
  await at.process.peer.request('ping').answer.catch(() => {})
  clearTimeout(timer)
  at.isSuspected = false
}

/** Lets the plugin end what it began, for as long as one may wait for that. */
export async function disposeIn(process: PluginProcess): Promise<void> {
  const timer = setTimeout(() => process.kill('it did not end in time'), PATIENCE_MS)
  try {
    await process.peer.request('dispose').answer
  } finally {
    clearTimeout(timer)
  }
}

/** How long a process that may be stuck has to answer a ping, and how long a process has to end when it is asked to. */
const PATIENCE_MS = 1_000

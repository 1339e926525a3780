import type { Keep, Logger } from '@mcp-patchbay/plugin-api'

/** Handles that outlive the versions of a plugin, by instance and name. One for a host. */
export interface KeptHandles {
  /** For one version of the plugin: what it asks for is there until that version, and every other that asked for it, is disposed. */
  open(instance: string): VersionHandles
}

export interface VersionHandles extends AsyncDisposable {
  /** `scope` parts what is made for one caller's credential from what is made for another's. */
  keep(scope: string): Keep
  /** A handle that this version made is used by another: what it closes over is in memory for as long. */
  readonly isHeld: boolean
}

interface Handle {
  readonly name: string
  readonly value: Promise<unknown>
  readonly users: Set<object>
  readonly maker: object
  readonly dispose: ((handle: never) => void | Promise<void>) | undefined
}

export function createKeptHandles(log: Pick<Logger, 'warn'>): KeptHandles {
  const handles = new Map<string, Handle>()

  async function end(instance: string, { name, value, dispose }: Handle): Promise<void> {
    try {
      const handle = await value
      if (dispose) await dispose(handle as never)
      else await disposeOf(handle)
    } catch (error) {
      log.warn('handle_dispose_failed', { plugin: instance, handle: name, error })
    }
  }

  return {
    open(instance) {
      const version = {}
      let isDisposed = false
      const keyOf = (scope: string, name: string) => JSON.stringify([instance, scope, name])

      return {
        get isHeld() {
          return [...handles.values()].some(({ maker }) => maker === version)
        },
        keep:
          (scope) =>
          async (name, make, { dispose } = {}) => {
            if (isDisposed) throw new Error(`A version of plugin "${instance}" that was disposed asks to keep ${name}`)
            const key = keyOf(scope, name)
            let handle = handles.get(key)
            if (!handle) {
              handle = { name, value: Promise.try(make), users: new Set(), maker: version, dispose }
              handles.set(key, handle)
            }
            handle.users.add(version)
            try {
              return (await handle.value) as never
            } catch (error) {
              if (handles.get(key) === handle) handles.delete(key)
              throw error
            }
          },
        async [Symbol.asyncDispose]() {
          isDisposed = true
          const unused = [...handles].filter(([, { users }]) => users.delete(version) && users.size === 0)
          for (const [key] of unused) handles.delete(key)
          await Promise.all(unused.map(([, handle]) => end(instance, handle)))
        },
      }
    },
  }
}

async function disposeOf(handle: unknown): Promise<void> {
  if (typeof handle !== 'object' || handle === null) return
  if (Symbol.asyncDispose in handle) await (handle as AsyncDisposable)[Symbol.asyncDispose]()
  else if (Symbol.dispose in handle) (handle as Disposable)[Symbol.dispose]()
}

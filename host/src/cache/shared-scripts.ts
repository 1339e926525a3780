/** Runs small scripts in the Redis of the cache, whatever became of its connection meanwhile. */
export interface SharedScripts {
  /** Rejects after `patienceMs`, and at once while the store is left alone. */
  eval(script: string, options: { readonly keys: string[]; readonly arguments: string[] }): Promise<unknown>
}

import type { PoolOptions } from './types.ts'

/** What to do about a connection that failed with `why`. */
export function fixesFor({ instance, isRemote }: Pick<PoolOptions, 'instance' | 'isRemote'>, why: string): readonly string[] {
  if (isRemote)
    return ['Open its address in a browser or with curl, and see that it answers', `Check use of the entry "${instance}"`]
  if (/does not exist|may not be executed/.test(why))
    return ['Install the program, or give its whole path as the first word of command', 'Its folder is that of the config file']
  return [
    'Search the log for plugin_output at level debug: it has what the server printed',
    'A server from npm may read its own folder and nothing else: grant what it needs in capabilities of its entry',
    `It gets no variables but those of env of the entry "${instance}"`,
  ]
}

import { hostError } from '../errors.ts'
import { Evaluation, tagOf } from './evaluation.ts'
import { digestOf } from './reading/source-digest.ts'

/** Every evaluation that is alive in one graph. */
export interface Evaluations {
  /** Those kept for the version that loaded them. */
  readonly versions: ReadonlySet<Evaluation>
  /** How many are kept because those use them. */
  readonly sharedCount: number
  /** Begins the evaluation of everything under `root`; it lives until {@link end}. */
  begin(entry: string, root: string): Evaluation
  /** The evaluation whose tag is in the query of the URL. Throws `MODULE_RELEASED` when it has ended. */
  of(url: string): Evaluation | undefined
  /** The evaluation with this number; `module` is who asks, for the message of `MODULE_RELEASED`. */
  get(id: number, module: string): Evaluation
  /** The evaluation of `file`, outside the root of `user`, that `user` gets: an existing one as long as nothing in it changed. */
  share(file: string, user: Evaluation): Evaluation
  /** The evaluation of the packages below `root`, known as `key`: an existing one as long as nothing in it changed. */
  sharePackages(key: string, root: string): Evaluation
  /** Ends the evaluation, and every shared one that no other evaluation uses. Returns all that ended. */
  end(evaluation: Evaluation): Evaluation[]
}

/** The evaluations of the graph with this id. */
export function createEvaluations(graph: string): Evaluations {
  const alive = new Map<number, Evaluation>()
  const versions = new Set<Evaluation>()
  const shared = new Map<string, Evaluation[]>()
  const tag = tagOf(graph)
  let last = 0

  const create = (entry: string, root?: string, packagesOnly = false): Evaluation => {
    const evaluation = new Evaluation({ id: ++last, graph, entry, root, packagesOnly })
    alive.set(evaluation.id, evaluation)
    return evaluation
  }
  const get = (id: number, module: string): Evaluation => {
    const evaluation = alive.get(id)
    if (!evaluation) throw hostError('MODULE_RELEASED', { module })
    return evaluation
  }

  return {
    versions,
    get sharedCount() {
      return alive.size - versions.size
    },
    begin(entry, root) {
      const evaluation = create(entry, root)
      versions.add(evaluation)
      return evaluation
    },
    of(url) {
      const at = url.lastIndexOf(tag)
      const isQuery = at > 0 && '?&'.includes(url.charAt(at - 1))
      return isQuery ? get(Number.parseInt(url.slice(at + tag.length), 10), url.slice(0, url.indexOf('?'))) : undefined
    },
    get,
    share(file, user) {
      const chosen = user.uses.get(file)
      if (chosen) return chosen
      get(user.id, file)
      const others = shared.get(file) ?? []
      let evaluation = others.findLast(isCurrent)
      if (!evaluation) {
        evaluation = create(file)
        evaluation.files.add(file)
        shared.set(file, [...others, evaluation])
      }
      user.uses.set(file, evaluation)
      return evaluation
    },
    sharePackages(key, root) {
      const others = shared.get(key) ?? []
      const current = others.findLast(({ digests }) => [...digests].every(([file, digest]) => digestOf(file) === digest))
      if (current) return current
      const evaluation = create(key, root, true)
      shared.set(key, [...others, evaluation])
      return evaluation
    },
    end(evaluation) {
      if (!versions.delete(evaluation)) return []
      const kept = new Set<Evaluation>()
      for (const version of versions) for (const reached of version.reachable()) kept.add(reached)
      const ended = [...alive.values()].filter((candidate) => !kept.has(candidate))
      for (const { id, entry } of ended) {
        alive.delete(id)
        const others = shared.get(entry)?.filter((other) => other.id !== id)
        if (others?.length) shared.set(entry, others)
        else shared.delete(entry)
      }
      return ended
    },
  }
}

/** Whether every file a shared evaluation reaches is on disk as it was evaluated. One not read yet is about to be. */
function isCurrent(evaluation: Evaluation): boolean {
  for (const { digests, entry } of evaluation.reachable()) {
    const digest = digests.get(entry)
    if (digest !== undefined && digestOf(entry) !== digest) return false
  }
  return true
}

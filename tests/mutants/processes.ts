import { mutantsOf } from './mutant.ts'

const supervision = ['tests/unit/plugin/supervision.test.ts']
const aCall = ['tests/unit/plugin/isolated-call.test.ts']

/** Plugins in processes of their own: their lives, what they ask of the host, and what they say that they read. */
export const processes = mutantsOf('processes', [
  {
    file: 'host/src/plugin/isolate/supervise.ts',
    noticedBy: supervision,
    changes: [
      [
        'a process that comes back after the plugin was disposed stays',
        "        if (life.signal.aborted) return next.process.kill('the plugin was disposed')\n",
        '',
      ],
      ['want of descriptors counts as a crash', 'isLacking = error instanceof Error && isLack(error.cause)', 'isLacking = false'],
    ],
  },
  {
    file: 'host/src/plugin/isolate/calls/isolated-call.ts',
    noticedBy: supervision,
    changes: [
      ['a write that went with its process is told as one that did not run', "this.#rights.access === 'write'", 'false'],
      ['a call stays in the process when it is over', 'this.#at.broker.end(this.#id)', '', { noticedBy: aCall }],
      ['a process is never idle again once it was called', 'this.#terms.idle.left()', '', { noticedBy: aCall }],
      ['a call that was never sent counts as one in the process', '    if (this.#isOver) return\n', '', { noticedBy: aCall }],
    ],
  },
  {
    file: 'host/src/plugin/isolate/start-gate.ts',
    noticedBy: ['tests/unit/plugin/start-gate.test.ts'],
    changes: [
      [
        'two plugins that hang keep all others from starting',
        'const timer = setTimeout(leaveOnce, heldMs)',
        'const timer = undefined',
      ],
      ['a plugin that hung gives its place away twice', 'if (isInside) leave()', 'leave()'],
      [
        'a call waits until all plugins have started',
        'isCalled ? waiting.unshift(resolve) : waiting.push(resolve)',
        'isCalled, waiting.push(resolve)',
      ],
    ],
  },
  {
    file: 'host/src/plugin/isolate/serving.ts',
    noticedBy: supervision,
    changes: [
      [
        'a process that was suspected once is never suspected again',
        '  clearTimeout(timer)\n  at.isSuspected = false\n',
        '  clearTimeout(timer)\n',
      ],
      ['each call that ends asks a process that is suspected already', '  if (at.isSuspected) return\n', ''],
    ],
  },
  {
    file: 'host/src/plugin/isolate/broker.ts',
    noticedBy: ['tests/unit/isolated-callers.test.ts'],
    changes: [['progress of an isolated call comes after its answer', '      calls.get(id)?.progress?.end()\n', '']],
  },
  {
    file: 'host/src/plugin/isolate/child/child-services.ts',
    noticedBy: ['tests/unit/plugin/services-of-a-process.test.ts'],
    changes: [
      [
        'a child of a child logger loses the fields of its parent',
        'child: (fields) => remoteLog(notifications, withBound(bound, fields))',
        'child: (fields) => remoteLog(notifications, fields)',
      ],
      ['callers who wait for one value share an object', 'return copyOf(await found)', 'return await found'],
      ['callers of two owners wait for one value', 'JSON.stringify([owner, key])', 'JSON.stringify([key])'],
      ['the first value that was loaded is kept for good', '.finally(() => loading.delete(flight))', ''],
    ],
  },
  {
    file: 'host/src/plugin/isolate/isolated-plugin.ts',
    noticedBy: ['tests/unit/plugin/files-that-an-isolated-plugin-names.test.ts'],
    changes: [
      ['what a plugin writes itself makes it reload', ' && !isBelowAny(path, writes)', ''],
      [
        'a file that is read again hides that it changed since the load',
        'if (!digests.has(file) && isWatchable(file)) digests.set',
        'if (isWatchable(file)) digests.set',
      ],
    ],
  },
])

// Of all that happens in watched folders, what may be a change of a plugin.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRelevant, type WatchTargets } from '../../../host/src/plugin/reload/watch-targets.ts'

const targets: WatchTargets = {
  files: new Set(['/p/a/index.ts']),
  configFiles: new Set(),
  roots: new Set(['/p/a', '/p/b']),
  open: new Set(['/p/b']),
  links: new Map(),
  folders: new Set(['/p/a/tools']),
  listed: new Set(['/p/a/pages']),
  globs: [],
  pluginDirs: new Map(),
}

for (const [event, path, matters] of [
  ['change', '/p/a/index.ts', true],
  ['change', '/p/a/notes.txt', false],
  ['add', '/p/a/notes.txt', false],
  ['add', '/p/a/tools/new.ts', true],
  ['add', '/p/a/tools/notes.txt', false],
  ['change', '/p/a/tools/new.ts', false],
  ['add', '/p/a/pages/notes.txt', true],
  ['add', '/p/a/pages/notes.txt~', false],
  ['unlink', '/p/a/pages/notes.txt', true],
  ['change', '/p/b/anything.txt', true],
] as const)
  test(`${event} of ${path} ${matters ? 'may be a change' : 'is none'}`, () => {
    assert.equal(isRelevant(event, { path, real: path }, targets), matters)
  })

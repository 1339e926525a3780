// Gives what is unreleased in CHANGELOG.md the version that `changeset version` has just written, and begins a new section.
import { readFileSync, writeFileSync } from 'node:fs'

const { version } = JSON.parse(readFileSync('host/package.json', 'utf8'))
const text = readFileSync('CHANGELOG.md', 'utf8')
const heading = `## ${version} · ${new Date().toISOString().slice(0, 10)}`
if (!text.includes(`## ${version} ·`))
  writeFileSync(
    'CHANGELOG.md',
    text.replace('## Unreleased\n', () => `## Unreleased\n\n${heading}\n`),
  )

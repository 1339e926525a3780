// Writes into every package where its source is: `node scripts/repository.mjs https://github.com/OWNER/NAME`. The release workflow runs it,
// since provenance is refused for a package that names another place, and a fork releases from its own.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const [, , home, root = '.'] = process.argv
if (!home || !URL.canParse(home)) throw new Error('Usage: node scripts/repository.mjs URL [FOLDER]')
for (const file of globSync(['*/package.json', 'plugins/*/package.json'], { cwd: root })) {
  const manifest = JSON.parse(readFileSync(`${root}/${file}`, 'utf8'))
  if (!manifest.publishConfig) continue
  const directory = dirname(file)
  const repository = { type: 'git', url: `git+${home}.git`, directory }
  const named = { ...manifest, homepage: `${home}/tree/main/${directory}#readme`, bugs: `${home}/issues`, repository }
  writeFileSync(`${root}/${file}`, `${JSON.stringify(named, undefined, 2)}\n`)
}

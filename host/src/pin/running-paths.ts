import { readdir } from 'node:fs/promises'
import path from 'node:path'

/**
 * The part of a path that decides what runs on the machine of a developer or in CI: hooks, workflows, tasks of an editor, settings of a
 * package manager, a shell or an assistant. Compared as file systems do that do not tell letters by case.
 */
export function runningPart(full: string): string | undefined {
  return full.split(/[\\/]/).find((part) => isRunning(part))
}

/** The same of what is directly in a folder. A folder that does not exist has none. */
export async function runningEntry(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => [])
  const found = names.find((name) => isRunning(name))
  return found === undefined ? undefined : path.join(path.basename(folder), found)
}

function isRunning(name: string): boolean {
  const plain = name
    .normalize('NFC')
    // HFS+ reads names without these, NTFS without the end and the stream.
    .replaceAll(/[\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF]/gu, '')
    .replace(/:.*$/s, '')
    .replace(/[. ]+$/, '')
    .toLowerCase()
  return RUNNING.has(plain) || /^git~\d+$/.test(plain)
}

const RUNNING: ReadonlySet<string> = new Set(
  `
    .git .githooks .gitmodules .gitconfig .gitattributes .husky .lefthook lefthook.yml lefthook.yaml
    .pre-commit-config.yaml .lintstagedrc .lintstagedrc.json .lintstagedrc.js .lintstagedrc.mjs .github .gitlab
    .gitlab-ci.yml .gitea .forgejo .circleci .buildkite .woodpecker .travis.yml .vscode .vscode-server .idea .fleet .zed
    .devcontainer .devcontainer.json .vim .vimrc .exrc .nvimrc .emacs.d .dir-locals.el .npmrc .yarnrc .yarnrc.yml .yarn
    .pnpmfile.cjs .pnpmfile.mjs pnpm-workspace.yaml bunfig.toml .npm .envrc .tool-versions .nvmrc .node-version
    .mise.toml mise.toml .volta .claude .cursor .codex .gemini .windsurf .continue .mcp.json .cline .roo .bashrc
    .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc .zshenv .zprofile .zlogin .xprofile .xsession
    .inputrc .ssh .gnupg .aws .azure .kube .docker .netrc .cargo .gem .pypirc
  `
    .trim()
    .split(/\s+/),
)

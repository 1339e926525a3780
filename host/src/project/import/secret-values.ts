import { existsSync } from 'node:fs'
import { SECRET_NAME } from '../../config/schema/mask.ts'

/** Whether the value of a variable or option belongs into `.env`, and not into a config that is committed. In doubt it does. */
export function looksSecret(name: string, value: string): boolean {
  if (value === '' || /^(?:true|false|\d{1,8})$/i.test(value) || isPath(value)) return false
  if (hasSecretName(name)) return true
  return holdsPassword(value) || ISSUED.test(value) || isRandom(value)
}

export function hasSecretName(name: string): boolean {
  return (
    SECRET_NAME.test(name.replaceAll('-', '_')) || /(?:^|[-_])(?:key|pat|pwd|pass|bearer|cookie|dsn|authorization)$/i.test(name)
  )
}

/** Where a folder or file is named; a file that exists for what could be Base64 as well. */
function isPath(value: string): boolean {
  return /^(?:~|\.{1,2}|[a-z]:)[\\/]|^\.$/i.test(value) || (value.startsWith('/') && existsSync(value))
}

function holdsPassword(value: string): boolean {
  const url = URL.parse(value)
  return (url !== null && url.password !== '') || /\b(?:password|pwd)=/i.test(value) || /^(?:bearer|basic) /i.test(value)
}

/** As services mark what they issue. */
const ISSUED =
  /(?:^|[\s=:])(?:sk-|sk_|pk_|rk_|gh[opsu]_|github_pat_|glpat-|xox[abeprs]-|AKIA|ASIA|AIza|eyJ|ntn_|secret_|tvly-|hf_|npm_|lin_|pat-|figd_|ctx7sk)\w/

/** Letters and digits without a word in them. */
function isRandom(value: string): boolean {
  return (
    /^[A-Za-z0-9+/_=.-]{24,}$/.test(value) &&
    /\d/.test(value) &&
    /[A-Za-z]/.test(value) &&
    !/^[a-z0-9]+(?:[-_.][a-z]+)+$/.test(value)
  )
}

import { hostError } from '../../errors.ts'
import { parseValue } from './parse-value.ts'
import { variableName } from './variables.ts'

/** What the variables of an instance say of how its service is reached. */
export interface NetworkVariables {
  /** For the head of an answer and for its body, in milliseconds. */
  readonly timeoutMs?: number
  readonly sslVerify?: boolean
  readonly caFile?: string
  readonly proxyUrl?: string
}

const SETTINGS = ['timeout', 'sslVerify', 'caFile', 'proxyUrl'] as const

/** `GITHUB_TIMEOUT`, `GITHUB_SSL_VERIFY`, `GITHUB_CA_FILE`, `GITHUB_PROXY_URL`, but for those that the plugin's own config has. */
export function networkVariableNames(prefix: string, ofConfig: ReadonlySet<string>): readonly string[] {
  return SETTINGS.map((key) => variableName(prefix, key)).filter((name) => !ofConfig.has(name))
}

/**
 * Reads them. A variable that is empty is not set. Throws `NETWORK_VARIABLE` for one that cannot be what it says: a service must not be
 * reached in another way than the operator wrote.
 */
export function readNetworkVariables(
  prefix: string,
  { env, ofConfig }: { readonly env: Readonly<Record<string, string | undefined>>; readonly ofConfig: ReadonlySet<string> },
): NetworkVariables {
  const read = (key: (typeof SETTINGS)[number]): { name: string; text: string } | undefined => {
    const name = variableName(prefix, key)
    const text = unquoted(env[name] ?? '')
    return text === '' || ofConfig.has(name) ? undefined : { name, text }
  }
  const refuse = (variable: string, problem: string) => hostError('NETWORK_VARIABLE', { variable, problem })
  const timeout = read('timeout')
  const seconds = timeout && Number(timeout.text)
  if (timeout && !(Number(seconds) > 0 && Number(seconds) <= MOST_SECONDS))
    throw refuse(timeout.name, `is not a number of seconds from 0.001 to ${MOST_SECONDS}`)
  const verify = read('sslVerify')
  const isVerified = verify && parseValue({ type: 'boolean' }, verify.text, false)
  if (verify && isVerified && 'problem' in isVerified) throw refuse(verify.name, 'is neither true nor false')
  const caFile = read('caFile')
  const proxyUrl = read('proxyUrl')
  return {
    ...(seconds === undefined ? {} : { timeoutMs: Math.ceil(seconds * 1_000) }),
    ...(isVerified && 'value' in isVerified ? { sslVerify: isVerified.value === true } : {}),
    ...(caFile && { caFile: caFile.text }),
    ...(proxyUrl && { proxyUrl: proxyUrl.text }),
  }
}

/** What a timer can count. */
const MOST_SECONDS = 2_147_483

/** Containers that take an environment file line by line leave its quotes in. */
function unquoted(text: string): string {
  return /^(["'])(.*)\1$/s.exec(text)?.[2]?.trim() ?? text.trim()
}

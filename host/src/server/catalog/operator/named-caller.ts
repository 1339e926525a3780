import { NO_CREDENTIALS } from '../../../auth/outbound/request-credentials.ts'
import { check } from '../../../config/schema/check-value.ts'
import { formatPath } from '../../../config/schema/fault.ts'
import { Type } from '../../../data/type.ts'
import { hostError } from '../../../errors.ts'
import { createCaller, type Caller } from '../caller.ts'

/** Who a caller is, in the operator's own words. What is left out it does not have. */
export interface NamedCaller {
  readonly id?: string
  readonly tenant?: string
  readonly permissions?: readonly string[]
  readonly toolsets?: readonly string[]
  readonly readOnly?: boolean
}

const namedCaller = Type.Object(
  {
    id: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    tenant: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    permissions: Type.Optional(Type.Array(Type.String())),
    toolsets: Type.Optional(Type.Array(Type.String())),
    readOnly: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)

/**
 * Reads a caller from JSON, as `--as FILE` and the admin API take it. It is never the operator, and brings no credentials for services.
 * `place` names the text in errors. Throws `CALLER_FILE`.
 */
export function readCaller(text: string, place: string): Caller {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw hostError('CALLER_FILE', { file: place, problem: error instanceof Error ? error.message : String(error) }, error)
  }
  if (!isNamed(value)) {
    const [fault] = check(namedCaller, value)
    const where = fault ? formatPath(fault.path) || 'the whole' : 'the whole'
    throw hostError('CALLER_FILE', { file: place, problem: `${where} ${fault?.problem ?? 'does not fit'}` })
  }
  const { id = 'explain', tenant, permissions = [], toolsets, readOnly = false } = value
  return createCaller({ id, tenant, permissions, kind: 'apiKey' }, { toolsets, readOnly }, NO_CREDENTIALS)
}

function isNamed(value: unknown): value is NamedCaller {
  return check(namedCaller, value).length === 0
}

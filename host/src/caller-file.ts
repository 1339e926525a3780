import { faultsOf, fits } from './data/typebox-value.ts'
import { hostError } from './errors.ts'
import { createCaller, type Caller } from './server/catalog/caller.ts'
import { Type } from './data/type.ts'

const CallerFile = Type.Object(
  {
    id: Type.Optional(Type.String()),
    tenant: Type.Optional(Type.String()),
    permissions: Type.Optional(Type.Array(Type.String())),
    toolsets: Type.Optional(Type.Array(Type.String())),
    readOnly: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)

/** The caller that `explain --as FILE` asks for. Throws `CALLER_FILE` with the fault. */
export function readCaller(text: string, file: string): Caller {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw hostError('CALLER_FILE', { file, problem: error instanceof Error ? error.message : String(error) }, error)
  }
  if (!fits(CallerFile, value)) {
    const [first] = faultsOf(CallerFile, value)
    throw hostError('CALLER_FILE', { file, problem: `${first?.instancePath || 'the file'} ${first?.message ?? 'does not fit'}` })
  }
  const { id = 'explain', tenant, permissions = [], toolsets, readOnly = false } = value
  return createCaller({ id, tenant, permissions, kind: 'apiKey' }, { toolsets, readOnly })
}

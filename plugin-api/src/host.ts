/** What a host needs of the contract while it runs: of the package's main module, the part that does without TypeBox. */
export { contractFaults } from './contract.ts'
export { CREDENTIAL_KEYS } from './credential-keys.ts'
export { ServiceError, serviceErrorCode } from './errors.ts'
export { markdown } from './format.ts'
export { elicit, inputRequired, isInputRequired } from './interactive.ts'
export { isToolResult, toolResult } from './tool-result.ts'
export { SecretValue } from './secret-value.ts'
export { clientLimits } from './client-limits.ts'

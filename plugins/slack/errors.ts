import { ServiceError, type ServiceErrorCode } from '@mcp-patchbay/plugin-api'

/** What every answer of Slack's Web API carries: refusals come with status 200. */
export interface Outcome {
  readonly ok: boolean
  readonly error?: string
  /** With `missing_scope`: the scopes that would do, separated by commas. */
  readonly needed?: string
}

/** What Slack's `ok: false` means, in the words of the contract, with what to do about it. */
export function refusal(method: string, { error = 'no reason given', needed }: Outcome): ServiceError {
  const what = `Slack refused ${method}: ${error.slice(0, 200)}`
  if (error === 'missing_scope' && needed)
    return new ServiceError('PERMISSION_DENIED', `${what}, which needs the scope ${needed.slice(0, 200)}`, {
      fix: `Add the scope ${needed.slice(0, 200)} to the Slack app, install it again, and set the new token`,
    })
  const known = MEANINGS.find(({ errors }) => errors.test(error))
  return new ServiceError(known?.code ?? 'UPSTREAM_FAILED', what, { fix: known?.fix ?? 'Try again later' })
}

const SET_TOKEN = 'Set personalToken (SLACK_PERSONAL_TOKEN for the instance slack) to a valid token of an installed Slack app'

/** The first that fits. From the error lists of the methods that the tools call. */
const MEANINGS: readonly { readonly errors: RegExp; readonly code: ServiceErrorCode; readonly fix: string }[] = [
  {
    errors: /^(?:invalid_auth|not_authed|token_expired|token_revoked|account_inactive|two_factor_setup_required)$/,
    code: 'AUTHENTICATION_FAILED',
    fix: SET_TOKEN,
  },
  {
    errors: /^not_allowed_token_type$/,
    code: 'PERMISSION_DENIED',
    fix: 'Bot tokens may not do this: set personalToken (SLACK_PERSONAL_TOKEN for the instance slack) to a user token, xoxp-…',
  },
  {
    errors: /^not_in_channel$/,
    code: 'PERMISSION_DENIED',
    fix: 'Invite the app to the channel (/invite @app there), or give it the scope channels:join or chat:write.public',
  },
  {
    errors: /^missing_scope$/,
    code: 'PERMISSION_DENIED',
    fix: 'Add the scope that the method needs to the Slack app, install it again, and set the new token',
  },
  {
    errors:
      /^(?:access_denied|no_permission|restricted_action.*|ekm_access_denied|org_login_required|enterprise_is_restricted|team_access_not_granted|cannot_.*|team_not_found)$/,
    code: 'PERMISSION_DENIED',
    fix: 'An administrator of the Slack workspace has to allow it',
  },
  {
    errors: /^channel_not_found$/,
    code: 'NOT_FOUND',
    fix: 'Take the id of a channel from channels_list. Slack says the same of a private channel that the app is not in: invite it',
  },
  { errors: /^(?:thread|message)_not_found$/, code: 'NOT_FOUND', fix: 'Take the ts of a message from channels_history' },
  { errors: /^users?_not_(?:found|visible)$/, code: 'NOT_FOUND', fix: 'Take the id of a user from users_list' },
  {
    errors: /^(?:ratelimited|rate_limited|message_limit_exceeded)$/,
    code: 'RATE_LIMITED',
    fix: 'Wait a minute before the next call',
  },
  { errors: /^is_archived$/, code: 'INVALID_INPUT', fix: 'The channel is archived: choose another, or have it unarchived' },
  { errors: /^invalid_cursor$/, code: 'INVALID_INPUT', fix: 'Cursors expire: begin again without one' },
  {
    errors: /^(?:invalid_.*|no_text|no_query|msg_too_long|msg_blocks_too_long|.*_required|missing_.*|too_many_.*)$/,
    code: 'INVALID_INPUT',
    fix: 'Change the arguments and call again',
  },
  { errors: /^request_timeout$/, code: 'TIMEOUT', fix: 'Try again' },
]

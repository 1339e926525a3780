import type { FakeRoute } from '@mcp-patchbay/plugin-api/testing'

/** A small workspace in the shapes that docs.slack.dev shows for each method. */
export const workspace: readonly FakeRoute[] = [
  {
    method: 'GET',
    path: '/conversations.list',
    query: { cursor: 'dGVhbTpDMDYxRkE1UEI=' },
    json: { ok: true, channels: [], response_metadata: { next_cursor: '' } },
  },
  {
    method: 'GET',
    path: '/conversations.list',
    json: {
      ok: true,
      channels: [
        {
          id: 'C012AB3CD',
          name: 'general',
          is_channel: true,
          is_im: false,
          is_mpim: false,
          is_private: false,
          is_archived: false,
          is_member: true,
          num_members: 4,
          topic: { value: 'Company-wide announcements', creator: '', last_set: 0 },
          purpose: { value: 'For | everybody', creator: '', last_set: 0 },
        },
        { id: 'G0AKFJBEU', name: 'secret', is_private: true, is_archived: true, is_member: true, num_members: 2 },
        { id: 'D0C0F7S8Y', is_im: true, user: 'U012AB3CD' },
      ],
      response_metadata: { next_cursor: 'dGVhbTpDMDYxRkE1UEI=' },
    },
  },
  {
    method: 'GET',
    path: '/conversations.history',
    json: {
      ok: true,
      has_more: true,
      messages: [
        {
          type: 'message',
          user: 'U012AB3CD',
          text: 'See <https://example.com/a_b|the *plan*>, <@W0G9QF9C6>: 1 &lt; 2 &amp;&amp; `x|y`\n<!here> in <#C012AB3CD|general>',
          ts: '1512085950.000216',
          thread_ts: '1512085950.000216',
          reply_count: 2,
          reactions: [{ name: 'tada', users: ['U012AB3CD'], count: 3 }],
        },
        {
          type: 'message',
          subtype: 'bot_message',
          bot_id: 'B019SR3LAVD',
          username: 'deploys',
          text: '',
          attachments: [{ fallback: 'Deployed v1.2', color: 'good' }],
          files: [{ id: 'F1', name: 'log.txt', mimetype: 'text/plain' }],
          ts: '1512104434.000490',
        },
      ],
      pin_count: 0,
      response_metadata: { next_cursor: 'bmV4dF90czoxNTEyMDg1ODYxMDAwNTQz' },
    },
  },
  {
    method: 'GET',
    path: '/conversations.replies',
    json: {
      ok: true,
      has_more: false,
      messages: [
        {
          type: 'message',
          user: 'U012AB3CD',
          text: 'island\n```\ncode\n```',
          thread_ts: '1482960137.003543',
          reply_count: 1,
          ts: '1482960137.003543',
        },
        {
          type: 'message',
          user: 'W0G9QF9C6',
          text: '<@U012AB3CD> one island',
          thread_ts: '1482960137.003543',
          parent_user_id: 'U012AB3CD',
          ts: '1483037603.017503',
        },
      ],
      response_metadata: { next_cursor: '' },
    },
  },
  {
    method: 'POST',
    path: '/chat.postMessage',
    json: {
      ok: true,
      channel: 'C012AB3CD',
      ts: '1503435956.000247',
      message: {
        text: "Here's a message for you",
        username: 'ecto1',
        bot_id: 'B123ABC456',
        type: 'message',
        ts: '1503435956.000247',
      },
    },
  },
  {
    method: 'GET',
    path: '/search.messages',
    json: {
      ok: true,
      query: 'life universe',
      messages: {
        total: 23,
        pagination: { first: 1, last: 20, page: 1, page_count: 2, per_page: 20, total_count: 23 },
        paging: { count: 20, page: 1, pages: 2, total: 23 },
        matches: [
          {
            channel: { id: 'C012AB3CD', name: 'general', is_private: false },
            permalink: 'https://hitchhikers.slack.com/archives/C012AB3CD/p1508284197000015',
            team: 'T12345678',
            text: 'The meaning of life the universe and everything is 42.',
            ts: '1508284197.000015',
            type: 'message',
            user: 'U012AB3CD',
            username: 'spengler',
          },
        ],
      },
    },
  },
  {
    method: 'GET',
    path: '/users.list',
    json: {
      ok: true,
      members: [
        spengler(),
        { id: 'W0G9QF9C6', name: 'glinda', deleted: true, real_name: 'Glinda Southgood', is_bot: false, profile: {} },
        { id: 'USLACKBOT', name: 'slackbot', is_bot: true, profile: { real_name: 'Slackbot' } },
      ],
      cache_ts: 1498777272,
      response_metadata: { next_cursor: 'dXNlcjpVMEc5V0ZYTlo=' },
    },
  },
  { method: 'GET', path: '/users.info', query: { user: 'U012AB3CD' }, json: { ok: true, user: spengler() } },
  {
    method: 'GET',
    path: '/users.info',
    query: { user: 'W0G9QF9C6' },
    json: { ok: true, user: { id: 'W0G9QF9C6', name: 'glinda', real_name: 'Glinda Southgood' } },
  },
  { method: 'GET', path: '/users.info', json: { ok: false, error: 'user_not_found' } },
]

function spengler() {
  return {
    id: 'U012AB3CD',
    team_id: 'T012AB3C4',
    name: 'spengler',
    deleted: false,
    real_name: 'Egon Spengler',
    tz: 'America/Los_Angeles',
    profile: {
      title: 'Doctor',
      real_name: 'Egon Spengler',
      display_name: 'spengler',
      status_text: 'Print is dead',
      email: 'spengler@ghostbusters.example.com',
    },
    is_admin: true,
    is_bot: false,
    is_restricted: false,
  }
}

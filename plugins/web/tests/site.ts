import { callTool, fakeHttp, type FakeReply, type FakeRoute } from '@mcp-patchbay/plugin-api/testing'
import web from '../index.ts'

export const url = 'https://site.example/page'
export const html = { 'content-type': 'text/html; charset=utf-8' }

/** A robots.txt that is not there: everything is open. */
export const open: FakeRoute = { path: 'https://site.example/robots.txt', status: 404 }

/** A site of which every page is answered alike. */
export const site = (reply: FakeReply, robots: FakeRoute = open) =>
  fakeHttp([robots, { path: 'https://site.example/**', ...reply }])

export const page = (text: string) => site({ text, headers: html })

/** What the tool makes of the page at `url`. */
export const fetchPage = (http: ReturnType<typeof fakeHttp>, input: object = {}) =>
  callTool(web, 'pages_fetch', { url, ...input }, { http })

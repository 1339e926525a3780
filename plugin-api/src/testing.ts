/** The test kit of the contract: what a plugin's own tests need, and nothing of the host. */
export { callTool, getPrompt, listResources, readResource } from './testing/call-tool.ts'
export { checkPlugin } from './testing/check-plugin.ts'
export { discover } from './testing/discover.ts'
export { fakeCache, fakeKeep, fakeLog, fakePrincipal, type FakeLog, type Fakes, type LogLine } from './testing/fake-context.ts'
export { fakeHttp, type FakeHttp, type FakeReply, type FakeRequest, type FakeRoute } from './testing/fake-http.ts'
export { toolSnapshot } from './testing/tool-snapshot.ts'

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { parse } from 'yaml'
import { blocksOf } from '../../tests/fixtures/markdown-blocks.ts'
import { withDefaults } from '../../host/src/config/schema/defaults.ts'
import { httpSchema, managementSchema } from '../../host/src/config/schema/listen-schema.ts'
import { configSchema } from '../../host/src/config/schema/schema.ts'
import config from '../project/mcp.config.ts'
import { render, type Manifest } from './render.ts'
import { missing } from './tools.ts'

const MODELS = {
  'apps/v1': { Deployment },
  'autoscaling/v2': { HorizontalPodAutoscaler },
  'networking.k8s.io/v1': { NetworkPolicy },
  'policy/v1': { PodDisruptionBudget },
  v1: { ConfigMap, Service, ServiceAccount },
} as const

const needsKubectl = { skip: missing('kubectl') }
const base = needsKubectl.skip ? [] : render('base')
const redis = needsKubectl.skip ? [] : render('overlays/redis')
const http = withDefaults(httpSchema, {})
const management = withDefaults(managementSchema, {})

for (const [name, manifests] of Object.entries({ base, 'overlays/redis': redis })) {
  describe(name, needsKubectl, () => {
    for (const manifest of manifests) {
      test(`${manifest.kind} ${manifest.metadata.name} is valid by the schema of Kubernetes`, () => {
        modelOf(manifest).validate()
      })
    }

    test('has no field that Kubernetes does not know', () => {
      // The API server drops unknown fields with a warning, and the schemas let them pass; TypeScript refuses them in a literal.
      const folder = mkdtempSync(join(import.meta.dirname, '.types-'))
      try {
        const lines = manifests.flatMap(({ apiVersion, kind, ...rest }, index) => [
          `import { type I${kind} as Kind${index} } from 'kubernetes-models/${apiVersion}'`,
          `export const manifest${index}: Kind${index} = ${JSON.stringify({ apiVersion, kind, ...rest })}`,
        ])
        writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'))
        types(folder)
        writeFileSync(join(folder, 'manifests.ts'), lines.join('\n').replace('"selector":', '"selektor":'))
        assert.throws(() => types(folder), /selektor/)
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
  })
}

test('a manifest that is wrong is found', needsKubectl, () => {
  const broken = { ...deployment(), spec: { ...deployment().spec, minReadySeconds: 'soon' } }
  assert.throws(() => modelOf(broken).validate(), /minReadySeconds/)
})

test('ports, probes and the image agree on the ports that are the defaults of the host', needsKubectl, () => {
  const [container] = pod().containers
  assert.deepEqual(container.ports, [
    { name: 'http', containerPort: http.port },
    { name: 'management', containerPort: management.port },
  ])
  for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe])
    assert.equal(probe.httpGet.port, 'management')
  assert.equal(annotations()['prometheus.io/port'], String(management.port))
  assert.deepEqual(config.listen?.http, { ...Object(config.listen?.http), host: '0.0.0.0', port: http.port })
  assert.deepEqual(config.listen?.management, { host: '0.0.0.0', port: management.port })
})

test('a pod that ends has the time to leave and to drain, and its probe fails while it leaves', needsKubectl, () => {
  const limits = withDefaults(configSchema, { limits: config.limits }).limits
  assert.ok(pod().terminationGracePeriodSeconds * 1000 > limits.leaveMs + limits.drainMs)
  const { periodSeconds, failureThreshold } = pod().containers[0].readinessProbe
  assert.ok(periodSeconds * failureThreshold * 1000 < limits.leaveMs)
})

test('the overlay tells every host where Redis is', needsKubectl, () => {
  const maps = redis.filter(({ kind }) => kind === 'ConfigMap')
  assert.deepEqual(
    maps.map(({ data }) => data),
    [{ MCP_DEPLOYMENT: 'production', REDIS_URL: 'redis://patchbay-redis:6379' }],
  )
  const names = pod(redis).containers[0].envFrom.map(({ configMapRef }) => configMapRef?.name)
  assert.ok(names.includes(maps[0]?.metadata.name))
})

test('no pod runs as root, gains privileges or writes to its root', needsKubectl, () => {
  for (const { spec } of redis.filter(({ kind }) => kind === 'Deployment')) {
    const { securityContext, containers } = podOf(spec)
    assert.equal(securityContext.runAsNonRoot, true)
    for (const container of containers)
      assert.deepEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
  }
})

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
  readonly periodSeconds: number
  readonly failureThreshold: number
}
interface Container {
  readonly ports: readonly unknown[]
  readonly startupProbe: Probe
  readonly readinessProbe: Probe
  readonly livenessProbe: Probe
  readonly envFrom: readonly { readonly configMapRef?: { readonly name: string } }[]
  readonly securityContext: unknown
}
interface Pod {
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: { readonly runAsNonRoot?: boolean }
  readonly containers: readonly [Container, ...Container[]]
}

function deployment(manifests = base): Manifest {
  return (
    manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'patchbay') ?? assert.fail('it has one')
  )
}

function pod(manifests = base): Pod {
  return podOf(deployment(manifests).spec)
}

function podOf(spec: Manifest['spec']): Pod {
  return (spec as { readonly template: { readonly spec: Pod } }).template.spec
}

function annotations(): Readonly<Record<string, string>> {
  const { template } = deployment().spec as { readonly template: { readonly metadata: { readonly annotations: object } } }
  return { ...template.metadata.annotations }
}

function modelOf(manifest: Manifest): { validate(): void } {
  const kinds: Readonly<Record<string, new (data: never) => { validate(): void }>> = Object(
    Reflect.get(MODELS, manifest.apiVersion),
  )
  const Model = kinds[manifest.kind] ?? assert.fail(`${manifest.apiVersion} ${manifest.kind} has a model in this test`)
  return new Model(manifest as never)
}

/** Throws with what the compiler says. */
function types(folder: string): void {
  const options = ['--noEmit', '--skipLibCheck', '--strict', '--module', 'nodenext', '--target', 'esnext', '--ignoreConfig']
  try {
    execFileSync('tsc', [...options, join(folder, 'manifests.ts')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    throw new Error(String(Reflect.get(Object(error), 'stdout')), { cause: error })
  }
}

test("the page's own overlay sets image, settings and a secret file, and stays valid", needsKubectl, () => {
  const blocks = blocksOf(join(import.meta.dirname, '../../docs/advanced/kubernetes.md')).filter(
    ({ language }) => language === 'yaml',
  )
  const files = Object.fromEntries(
    blocks.flatMap(({ text }) => {
      const [, file] = /^# (kubernetes\/\S+)\n/.exec(text) ?? []
      return file ? [[file, text] as const] : []
    }),
  )
  assert.deepEqual(Object.keys(files), ['kubernetes/kustomization.yaml', 'kubernetes/secret-files.yaml'])
  const manifests = render('../../kubernetes', files)
  for (const manifest of manifests) modelOf(manifest).validate()
  const text = JSON.stringify(manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'patchbay'))
  for (const part of [
    '"image":"registry.example.com/my-mcp:1.0.0"',
    '"name":"GITHUB_PERSONAL_TOKEN_FILE","value":"/run/secrets/github/token"',
    '"secretName":"github"',
    '"secretName":"patchbay-keys"',
    '"readOnlyRootFilesystem":true',
  ])
    assert.ok(text.includes(part), `${part} in ${text}`)
  const settings = manifests.find(({ metadata }) => metadata.name.startsWith('patchbay-environment'))?.data
  assert.deepEqual(settings, {
    MCP_DEPLOYMENT: 'production',
    PUBLIC_URL: 'https://mcp.example.com',
    REDIS_URL: 'redis://patchbay-redis:6379',
  })
  // The rule for services of one's own network.
  const [rule] = blocks.filter(({ text: block }) => block.includes('kind: NetworkPolicy'))
  modelOf(parse(rule?.text ?? '') as Manifest).validate()
})
